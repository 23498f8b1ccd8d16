"""`SmartCard`: one stay of a card in a reader; what events say of it; and connections, for APDUs."""

import threading
from types import TracebackType
from typing import TYPE_CHECKING, Self

from vsc.errors import CardRemoved
from vsc.host.connection import Connection
from vsc.machine import MachineReader
from vsc.winrt import hresult
from vsc.winrt.buffers import IBuffer, ReadableBuffer, octets
from vsc.winrt.enums import SmartCardStatus
from vsc.winrt.errors import WinRTError
from vsc.winrt.operations import IAsyncOperation, checkpoint, operation
from vsc.winrt.projection import Object, make

if TYPE_CHECKING:
    from vsc.winrt.readers import SmartCardReader

_HEADER_BYTES = 4


class SmartCard(Object):
    """A card, from the time it was put into its reader until it is taken out; put back in, it is another object."""

    def __init__(self, reader: "SmartCardReader", place: MachineReader, insertion: int) -> None:
        self._reader = reader
        self._place = place
        self._insertion = insertion

    def __repr__(self) -> str:
        return f"<SmartCard in {self._place.name!r}>"

    @property
    def reader(self) -> "SmartCardReader":
        return self._reader

    def connect_async(self, /) -> "IAsyncOperation[SmartCardConnection]":
        """A connection that others may have beside it."""

        def connect() -> SmartCardConnection:
            return make(SmartCardConnection, self._place.connect(insertion=self._insertion))

        return operation(connect)

    def get_answer_to_reset_async(self, /) -> IAsyncOperation[IBuffer]:
        def get_answer_to_reset() -> IBuffer:
            atr = self._place.atr
            if atr is None or self._place.insertion != self._insertion:
                raise CardRemoved(f"the card was taken out of {self._place.name!r}")
            return IBuffer(atr)

        return operation(get_answer_to_reset)

    def get_status_async(self, /) -> IAsyncOperation[SmartCardStatus]:
        """DISCONNECTED once the card, or its reader, is gone; no error."""
        return operation(lambda: SmartCardStatus(self._place.card_status(self._insertion).value))


class SmartCardConnection(Object):
    """A connection to a card. Any status word is an answer, not an error; 61xx and 6Cxx are handed on as they are."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._closed = False

    def transmit_async(self, command: ReadableBuffer, /) -> IAsyncOperation[IBuffer]:
        """Sends one command; E_INVALIDARG for one that is shorter than its header, which is not sent."""
        raw = octets(command, "command")
        if len(raw) < _HEADER_BYTES:
            raise WinRTError(hresult.E_INVALIDARG, f"command: a command has {_HEADER_BYTES} bytes at least")
        if self._closed:
            raise WinRTError(hresult.RO_E_CLOSED)

        def transmit() -> IBuffer:
            with self._lock:
                if self._closed:
                    raise WinRTError(hresult.RO_E_CLOSED)
                checkpoint()
                return IBuffer(self._connection.transmit(raw))

        return operation(transmit)

    def close(self, /) -> None:
        """Ends the connection, after a command that runs. Twice is harmless."""
        self._closed = True
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class CardAddedEventArgs(Object):
    def __init__(self, card: SmartCard) -> None:
        self._card = card

    @property
    def smart_card(self) -> SmartCard:
        """The card that came."""
        return self._card


class CardRemovedEventArgs(Object):
    def __init__(self, card: SmartCard) -> None:
        self._card = card

    @property
    def smart_card(self) -> SmartCard:
        """The card that has gone: its status is DISCONNECTED."""
        return self._card
