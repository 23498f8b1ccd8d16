"""pyscard's way to a card, without PC/SC: a connection to a `Reader` of this process.

    connection = Connection(reader)
    connection.connect()
    data, sw1, sw2 = connection.transmit([0x00, 0xA4, 0x04, 0x00])

Where pyscard is installed (extra `virtual-smart-card[pcsc]`) a `Connection` is a `smartcard.CardConnection` and raises
pyscard's exceptions; where it is not, it has the same methods and raises ours. The exceptions are ours in both cases:
CardRemovedError where the card is gone, ReaderError for the rest.

    with registered(reader):
        smartcard.System.readers()

Existing pyscard code finds its cards through `readers()`, `CardRequest` and `CardMonitor`. While `registered` runs it
finds ours, in this process, and only ours: pyscard's own list of readers needs a PC/SC service to be there. For the
readers pyscard has a hook (`ReaderFactory.factorymethods`). For requests it has none, so the one name that
`CardRequest` looks up, `smartcard.CardRequest.PCSCCardRequest`, stands for ours meanwhile. `CardMonitor` keeps one
thread for the whole process; a block has its own, which ends with it. When the last block ends all is as before.

Sharing is between the connections of this module: a connection opened through the private PC/SC service to the same
reader has its own bookkeeping.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import IntEnum
from importlib import import_module
from time import monotonic
from typing import TYPE_CHECKING, Any, NoReturn, Self
from weakref import WeakKeyDictionary, WeakSet

from card_os.atr import Atr
from card_os.wire import WireError
from vsc.readers import CardRemovedError, EventKind, Reader, ReaderError, ReaderEvent

__all__ = ["HAS_PYSCARD", "Connection", "Disposition", "Share", "registered"]

T0 = 0x0001
T1 = 0x0002
RAW = 0x0001_0000
"""pyscard's numbers for the protocols, which are not PC/SC lite's."""


class Share(IntEnum):
    """Who else may connect (SCARD_SHARE_...). DIRECT: to the reader, card or not."""

    EXCLUSIVE = 1
    SHARED = 2
    DIRECT = 3


class Disposition(IntEnum):
    """What becomes of the card (SCARD_..._CARD). Our readers have no motor: EJECT takes only power."""

    LEAVE = 0
    RESET = 1
    UNPOWER = 2
    EJECT = 3


class Attribute(IntEnum):
    """What `getAttrib` knows (SCARD_ATTR_...)."""

    ATR_STRING = 0x0009_0303
    DEVICE_FRIENDLY_NAME = 0x7FFF_0003


class Failure(IntEnum):
    """Return codes of PC/SC (SCARD_...), as the exceptions carry them in `hresult`."""

    E_TIMEOUT = 0x8010_000A
    E_SHARING_VIOLATION = 0x8010_000B
    E_NO_SMARTCARD = 0x8010_000C
    E_PROTO_MISMATCH = 0x8010_000F
    E_UNSUPPORTED_FEATURE = 0x8010_001F
    W_RESET_CARD = 0x8010_0068
    W_REMOVED_CARD = 0x8010_0069

    @property
    def code(self) -> int:
        """The number as pyscard has it here: some systems count it as negative."""
        return int(getattr(scard, f"SCARD_{self.name}", self))


class _NoCardException(Exception):
    """pyscard's, where there is no pyscard."""

    def __init__(self, message: str = "", hresult: int = -1) -> None:
        super().__init__(message)
        self.hresult = hresult


class _CardConnectionException(_NoCardException):
    """pyscard's, where there is no pyscard."""


@dataclass
class _Event:
    """pyscard's CardConnectionEvent, where there is no pyscard."""

    type: str
    args: list[Any] | None = None


class _CardConnection:
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
        self.notifyObservers(_Event(kind, args))


class _Reader:
    """pyscard's Reader, for the types' sake."""

    def __init__(self, readername: str) -> None:
        self.name = readername


