"""The port between the host's half and a card: whatever can carry APDUs.

`vsc.machine` makes connections (in process, PC/SC); a `card_os.card.Card` needs `DirectConnection`.
"""

from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol, Self


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
