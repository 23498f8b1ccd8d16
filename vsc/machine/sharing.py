"""Who uses a card through the connections of this process: the shares, the exclusive one, the transaction.

Bookkeeping for each stay of a card in a `vsc.reader.Reader`; a card that comes next starts with none. PC/SC has its
own: what connects to the same reader through `vsc.pcsc` is not counted here, and shares the card by its turns alone.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from weakref import ReferenceType, WeakKeyDictionary, WeakSet, ref

from vsc.errors import SharingViolation
from vsc.reader import EventKind, Reader


class Holder:
    """One share. is_exclusive: nobody else may have one."""

    def __init__(self, *, is_exclusive: bool) -> None:
        self.is_exclusive = is_exclusive


class Sharing:
    """The shares of one stay of one card."""

    def __init__(self, reader: Reader, insertion: int) -> None:
        self.insertion = insertion
        self._reader: ReferenceType[Reader] = ref(reader)
        self._changed = threading.Condition()
        self._holders: WeakSet[Holder] = WeakSet()
        self._owner: Holder | None = None
        self._depth = 0

    @property
    def is_shared(self) -> bool:
        return bool(self._holders)

    @property
    def is_exclusive(self) -> bool:
        with self._changed:
            return any(holder.is_exclusive for holder in self._holders)

    def join(self, *, exclusive: bool) -> Holder:
        """Takes a share. SharingViolation beside an exclusive one, or for an exclusive one beside any."""
        with self._changed:
            if any(one.is_exclusive or exclusive for one in self._holders):
                raise SharingViolation("another program has the card for itself" if not exclusive else _IN_USE)
            holder = Holder(is_exclusive=exclusive)
            self._holders.add(holder)
            return holder

    def leave(self, holder: Holder) -> None:
        """Gives a share back, with its transactions. Twice is harmless."""
        with self._changed:
            self._holders.discard(holder)
            if self._owner is holder:
                self._owner, self._depth = None, 0
                self._changed.notify_all()

    @contextmanager
    def turn(self, holder: Holder) -> Iterator[None]:
        """Nobody else's commands run meanwhile. Waits for other turns; may be nested.

        When the card leaves, nobody waits any more: the command that follows says that it is gone.
        """
        has_turn = self._try(holder) or self._wait(holder)
        try:
            yield
        finally:
            if has_turn:
                self._end(holder)

    def _try(self, holder: Holder) -> bool:
        with self._changed:
            if self._owner not in (None, holder):
                return False
            self._owner = holder
            self._depth += 1
            return True

    def _wait(self, holder: Holder) -> bool:
        with self._woken_by_removal() as is_over, self._changed:
            self._changed.wait_for(lambda: is_over() or self._owner is None)
            return not is_over() and self._try(holder)

    @contextmanager
    def _woken_by_removal(self) -> Iterator[Callable[[], bool]]:
        reader = self._reader()
        assert reader is not None  # Who waits got here through it.

        def is_over() -> bool:
            return reader.card is None or reader.insertions != self.insertion

        def wake(_: object) -> None:
            with self._changed:
                self._changed.notify_all()

        end = reader.subscribe(lambda event: wake(event) if event.kind is EventKind.EJECTED else None)
        try:
            yield is_over
        finally:
            end()

    def _end(self, holder: Holder) -> None:
        with self._changed:
            if self._owner is not holder:
                return  # It has left meanwhile.
            self._depth -= 1
            if self._depth == 0:
                self._owner = None
                self._changed.notify_all()


_IN_USE = "another program uses the card: it cannot be had for oneself"
_stays: WeakKeyDictionary[Reader, Sharing] = WeakKeyDictionary()
_stays_lock = threading.Lock()


def sharing_of(reader: Reader, insertion: int) -> Sharing:
    """The bookkeeping for that stay; a new one for a stay that has none, or that is over."""
    with _stays_lock:
        known = _stays.get(reader)
        if known is not None and known.insertion == insertion:
            return known
        new = Sharing(reader, insertion)
        if known is None or known.insertion < insertion:
            _stays[reader] = new
        return new