class _CardRequest:
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
        _CardRequest = import_module("smartcard.AbstractCardRequest").AbstractCardRequest
        _CardConnection = import_module("smartcard.CardConnection").CardConnection
        _Event = import_module("smartcard.CardConnectionEvent").CardConnectionEvent
        _NoCardException = import_module("smartcard.Exceptions").NoCardException
        _CardConnectionException = import_module("smartcard.Exceptions").CardConnectionException
        _Reader = import_module("smartcard.reader.Reader").Reader
        HAS_PYSCARD = True


class NoCardError(_NoCardException, CardRemovedError):
    """There is no card to connect to."""


class CardGoneError(_CardConnectionException, CardRemovedError):
    """The card that was connected has been taken out, even if there is one again."""


class ConnectionRefusedByCardError(_CardConnectionException, ReaderError):
    """Not connected, not alone, the wrong protocol, reset by another: `hresult` says which."""


class Connection(_CardConnection):
    """A connection to the card in a reader, shaped like pyscard's; its methods' names and values are pyscard's.

    Bound to the card it met: one that is put in later needs a `connect` or `reconnect` of its own. When another
    connection, or whoever has the `Reader`, resets the card or takes its power, this one fails with W_RESET_CARD
    until it reconnects. A connection that is dropped without `disconnect` leaves the card as it is.
    """

    def __init__(self, reader: Reader) -> None:
        super().__init__(reader.name)
        self._slot = reader
        self._share: Share | None = None
        self._disposition = Disposition.UNPOWER
        self._active = 0
        self._insertion: int | None = None
        self._resets = 0
        self._is_released = False

    def connect(self, protocol: int | None = None, mode: int | None = None, disposition: int | None = None) -> None:
        """Connects to the card, which gets power if it has none.

        protocol: a mask; default T=0 or T=1, T=1 if the card has both. mode: `Share`, default SHARED.
        disposition: what `disconnect` does, default UNPOWER. Raises NoCardError, or with E_SHARING_VIOLATION or
        E_PROTO_MISMATCH.
        """
        self._tell("connect")
        self._leave()
        self._is_released = False
        self._join(Share.SHARED if mode is None else Share(mode))
        self._disposition = Disposition.UNPOWER if disposition is None else Disposition(disposition)
        self._meet(Disposition.LEAVE, protocol)

    def reconnect(self, protocol: int | None = None, mode: int | None = None, disposition: int | None = None) -> None:
        """Connects again, to whatever card is in now; disposition: what to do to it first, default a warm RESET."""
        self._tell("reconnect")
        self._check_connected()
        self._join(Share.SHARED if mode is None else Share(mode))
        self._disposition = Disposition.RESET if disposition is None else Disposition(disposition)
        self._meet(self._disposition, protocol)

    def disconnect(self) -> None:
        """Ends the connection and does to the card what was said at `connect`. Harmless when not connected.

        pyscard's card services do this in their finalizer, and a finalizer may run anywhere: inside a command of the
        card or a lock of the reader the card is left as it is.
        """
        if self._share is None:
            return
        self._tell("disconnect")
        insertion = self._insertion
        self._leave()
        with suppress(CardRemovedError):
            if insertion is None or self._disposition is Disposition.LEAVE or self._slot.is_in_use_here:
                return
            if self._disposition is Disposition.RESET:
                self._slot.reset(insertion=insertion)
            else:
                self._slot.power_off(insertion=insertion)

    def release(self) -> None:
        """Disconnects; pyscard would give its PC/SC context back as well."""
        if not self._is_released:
            self._is_released = True
            self._tell("release")
            self.disconnect()

    def getATR(self) -> list[int]:
        """Returns the ATR."""
        self._check_connected()
        try:
            return list(self._slot.atr_of(self._insertion))
        except CardRemovedError as error:
            raise CardGoneError("Failed to get status", Failure.W_REMOVED_CARD.code) from error

    def doTransmit(self, command: Sequence[int], protocol: int | None = None) -> tuple[list[int], int, int]:
        """Sends one C-APDU, whole; returns data, SW1 and SW2. Called by `transmit`, which tells the observers."""
        insertion = self._check_card()
        if protocol not in (None, self._active):
            raise _failed("Failed to transmit", Failure.E_PROTO_MISMATCH)
        try:
            answer = self._slot.transmit(bytes(list(command)), insertion=insertion)
        except CardRemovedError as error:
            raise CardGoneError("Failed to transmit", Failure.W_REMOVED_CARD.code) from error
        if len(answer) < 2:
            raise _failed("Card returned no valid response")
        return list(answer[:-2]), answer[-2], answer[-1]

    def doControl(self, controlCode: int, command: Sequence[int] | None = None) -> list[int]:
        """Sends a control code to the reader; E_UNSUPPORTED_FEATURE if it does not know it."""
        self._check_connected()
        answer = self._slot.control(controlCode, bytes(list(command or [])))
        if answer is None:
            raise _failed("Failed to control", Failure.E_UNSUPPORTED_FEATURE)
        return list(answer)

    def doGetAttrib(self, attribId: int) -> list[int]:
        """Returns the ATR or the reader's name; E_UNSUPPORTED_FEATURE for every other attribute."""
        self._check_connected()
        if attribId == Attribute.ATR_STRING:
            return self.getATR()
        if attribId == Attribute.DEVICE_FRIENDLY_NAME:
            return list(self._slot.name.encode())
        raise _failed("Failed to getAttrib", Failure.E_UNSUPPORTED_FEATURE)

    def _meet(self, disposition: Disposition, protocol: int | None) -> None:
        """Binds to the card that is in now; when that fails, the connection is none."""
        self._insertion = None
        if self._share is Share.DIRECT:
            return
        try:
            insertion = self._slot.insertions
            if disposition is Disposition.LEAVE:
                atr = self._slot.power_on(only_if_off=True, insertion=insertion)
            else:
                atr = self._slot.reset(warm=disposition is Disposition.RESET, insertion=insertion)
            self._active = _choice(atr, protocol or self.getProtocol())
        except CardRemovedError as error:
            self._leave()
            raise NoCardError("Unable to connect", Failure.E_NO_SMARTCARD.code) from error
        except ReaderError:
            self._leave()
            raise
        self._insertion, self._resets = insertion, self._slot.resets
        self.setProtocol(self._active)

    def _join(self, share: Share) -> None:
        """Takes a share of the reader; nobody beside an exclusive one."""
        with _sharing:
            others = {one._share for one in list(_connections.setdefault(self._slot, WeakSet())) if one is not self}
            if Share.EXCLUSIVE in others or (share is Share.EXCLUSIVE and others):
                raise _failed("Unable to connect", Failure.E_SHARING_VIOLATION)
            self._share = share
            _connections[self._slot].add(self)

    def _leave(self) -> None:
        with _sharing:
            _connections.get(self._slot, WeakSet()).discard(self)
            self._share = self._insertion = None

    def _check_connected(self) -> None:
        if self._share is None:
            raise _failed("Card not connected")

    def _check_card(self) -> int:
        """The insertion this connection is bound to."""
        self._check_connected()
        if self._insertion is None:
            raise _failed("Connected to the reader, not to a card", Failure.E_PROTO_MISMATCH)
        if self._insertion == self._slot.insertions and self._resets != self._slot.resets and self._slot.card:
            raise _failed("Failed to transmit", Failure.W_RESET_CARD)
        return self._insertion

    def _tell(self, kind: str) -> None:
        self.setChanged()
        self.notifyObservers(_Event(kind))


