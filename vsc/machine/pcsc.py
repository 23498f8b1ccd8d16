"""Any reader of PC/SC as a machine's reader: pcscd's, those of a `vsc run` around us, or of a service of our own.

    pcsc = Pcsc()
    for name in pcsc.states(): ...
    PcscReader(pcsc, "Virtual PCD 00 00").connect()

The number of a card's stay is PC/SC's count of cards that came and went in that reader, with our count of the
reader's own lives above it: a reader that is unplugged, or a service that is restarted, begins to count anew. That
it was is known if somebody watches, or looked at the reader in between.
"""

import threading
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from time import monotonic
from types import TracebackType
from typing import Any, Self

from vsc.errors import CardRemoved, LostCardError, NoPcscError, ReaderNotFoundError, SharingViolation
from vsc.host.connection import Connection
from vsc.machine.herald import Herald
from vsc.machine.name import reader_id
from vsc.machine.port import CardStatus, ReaderKind, ReaderStatus, Watcher
from vsc.machine.winscard import Context, State, UnknownReader, failure, scard

_LIFE_SHIFT = 16


class Pcsc:
    """PC/SC as this process reaches it. All that ask share one context, which is made anew when the service was
    restarted. Safe to use from several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._context: Context | None = None
        self._lives: Counter[str] = Counter()
        self._known: set[str] = set()

    def states(self) -> dict[str, State]:
        """What there is now, by the readers' names. NoPcscError."""
        with self._lock:
            states = self._ask(Context.look_at_all)
            self._note(states)
            return states

    def state(self, name: str) -> State | None:
        """What that reader looks like now; None if there is none. NoPcscError."""
        with self._lock:
            try:
                state = self._ask(lambda context: context.look([name]))[name]
            except UnknownReader:
                self._die({name})
                return None
            self._known.add(name)
            return state

    def insertion(self, name: str, state: State) -> int | None:
        """The number of the card's stay; None if there is no card."""
        return 1 + self._lives[name] << _LIFE_SHIFT | state.counter if state.is_present else None

    def look(self, context: Context) -> dict[str, State]:
        """`states` for who has a context of its own. NoPcscError."""
        # With the lock: looks are noted in the order in which they were taken.
        with self._lock:
            states = context.look_at_all()
            self._note(states)
            return states

    def wait_for(self, condition: Callable[[dict[str, State]], bool], timeout_s: float) -> bool:
        """Waits until what there is meets the condition: True; False when the time ends first. NoPcscError."""
        deadline = monotonic() + timeout_s
        with Context() as context:
            while True:  # Until it is true, or time is up.
                reader_events = context.reader_events()
                states = self.look(context)
                if condition(states):
                    return True
                if (left_s := deadline - monotonic()) <= 0:
                    return False
                with suppress(UnknownReader):
                    context.wait(states, reader_events, timeout_s=left_s)

    def lose(self) -> None:
        """The service is gone, and every reader with it."""
        with self._lock:
            self._drop()
            self._note({})

    def close(self) -> None:
        """Gives the context back; a new one is made when it is needed."""
        with self._lock:
            self._drop()

    def _ask(self, question: Callable[[Context], dict[str, State]]) -> dict[str, State]:
        """Asks once more, with a new context, if the old one leads nowhere: the service may have been restarted."""
        if self._context is not None:
            try:
                return question(self._context)
            except NoPcscError:
                self._drop()
                self._note({})
        self._context = Context()
        return question(self._context)

    def _note(self, states: dict[str, State]) -> None:
        self._die(self._known - states.keys())
        self._known |= states.keys()

    def _die(self, names: set[str]) -> None:
        self._lives.update(names & self._known)
        self._known -= names

    def _drop(self) -> None:
        context, self._context = self._context, None
        if context is not None:
            context.close()


@dataclass(frozen=True, slots=True)
class Description:
    """What is known of a reader beyond PC/SC. card_name: of the card in the store that is in it."""

    kind: ReaderKind = ReaderKind.PHYSICAL
    card_name: str | None = None


UNKNOWN = Description()


