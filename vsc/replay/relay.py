"""A card in any PC/SC reader, seen as a card of ours: put into a reader of ours, all that passes can be followed.

    with Relay("ACME Reader 00 00") as reader:     # that reader's name and, while it has one, its card
        ...

The way there is libpcsclite and the PC/SC service of this process: pcscd, or the `vsc run` or `vsc serve` around us.
The card is taken for ourselves alone where that can be had, for other programs'
commands would be missing in a record. Else it is shared, and a command that meets another program's reset fails.
"""

import weakref
from contextlib import suppress
from types import TracebackType
from typing import Any

from vsc.errors import CardRemoved, LostCardError, ReaderNotFoundError, SharingViolation, VscError
from vsc.machine.pcsc import Pcsc
from vsc.machine.pcsc_watch import PcscWatch
from vsc.machine.winscard import Context, failure, scard
from vsc.reader import CardRemovedError, NotTransactedError, Reader, SharedError


def reader_with_card(name: str | None = None) -> str:
    """The PC/SC reader of that name, if there is a card in it; without a name the only one that has a card.

    NoPcscError, ReaderNotFoundError, CardRemoved; VscError if more than one has a card.
    """
    with Context() as context:
        states = context.look_at_all()
    if name is not None and name not in states:
        there = ", ".join(map(repr, states)) or "none"
        raise ReaderNotFoundError(f"there is no PC/SC reader {name!r}; there is: {there}")
    found = [one for one, state in states.items() if state.is_present and name in (None, one)]
    if not found:
        where = "in any PC/SC reader" if name is None else f"in {name!r}"
        raise CardRemoved(f"there is no card {where}")
    if len(found) > 1:
        raise VscError(f"several readers have a card: say which with --reader: {', '.join(map(repr, found))}")
    return found[0]


class RelayCard:
    """A `PoweredCard`: the one in that PC/SC reader. Without power nobody is kept from it.

    Raises CardRemovedError, SharedError, NotTransactedError; NoPcscError if there is no PC/SC.
    """

    def __init__(self, reader_name: str) -> None:
        self._scard = scard()
        self._name = reader_name
        self._context = Context()
        self._release = weakref.finalize(self, self._context.close)
        self._card: Any = None
        self._pci: Any = None
        self._mode = self._scard.SCARD_SHARE_EXCLUSIVE
        try:
            state = self._context.look([reader_name])[reader_name]
            if not state.is_present:
                raise CardRemovedError(f"there is no card in {reader_name!r}")
        except BaseException:
            self.close()
            raise
        self._atr = state.atr

    def __repr__(self) -> str:
        return f"<RelayCard in {self._name!r}>"

    @property
    def atr(self) -> bytes:
        return self._atr

    def power_on(self) -> bytes:
        if self._card is None:
            self._connect()
            if self._mode == self._scard.SCARD_SHARE_SHARED:
                return self._atr  # Others use it: a reset would take from them what they have proven.
        return self.reset()

    def power_off(self) -> None:
        if self._card is not None:
            card, self._card = self._card, None
            is_ours = self._mode == self._scard.SCARD_SHARE_EXCLUSIVE
            # Fails only where the card is gone.
            self._scard.SCardDisconnect(
                card, self._scard.SCARD_UNPOWER_CARD if is_ours else self._scard.SCARD_LEAVE_CARD
            )

    def reset(self) -> bytes:
        if self._card is None:
            return self.power_on()
        self._reconnect(self._scard.SCARD_RESET_CARD)
        return self._atr

    def transmit(self, command: bytes) -> bytes:
        if self._card is None:
            self.power_on()
        rv, response = self._scard.SCardTransmit(self._card, self._pci, list(command))
        if rv == self._scard.SCARD_W_RESET_CARD:
            self._reconnect(self._scard.SCARD_LEAVE_CARD)
        self._check(rv)
        return bytes(byte & 0xFF for byte in response)

    def close(self) -> None:
        """Gives the card back to whoever else wants it."""
        self.power_off()
        self._release()

    def _connect(self) -> None:
        s = self._scard
        for self._mode in (s.SCARD_SHARE_EXCLUSIVE, s.SCARD_SHARE_SHARED):
            rv, card, protocol = s.SCardConnect(self._context.handle, self._name, self._mode, self._protocols)
            if rv != s.SCARD_E_SHARING_VIOLATION:
                break
        self._check(rv)
        self._card = card
        self._connected(protocol)

    def _reconnect(self, how: int) -> None:
        rv, protocol = self._scard.SCardReconnect(self._card, self._mode, self._protocols, how)
        self._check(rv)
        self._connected(protocol)

    @property
    def _protocols(self) -> int:
        return int(self._scard.SCARD_PROTOCOL_T0 | self._scard.SCARD_PROTOCOL_T1)

    def _connected(self, protocol: int) -> None:
        is_t0 = protocol == self._scard.SCARD_PROTOCOL_T0
        self._pci = self._scard.SCARD_PCI_T0 if is_t0 else self._scard.SCARD_PCI_T1
        rv, _, _, _, atr = self._scard.SCardStatus(self._card)
        self._check(rv)
        self._atr = bytes(byte & 0xFF for byte in atr)

    def _check(self, rv: int) -> None:
        """What PC/SC says, in a reader's words."""
        if rv == self._scard.SCARD_S_SUCCESS:
            return
        error = failure(rv, self._name)
        match error:
            case CardRemoved() | ReaderNotFoundError():
                raise CardRemovedError(str(error))
            case SharingViolation():
                raise SharedError(str(error))
            case _:
                raise NotTransactedError(str(error))


class Relay:
    """A reader of ours that has what a PC/SC reader has, under its name; cards that come and go there do so here.

    reader_name: None: the one that has a card. Raises what `reader_with_card` does.
    """

    def __init__(self, reader_name: str | None = None) -> None:
        self.name = reader_with_card(reader_name)
        self.reader = Reader(self.name)
        self._pcsc = Pcsc()
        self._watch = PcscWatch(self._pcsc, see=self._see, lose=lambda name: self._see(name, None))
        self._stay: int | None = None

    def __enter__(self) -> Reader:
        """Begins; when it returns the card is in the reader."""
        state = self._pcsc.state(self.name)
        if state is None or not state.is_present:
            raise CardRemoved(f"there is no card in {self.name!r}")
        self._see(self.name, self._pcsc.insertion(self.name, state))
        self._watch.start()
        return self.reader

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watch.stop()
        self._see(self.name, None)
        self._pcsc.close()

    def _see(self, name: str, stay: int | None) -> None:
        """Does here what has happened there. stay: the number of the card's stay, None: there is no card."""
        if name != self.name or stay == self._stay:
            return
        self._stay = stay
        with suppress(CardRemovedError):
            self.reader.eject()  # It is powered off once its last command has ended, and so given back.
        # It may be gone again by now: we are told of that next.
        with suppress(LostCardError, ReaderNotFoundError):
            if stay is not None:
                self.reader.insert(RelayCard(name))