_connections: WeakKeyDictionary[Reader, WeakSet[Connection]] = WeakKeyDictionary()
_sharing = threading.RLock()


def _failed(message: str, failure: Failure | None = None) -> ConnectionRefusedByCardError:
    return ConnectionRefusedByCardError(message, -1 if failure is None else failure.code)


def _choice(atr: bytes, wanted: int) -> int:
    """The protocol to use: of those wanted and offered T=1 first, as pcscd has it. RAW is always offered."""
    try:
        offered = sum({0: T0, 1: T1}.get(number, 0) for number in Atr.parse(atr).protocols)
    except WireError:
        offered = T0 | T1  # An ATR that cannot be read rules nothing out.
    for protocol in (T1, T0, RAW):
        if protocol & wanted & (offered | RAW):
            return protocol
    raise _failed("Unable to connect with protocol", Failure.E_PROTO_MISMATCH)


@contextmanager
def registered(*readers: Reader) -> Iterator[None]:
    """Makes pyscard see these readers, and no PC/SC ones, in this process until the block ends.

    Blocks may be nested or overlap: pyscard sees the readers of all. Two of one name: ValueError. Observers of
    CardMonitor and ReaderMonitor belong inside; they hear that the cards are gone when the block ends.
    ReaderError where pyscard is missing.
    """
    if not HAS_PYSCARD:
        raise ReaderError("pyscard is not installed: pip install virtual-smart-card[pcsc]")
    with _registry.block(readers):
        yield


