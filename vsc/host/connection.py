"""The port between the host's half and a card: whatever can carry APDUs.

`vsc.machine` makes connections (in process, PC/SC); a `card_os.card.Card` needs `DirectConnection`.
"""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Protocol, Self

from vsc.errors import LostCardError


class Connection(Protocol):
    """A card that is powered and listens. Errors: CardRemoved, CardWasReset, and their like of `vsc.errors`."""

    @property
    def atr(self) -> bytes: ...

    def transmit(self, command: bytes) -> bytes:
        """Sends one C-APDU; returns the R-APDU, SW included, as the card gave it: no GET RESPONSE is done here."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """Nobody else talks to the card meanwhile. May be nested."""
        ...

    def close(self) -> None:
        """Ends the connection; the card keeps its power. Twice is harmless."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class DirectCard(Protocol):
    """What `DirectConnection` needs of a card; `card_os.card.Card` has it."""

    def power_on(self) -> bytes: ...

    def transmit(self, command: bytes) -> bytes: ...


class DirectConnection:
    """A connection to a card in memory, with no reader between. Making it gives the card power, which is a reset."""

    def __init__(self, card: DirectCard) -> None:
        self._card: DirectCard | None = card
        self._atr = card.power_on()
        self._lock = threading.RLock()

    @property
    def atr(self) -> bytes:
        return self._atr

    def transmit(self, command: bytes) -> bytes:
        with self._lock:
            if self._card is None:
                raise LostCardError("the connection is closed")
            return self._card.transmit(command)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Other threads that use this very connection wait."""
        with self._lock:
            yield

    def close(self) -> None:
        self._card = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
