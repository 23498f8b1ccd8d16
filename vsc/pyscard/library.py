"""What pyscard has to build on, or where it is not installed the same without its documentation.

HAS_PYSCARD says which. All other modules of this package take these names from here.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Self

T0 = 0x0001
T1 = 0x0002
RAW = 0x0001_0000
"""pyscard's numbers for the protocols, which are not PC/SC lite's."""


class NoCardException(Exception):
    """pyscard's, where there is no pyscard."""

    def __init__(self, message: str = "", hresult: int = -1) -> None:
        super().__init__(message)
        self.hresult = hresult


class CardConnectionException(NoCardException):
    """pyscard's, where there is no pyscard."""


@dataclass
class Event:
    """pyscard's CardConnectionEvent, where there is no pyscard."""

    type: str
    args: list[Any] | None = None


class CardConnection:
    """pyscard's CardConnection, where there is no pyscard: what it does by itself, without its documentation."""

    def __init__(self, reader: str) -> None:
        self.reader = reader
        self.errorcheckingchain: Any = None
        self.defaultprotocol = T0 | T1
        self._observers: list[Any] = []
        self._is_changed = False

    def addObserver(self, observer: Any) -> None:
        if observer not in self._observers:
            self._observers.append(observer)

    def deleteObserver(self, observer: Any) -> None:
        self._observers.remove(observer)

    def countObservers(self) -> int:
        return len(self._observers)

    def setChanged(self) -> None:
        self._is_changed = True

    def notifyObservers(self, event: Any = None) -> None:
        if self._is_changed:
            self._is_changed = False
            for observer in tuple(self._observers):
                observer.update(self, event)

    def getReader(self) -> str:
        return self.reader

    def getProtocol(self) -> int:
        return self.defaultprotocol

    def setProtocol(self, protocol: int) -> None:
        self.defaultprotocol = protocol

    def setErrorCheckingChain(self, errorcheckingchain: Any) -> None:
        self.errorcheckingchain = errorcheckingchain

    def addSWExceptionToFilter(self, exClass: Any) -> None:
        if self.errorcheckingchain is not None:
            self.errorcheckingchain[0].addFilterException(exClass)

    def transmit(self, command: Sequence[int], protocol: int | None = None) -> tuple[list[int], int, int]:
        self._say("command", [command, protocol])
        data, sw1, sw2 = self.doTransmit(command, protocol)
        self._say("response", [data, sw1, sw2])
        if self.errorcheckingchain is not None:
            self.errorcheckingchain[0](data, sw1, sw2)
        return data, sw1, sw2

    def control(self, controlCode: int, command: Sequence[int] | None = None) -> list[int]:
        self._say("command", [controlCode, command or []])
        data = self.doControl(controlCode, command or [])
        self._say("response", data)
        return data

    def getAttrib(self, attribId: int) -> list[int]:
        self._say("attrib", [attribId])
        return self.doGetAttrib(attribId)

    def disconnect(self) -> None:
        raise NotImplementedError

    def doTransmit(self, command: Sequence[int], protocol: int | None = None) -> tuple[list[int], int, int]:
        raise NotImplementedError

    def doControl(self, controlCode: int, command: Sequence[int]) -> list[int]:
        raise NotImplementedError

    def doGetAttrib(self, attribId: int) -> list[int]:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.disconnect()

    def _say(self, kind: str, args: list[Any]) -> None:
        self.setChanged()
        self.notifyObservers(Event(kind, args))


class AbstractReader:
    """pyscard's Reader, for the types' sake."""

    def __init__(self, readername: str) -> None:
        self.name = readername


class AbstractCardRequest:
    """pyscard's AbstractCardRequest, for the types' sake."""

    def __init__(self, newcardonly: bool, readers: Any, cardType: Any, cardServiceClass: Any, timeout: float | None):
        self.newcardonly = newcardonly
        self.readersAsked = readers
        self.cardType = cardType
        self.cardServiceClass = cardServiceClass
        self.timeout = timeout


HAS_PYSCARD = False
scard: Any = None
if not TYPE_CHECKING:  # pyscard has no type information: for the types the stand-ins are good in both cases.
    with suppress(ImportError):
        scard = import_module("smartcard.scard")
        AbstractCardRequest = import_module("smartcard.AbstractCardRequest").AbstractCardRequest
        CardConnection = import_module("smartcard.CardConnection").CardConnection
        Event = import_module("smartcard.CardConnectionEvent").CardConnectionEvent
        NoCardException = import_module("smartcard.Exceptions").NoCardException
        CardConnectionException = import_module("smartcard.Exceptions").CardConnectionException
        AbstractReader = import_module("smartcard.reader.Reader").Reader
        HAS_PYSCARD = True


def pyscard(name: str) -> Any:
    """Returns that module of pyscard."""
    return import_module(f"smartcard.{name}")