@dataclass
class _Registry:
    """The readers that pyscard sees, and who waits for their cards."""

    blocks: list[tuple[Reader, ...]] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    ticks: int = 0
    """Counts what a card request may wait for: cards in and out, blocks begun and ended."""
    entry: threading.Lock = field(default_factory=threading.Lock)
    undo: Callable[[], None] | None = None

    @property
    def readers(self) -> tuple[Reader, ...]:
        with self.changed:
            return tuple(reader for block in self.blocks for reader in block)

    @contextmanager
    def block(self, readers: tuple[Reader, ...]) -> Iterator[None]:
        with self.entry:
            names = [reader.name for reader in (*self.readers, *readers)]
            if len(set(names)) != len(names):
                raise ValueError(f"two readers of one name: {', '.join(map(repr, sorted(names)))}")
            if self.undo is None:
                self.undo = _install()
            ends = [reader.subscribe(self._on_event) for reader in readers]
            self._change(self.blocks.append, readers)
        try:
            yield
        finally:
            with self.entry:
                for end in ends:
                    end()
                is_last = len(self.blocks) == 1
                monitor = _stopping_monitor() if is_last else None
                self._change(self.blocks.remove, readers)
                if is_last and self.undo is not None:
                    _join(monitor)
                    self.undo()
                    self.undo = None

    def wait(self, ticks: int, deadline: float | None) -> bool:
        """Waits for something after `ticks`; False when the deadline comes first."""
        left_s = None if deadline is None else max(0.0, deadline - monotonic())
        with self.changed:
            return self.changed.wait_for(lambda: self.ticks != ticks, left_s)

    def _on_event(self, event: ReaderEvent) -> None:
        if event.kind in (EventKind.INSERTED, EventKind.EJECTED):
            self._change()

    def _change(self, what: Callable[..., None] = lambda *_: None, *args: object) -> None:
        with self.changed:
            what(*args)
            self.ticks += 1
            self.changed.notify_all()


_registry = _Registry()


class InProcessReader(_Reader):
    """What `smartcard.System.readers()` gives for a reader of this process."""

    def __init__(self, slot: Reader) -> None:
        super().__init__(slot.name)
        self._slot = slot

    def createConnection(self) -> Connection:
        return Connection(self._slot)

    @staticmethod
    def readers(groups: object = None) -> list["InProcessReader"]:
        """The registered ones. Groups play no part, as in PC/SC lite."""
        return [InProcessReader(reader) for reader in _registry.readers]


_Card = tuple[Reader, int, bytes]
"""A card that is in: reader, insertion, ATR."""


