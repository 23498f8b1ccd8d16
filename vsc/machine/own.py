"""A reader of this process as a machine's reader: no PC/SC, no socket."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from threading import Lock
from types import TracebackType
from typing import Self

from vsc.errors import CardRemoved, CardUnresponsive, ReaderNotFoundError
from vsc.host.connection import Connection
from vsc.machine.herald import Herald
from vsc.machine.name import reader_id
from vsc.machine.port import CardStatus, ReaderKind, ReaderStatus, Watcher
from vsc.machine.sharing import Sharing, sharing_of
from vsc.reader import EventKind, Reader, ReaderEvent

_bases = count(1 << 32, 1 << 32)
"""Where the insertions of each reader begin: a reader that takes the name of an old one must not repeat its numbers."""


class OwnReader:
    """A `MachineReader` over a `vsc.reader.Reader`.

    card_name: of the card in the store that it was plugged in with. herald: of the machine that it belongs to; without
    one it tells its watchers itself.
    """

    def __init__(self, reader: Reader, *, card_name: str | None = None, herald: Herald | None = None) -> None:
        self.slot = reader
        self._card_name = card_name
        self._herald = herald or Herald(lambda herald: follow(self, herald))
        self._base = next(_bases)
        self._is_gone = False

    def __repr__(self) -> str:
        return f"<OwnReader {self.name!r}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OwnReader) and other.slot is self.slot and other._base == self._base

    def __hash__(self) -> int:
        return hash(self._base)

    @property
    def name(self) -> str:
        return self.slot.name

    @property
    def id(self) -> str:
        return reader_id(self.name)

    @property
    def kind(self) -> ReaderKind:
        return ReaderKind.VIRTUAL

    @property
    def card_name(self) -> str | None:
        return self._card_name

    @property
    def insertion(self) -> int | None:
        stay = self._stay()
        return None if stay is None else self.numbered(stay)

    @property
    def atr(self) -> bytes | None:
        return None if self._is_gone else self.slot.atr

    def numbered(self, stay: int) -> int:
        """The machine's number for the `stay`-th card of the slot."""
        return self._base + stay

    def unplug(self) -> None:
        """From now on the reader is gone. Its card is for the caller to take out."""
        self._is_gone = True

    def status(self) -> ReaderStatus:
        if self._is_gone:
            return ReaderStatus.DISCONNECTED
        stay = self._stay()
        if stay is not None and sharing_of(self.slot, stay).is_exclusive:
            return ReaderStatus.EXCLUSIVE
        return ReaderStatus.READY

    def card_status(self, insertion: int | None = None) -> CardStatus:
        stay = self._stay()
        if stay is None or insertion not in (None, self.numbered(stay)):
            return CardStatus.DISCONNECTED
        if not self.slot.atr:
            return CardStatus.UNRESPONSIVE if self.slot.card is not None else CardStatus.DISCONNECTED
        sharing = sharing_of(self.slot, stay)
        if sharing.is_exclusive:
            return CardStatus.EXCLUSIVE
        return CardStatus.SHARED if sharing.is_shared else CardStatus.READY

    def connect(self, *, exclusive: bool = False, insertion: int | None = None) -> Connection:
        if self._is_gone:
            raise ReaderNotFoundError(f"the reader {self.name!r} is gone")
        stay = self._stay()
        if stay is None:
            raise CardRemoved(f"there is no card in {self.name!r}")
        if insertion not in (None, self.numbered(stay)):
            raise CardRemoved(f"the card was taken out of {self.name!r}, and another put in")
        return OwnConnection(self.slot, stay, exclusive=exclusive)

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        return self._herald.watch(watcher, only=self)

    def _stay(self) -> int | None:
        stay = self.slot.insertions  # First: a card that comes between the two lines is another stay.
        return None if self._is_gone or self.slot.card is None else stay


class OwnConnection:
    """A `Connection` to one stay of a card in a `Reader`. What ends it: CardRemoved, CardWasReset."""

    def __init__(self, reader: Reader, stay: int, *, exclusive: bool = False) -> None:
        self._slot = reader
        self._stay = stay
        self._sharing: Sharing = sharing_of(reader, stay)
        self._holder = self._sharing.join(exclusive=exclusive)
        self._is_closed = False
        try:
            self._atr = reader.power_on(only_if_off=True, insertion=stay)
            if not self._atr:
                raise CardUnresponsive(f"the card in {reader.name!r} does not answer to reset")
        except BaseException:
            self.close()
            raise
        self._resets = reader.resets

    @property
    def atr(self) -> bytes:
        return self._atr

    def transmit(self, command: bytes) -> bytes:
        self._check_open()
        with self._sharing.turn(self._holder):
            return self._slot.transmit(command, insertion=self._stay, resets=self._resets)

    def transaction(self) -> AbstractContextManager[None]:
        self._check_open()
        return self._transaction()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._sharing.turn(self._holder):
            self._slot.used()
            end = self._slot.watch_transactions(lambda: True)
            try:
                yield
            finally:
                end()

    def close(self) -> None:
        self._is_closed = True
        self._sharing.leave(self._holder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._is_closed:
            raise ValueError("the connection is closed")


def follow(reader: OwnReader, herald: Herald) -> Callable[[], None]:
    """Has the herald see the reader, and each card that comes and goes; returns what ends that, and loses the reader.

    Not one stay is missed, however short.
    """
    lock = Lock()
    seen = 0
    has_ended = False

    def observe(event: ReaderEvent) -> None:
        with lock:
            # Observers are called late: what happened before the first look below is in it already.
            if has_ended or event.number <= seen:
                return
            if event.kind is EventKind.INSERTED:
                herald.see(reader, reader.numbered(event.insertion))
            elif event.kind is EventKind.EJECTED:
                herald.see(reader, None)

    def end() -> None:
        nonlocal has_ended
        unsubscribe()
        with lock:
            has_ended = True
            herald.lose(reader)

    with lock:
        unsubscribe = reader.slot.subscribe(observe)
        last = next(reversed(reader.slot.events), None)
        seen = 0 if last is None else last.number
        is_empty = last is None or last.kind is EventKind.EJECTED
        herald.see(reader, None if last is None or is_empty else reader.numbered(last.insertion))
    return end
