"""The connection itself."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import IntEnum
from weakref import WeakKeyDictionary, WeakSet

from card_os.atr import Atr
from card_os.wire import WireError
from vsc.pcsc.codes import Disposition
from vsc.pcsc.codes import ShareMode as Share
from vsc.pyscard.failure import (
    CardGoneError,
    Failure,
    HeldByAnotherError,
    NoCardError,
    NoServiceError,
    NotAnsweredError,
    failed,
)
from vsc.pyscard.library import RAW, T0, T1, CardConnection, Event
from vsc.reader import CardRemovedError, NotTransactedError, Reader, ReaderError, ServiceGoneError, SharedError


class Attribute(IntEnum):
    """What `getAttrib` knows (SCARD_ATTR_...)."""

    ATR_STRING = 0x0009_0303
    DEVICE_FRIENDLY_NAME = 0x7FFF_0003


class Connection(CardConnection):  # type: ignore[misc]  # pyscard has no types.
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
        self.join(Share.SHARED if mode is None else Share(mode))
        self._disposition = Disposition.UNPOWER if disposition is None else Disposition(disposition)
        self._meet(Disposition.LEAVE, protocol)

    def reconnect(self, protocol: int | None = None, mode: int | None = None, disposition: int | None = None) -> None:
        """Connects again, to whatever card is in now; disposition: what to do to it first, default a warm RESET."""
        self._tell("reconnect")
        self._check_connected()
        self.join(Share.SHARED if mode is None else Share(mode))
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
        sent = bytes(list(command))
        with _as_pyscard():
            if self._share is not None:
                self._slot.announce(sent)
            insertion = self._check_card()
            if protocol not in (None, self._active):
                raise failed("Failed to transmit", Failure.E_PROTO_MISMATCH)
            answer = self._slot.transmit(sent, insertion=insertion, announced=True)
        if len(answer) < 2:
            raise failed("Card returned no valid response")
        return list(answer[:-2]), answer[-2], answer[-1]

    def doControl(self, controlCode: int, command: Sequence[int] | None = None) -> list[int]:
        """Sends a control code to the reader; E_UNSUPPORTED_FEATURE if it does not know it."""
        self._check_connected()
        answer = self._slot.control(controlCode, bytes(list(command or [])))
        if answer is None:
            raise failed("Failed to control", Failure.E_UNSUPPORTED_FEATURE)
        return list(answer)

    def doGetAttrib(self, attribId: int) -> list[int]:
        """Returns the ATR or the reader's name; E_UNSUPPORTED_FEATURE for every other attribute."""
        self._check_connected()
        if attribId == Attribute.ATR_STRING:
            return self.getATR()
        if attribId == Attribute.DEVICE_FRIENDLY_NAME:
            return list(self._slot.name.encode())
        raise failed("Failed to getAttrib", Failure.E_UNSUPPORTED_FEATURE)

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

    def join(self, share: Share) -> None:
        """Takes a share of the reader; nobody beside an exclusive one."""
        with _sharing:
            others = {one._share for one in list(_connections.setdefault(self._slot, WeakSet())) if one is not self}
            if Share.EXCLUSIVE in others or (share is Share.EXCLUSIVE and others):
                raise failed("Unable to connect", Failure.E_SHARING_VIOLATION)
            self._share = share
            _connections[self._slot].add(self)

    def _leave(self) -> None:
        with _sharing:
            _connections.get(self._slot, WeakSet()).discard(self)
            self._share = self._insertion = None

    def _check_connected(self) -> None:
        if self._share is None:
            raise failed("Card not connected")

    def _check_card(self) -> int:
        """The insertion this connection is bound to."""
        self._check_connected()
        if self._insertion is None:
            raise failed("Connected to the reader, not to a card", Failure.E_PROTO_MISMATCH)
        if self._insertion == self._slot.insertions and self._resets != self._slot.resets and self._slot.card:
            raise failed("Failed to transmit", Failure.W_RESET_CARD)
        return self._insertion

    def _tell(self, kind: str) -> None:
        self.setChanged()
        self.notifyObservers(Event(kind))


_connections: WeakKeyDictionary[Reader, WeakSet[Connection]] = WeakKeyDictionary()
_sharing = threading.RLock()


@contextmanager
def _as_pyscard() -> Iterator[None]:
    """What comes in place of an answer, as pyscard's exceptions."""
    text = "Failed to transmit"
    try:
        yield
    except CardRemovedError as error:
        raise CardGoneError(text, Failure.W_REMOVED_CARD.code) from error
    except NotTransactedError as error:
        raise NotAnsweredError(text, Failure.E_NOT_TRANSACTED.code) from error
    except SharedError as error:
        raise HeldByAnotherError(text, Failure.E_SHARING_VIOLATION.code) from error
    except ServiceGoneError as error:
        raise NoServiceError(text, Failure.E_NO_SERVICE.code) from error


def _choice(atr: bytes, wanted: int) -> int:
    """The protocol to use: of those wanted and offered T=1 first, as pcscd has it. RAW is always offered."""
    try:
        offered = sum({0: T0, 1: T1}.get(number, 0) for number in Atr.parse(atr).protocols)
    except WireError:
        offered = T0 | T1  # An ATR that cannot be read rules nothing out.
    for protocol in (T1, T0, RAW):
        if protocol & wanted & (offered | RAW):
            return protocol
    raise failed("Unable to connect with protocol", Failure.E_PROTO_MISMATCH)
