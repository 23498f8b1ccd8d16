"""`SmartCardConnection`: for APDUs."""

import threading
from types import TracebackType
from typing import Self

from vsc.host.connection import Connection
from vsc.winrt import hresult
from vsc.winrt.buffers import IBuffer, ReadableBuffer, octets
from vsc.winrt.errors import WinRTError
from vsc.winrt.operations import IAsyncOperation, checkpoint, operation
from vsc.winrt.projection import Object

_HEADER_BYTES = 4


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