class PcscReader:
    """A `MachineReader` over PC/SC.

    herald: of the machine that it belongs to. describe: says what is known of the reader of that name.
    """

    def __init__(
        self, pcsc: Pcsc, name: str, *, herald: Herald, describe: Callable[[str], Description] = lambda _: UNKNOWN
    ) -> None:
        self._pcsc = pcsc
        self._name = name
        self._herald = herald
        self._describe = describe
        self._known = describe(name)
        """What was known of it last: a reader that is gone is what it was."""

    def __repr__(self) -> str:
        return f"<PcscReader {self.name!r}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PcscReader) and (other._pcsc, other._name) == (self._pcsc, self._name)

    def __hash__(self) -> int:
        return hash(self._name)

    @property
    def name(self) -> str:
        return self._name

    @property
    def id(self) -> str:
        return reader_id(self._name)

    @property
    def kind(self) -> ReaderKind:
        return self._description().kind

    @property
    def card_name(self) -> str | None:
        return self._description().card_name

    @property
    def insertion(self) -> int | None:
        state = self._state()
        return None if state is None else self._pcsc.insertion(self._name, state)

    @property
    def atr(self) -> bytes | None:
        state = self._state()
        return state.atr if state is not None and state.is_present else None

    def status(self) -> ReaderStatus:
        state = self._state()
        if state is None or not state.is_working:
            return ReaderStatus.DISCONNECTED
        return ReaderStatus.EXCLUSIVE if state.has("EXCLUSIVE") else ReaderStatus.READY

    def card_status(self, insertion: int | None = None) -> CardStatus:
        state = self._state()
        if state is None or not state.is_present:
            return CardStatus.DISCONNECTED
        if insertion not in (None, self._pcsc.insertion(self._name, state)):
            return CardStatus.DISCONNECTED
        if state.has("MUTE"):
            return CardStatus.UNRESPONSIVE
        if state.has("EXCLUSIVE"):
            return CardStatus.EXCLUSIVE
        return CardStatus.SHARED if state.has("INUSE") else CardStatus.READY

    def connect(self, *, exclusive: bool = False, insertion: int | None = None) -> Connection:
        connection = PcscConnection(self._name, exclusive=exclusive)
        # Looked at when connected: had the card been changed before, the count would tell; afterwards, the handle.
        if insertion is not None and insertion != self.insertion:
            connection.close()
            raise CardRemoved(f"the card was taken out of {self._name!r}, and another put in")
        return connection

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        return self._herald.watch(watcher, only=self)

    def _description(self) -> Description:
        now = self._describe(self._name)
        if now != UNKNOWN or self._state() is not None:
            self._known = now
        return self._known

    def _state(self) -> State | None:
        with suppress(NoPcscError):
            return self._pcsc.state(self._name)
        return None


class PcscConnection:
    """A `Connection` over PC/SC, with a context of its own: who waits for the card holds up nobody else.

    Raises ReaderNotFoundError, CardRemoved, SharingViolation, CardUnresponsive.
    """

    def __init__(self, reader_name: str, *, exclusive: bool = False) -> None:
        self._scard = scard()
        self._name = reader_name
        self._depth = 0
        try:
            context = Context()
        except NoPcscError as error:
            raise ReaderNotFoundError(f"there is no reader {reader_name!r}: {error}") from None
        mode = self._scard.SCARD_SHARE_EXCLUSIVE if exclusive else self._scard.SCARD_SHARE_SHARED
        protocols = self._scard.SCARD_PROTOCOL_T0 | self._scard.SCARD_PROTOCOL_T1
        rv, self._card, protocol = self._scard.SCardConnect(context.handle, reader_name, mode, protocols)
        if rv != self._scard.SCARD_S_SUCCESS:
            context.close()
            raise failure(rv, reader_name)
        is_t0 = protocol == self._scard.SCARD_PROTOCOL_T0
        self._pci = self._scard.SCARD_PCI_T0 if is_t0 else self._scard.SCARD_PCI_T1
        # A connection that is forgotten must not keep the card for ever.
        self._release = weakref.finalize(self, _disconnect, self._scard, self._card, context)
        try:
            self._atr = self._ask_atr()
        except BaseException:
            self.close()
            raise

    @property
    def atr(self) -> bytes:
        return self._atr

    def transmit(self, command: bytes) -> bytes:
        self._check_open()
        try:
            return self._send(command)
        except SharingViolation:
            # Somebody else has a transaction; its end is waited for by beginning one.
            with self.transaction():
                return self._send(command)

    def transaction(self) -> AbstractContextManager[None]:
        self._check_open()
        return self._transaction()

    def close(self) -> None:
        self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        if self._depth == 0:
            self._check(self._scard.SCardBeginTransaction(self._card))
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if self._depth == 0 and self._release.alive:
                # Fails only when the card is gone, and who uses it next is told.
                self._scard.SCardEndTransaction(self._card, self._scard.SCARD_LEAVE_CARD)

    def _send(self, command: bytes) -> bytes:
        rv, response = self._scard.SCardTransmit(self._card, self._pci, list(command))
        self._check(rv)
        if len(response) < 2:
            # vpcd 3.3 succeeds with no bytes at all when the card leaves in the middle of a command.
            raise LostCardError(f"the card in {self._name!r} gave no answer")
        return bytes(byte & 0xFF for byte in response)

    def _ask_atr(self) -> bytes:
        rv, _, _, _, atr = self._scard.SCardStatus(self._card)
        self._check(rv)
        return bytes(atr)

    def _check(self, rv: int) -> None:
        if rv != self._scard.SCARD_S_SUCCESS:
            raise failure(rv, self._name)

    def _check_open(self) -> None:
        if not self._release.alive:
            raise ValueError("the connection is closed")


def _disconnect(scard: Any, card: Any, context: Context) -> None:
    scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)
    context.close()