class InProcessCardRequest(_CardRequest):
    """What `smartcard.CardRequest.CardRequest` asks while readers are registered. Nothing in it polls."""

    def __init__(
        self,
        newcardonly: bool = False,
        readers: Sequence[Any] | None = None,
        cardType: Any = None,
        cardServiceClass: Any = None,
        timeout: float | None = 1,
    ) -> None:
        super().__init__(newcardonly, readers, cardType, cardServiceClass, timeout)
        self._told: dict[Reader, int] | None = None

    def waitforcard(self) -> Any:
        """Returns the card service for the first card that matches, for a new one only if newcardonly was given."""
        deadline = self._deadline()
        ticks = _registry.ticks
        known = {reader: reader.insertions for reader in _registry.readers} if self.newcardonly else {}
        while True:
            for slot, insertion, atr in self._cards():
                reader = InProcessReader(slot)
                if insertion <= known.get(slot, 0) or not self.cardType.matches(list(atr), reader):
                    continue
                if self.cardServiceClass.supports("dummy"):  # As pyscard asks.
                    return self.cardServiceClass(reader.createConnection())
            if not _registry.wait(ticks, deadline):
                _time_out()
            ticks = _registry.ticks

    def waitforcardevent(self) -> list[Any]:
        """Waits until other cards are in than were told last, or readers come or go; returns those that are in.

        The first call does not wait. A card in the place of another is told in two calls, so that who compares them
        by ATR sees it.
        """
        deadline = self._deadline()
        blocks = list(_registry.blocks)
        while True:
            ticks = _registry.ticks
            cards = self._cards()
            if self._told is not None:
                told = self._told
                cards = [card for card in cards if told.get(card[0], card[1]) == card[1]]
            now = {reader: insertion for reader, insertion, _ in cards}
            if now != self._told or blocks != _registry.blocks:
                self._told = now
                return [_pyscard("Card").Card(reader.name, list(atr)) for reader, _, atr in cards]
            if not _registry.wait(ticks, deadline):
                if not hasattr(_pyscard("CardMonitoring"), "CardRequestTimeoutException"):
                    return [_pyscard("Card").Card(reader.name, list(atr)) for reader, _, atr in cards]
                _time_out()

    def getReaderNames(self) -> list[str]:
        """Returns the names of those asked for, of all if none were named, that are registered."""
        return [reader.name for reader in self._readers()]

    def release(self) -> None:
        """Does nothing: there is no PC/SC context."""

    def _readers(self) -> list[Reader]:
        asked = None if self.readersAsked is None else {str(reader) for reader in self.readersAsked}
        return [reader for reader in _registry.readers if asked is None or reader.name in asked]

    def _cards(self) -> list[_Card]:
        cards = []
        for reader in self._readers():
            insertion = reader.insertions
            with suppress(CardRemovedError):
                cards.append((reader, insertion, reader.atr_of(insertion)))
        return cards

    def _deadline(self) -> float | None:
        return None if self.timeout is None else monotonic() + self.timeout


def _time_out() -> NoReturn:
    raise _pyscard("Exceptions").CardRequestTimeoutException(Failure.E_TIMEOUT.code)


def _pyscard(name: str) -> Any:
    return import_module(f"smartcard.{name}")


def _install() -> Callable[[], None]:
    """Puts ours in the place of pyscard's own: list of readers, card request, monitor. Returns what undoes it."""
    factory, requests = _pyscard("reader.ReaderFactory").ReaderFactory, _pyscard("CardRequest")
    monitoring = _pyscard("CardMonitoring")
    methods, request = list(factory.factorymethods), requests.PCSCCardRequest
    monitor, thread = monitoring.CardMonitor.instance, monitoring.CardMonitoringThread.instance

    factory.factorymethods[:] = [InProcessReader.readers]
    requests.PCSCCardRequest = InProcessCardRequest
    monitoring.CardMonitor.instance = monitoring.CardMonitoringThread.instance = None
    if monitor is not None:
        monitoring.CardMonitor()  # Objects made before look the one monitor up, and must find one.

    def undo() -> None:
        factory.factorymethods[:] = methods
        requests.PCSCCardRequest = request
        monitoring.CardMonitor.instance, monitoring.CardMonitoringThread.instance = monitor, thread

    return undo


def _stopping_monitor() -> threading.Thread | None:
    """The thread of CardMonitor, if there is one; told to stop after the change that comes."""
    thread: threading.Thread | None = _pyscard("CardMonitoring").CardMonitoringThread.instance
    if thread is not None:
        thread.stop()  # type: ignore[attr-defined]
    return thread


MONITOR_STOPS_WITHIN_S = 5.0


def _join(thread: threading.Thread | None) -> None:
    """Waits for the monitor; not for an observer of it that never returns, nor for itself."""
    if thread is not None and thread is not threading.current_thread():
        thread.join(MONITOR_STOPS_WITHIN_S)
