"""Telling watchers what comes and goes: every watcher hears the difference between what it was told and what there is.

Whoever sees readers (this process, PC/SC) calls `see` and `lose`; the herald makes changes of it, in which a card
comes only after the one before has gone, and calls the watchers one at a time on a thread of its own. That thread, and
those that look, exist while there are watchers.

A watcher runs in a copy of the context (`contextvars`) in which it was registered, so what was current there, a
machine or whoever answers questions, is current in it.
"""

import threading
from collections.abc import Callable, Iterator
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from queue import SimpleQueue

from vsc.machine.port import Change, ChangeKind, MachineReader, Watcher
from vsc.unraisable import report

CLOSES_WITHIN_S = 5.0
"""How long `close` waits for a watcher that runs; one that never returns is left behind."""


class Herald:
    """Knows what there is, and tells.

    start: called when the first watcher comes; it has the readers that there are seen, and what happens to them from
    then on, and returns what ends that.
    """

    def __init__(self, start: Callable[["Herald"], Callable[[], None]]) -> None:
        self._start = start
        self._entry = threading.RLock()
        """Held while looking starts or ends, which may take long; never while a watcher runs."""
        self._lock = threading.RLock()
        self._now: dict[MachineReader, _Sighting] = {}
        self._subscriptions: tuple[_Subscription, ...] = ()
        self._end_looking: Callable[[], None] | None = None
        self._delivery: _Delivery | None = None
        """The thread that tells, while there are watchers."""
        self._last: threading.Thread | None = None
        """The one before, which may still be inside a watcher: watchers are called one at a time."""

    # --- what is seen

    def see(self, reader: MachineReader, insertion: int | None) -> None:
        """The reader is there, and holds the card of that insertion, or none."""
        new = _Sighting(reader, insertion, None if insertion is None else reader.card_name)
        with self._lock:
            old = self._now.get(reader)
            if old is None:
                self._tell(Change(ChangeKind.READER_ADDED, reader))
            if old is not None and old.insertion not in (None, insertion):
                self._tell(old.card(ChangeKind.CARD_REMOVED))
            if insertion is not None and (old is None or old.insertion != insertion):
                self._tell(new.card(ChangeKind.CARD_ADDED))
            self._now[reader] = new

    def lose(self, reader: MachineReader) -> None:
        """The reader is gone, and its card with it. Harmless if it was never seen."""
        with self._lock:
            old = self._now.pop(reader, None)
            if old is None:
                return
            if old.insertion is not None:
                self._tell(old.card(ChangeKind.CARD_REMOVED))
            self._tell(Change(ChangeKind.READER_REMOVED, old.reader))

    # --- watchers

    def watch(self, watcher: Watcher, *, only: MachineReader | None = None) -> Callable[[], None]:
        """Has `watcher` called with what there is, then with what changes; returns what ends that.

        only: the cards of that reader, and no readers.
        """
        subscription = _Subscription(watcher, only, copy_context())
        with self._entry:
            if self._delivery is None:
                self._delivery = _Delivery(self._last)
            with self._lock:
                for change in self._present():
                    self._delivery.put(change, (subscription,))
                self._subscriptions += (subscription,)
            if self._end_looking is None:
                self._end_looking = self._start(self)

        def end() -> None:
            subscription.is_active = False
            with self._entry:
                with self._lock:
                    self._subscriptions = tuple(one for one in self._subscriptions if one is not subscription)
                    is_last = not self._subscriptions
                if is_last:
                    self._stop()

        return end

    def close(self) -> None:
        """Ends all watching; what was seen before is still told. Waits for a watcher that runs, but not for ever."""
        with self._entry:
            with self._lock:
                self._subscriptions = ()
            thread = self._stop()
        if thread is not None and thread is not threading.current_thread():
            thread.join(CLOSES_WITHIN_S)

    def _stop(self) -> threading.Thread | None:
        end, self._end_looking = self._end_looking, None
        if end is not None:
            end()
        with self._lock:
            delivery, self._delivery = self._delivery, None
            self._now.clear()
        if delivery is None:
            return None
        self._last = delivery.thread
        delivery.end()
        return delivery.thread

    # --- telling

    def _present(self) -> Iterator[Change]:
        for reader, sighting in self._now.items():
            yield Change(ChangeKind.READER_ADDED, reader)
            if sighting.insertion is not None:
                yield sighting.card(ChangeKind.CARD_ADDED)

    def _tell(self, change: Change) -> None:
        if self._delivery is not None:
            self._delivery.put(change, self._subscriptions)


class _Delivery:
    """A thread that calls watchers, in order, and ends once `end` was called and all is told. before: it waits for."""

    def __init__(self, before: threading.Thread | None) -> None:
        self._undelivered: SimpleQueue[tuple[Change, tuple[_Subscription, ...]] | None] = SimpleQueue()
        self._before = before
        self.thread = threading.Thread(target=self._run, name="vsc-herald", daemon=True)
        self.thread.start()

    def put(self, change: Change, subscriptions: tuple["_Subscription", ...]) -> None:
        self._undelivered.put((change, subscriptions))

    def end(self) -> None:
        self._undelivered.put(None)

    def _run(self) -> None:
        if self._before is not None:
            self._before.join()
            self._before = None
        while (told := self._undelivered.get()) is not None:
            change, subscriptions = told
            for subscription in subscriptions:
                subscription.call(change)


@dataclass(frozen=True, slots=True)
class _Sighting:
    reader: MachineReader
    insertion: int | None
    card_name: str | None

    def card(self, kind: ChangeKind) -> Change:
        return Change(kind, self.reader, self.insertion, self.card_name)


@dataclass(eq=False)
class _Subscription:
    watcher: Watcher
    only: MachineReader | None
    context: Context
    is_active: bool = field(default=True)

    def call(self, change: Change) -> None:
        if not self.is_active or not self._concerns(change):
            return
        try:
            self.context.run(self.watcher, change)
        except Exception as error:
            report(error, self.watcher)

    def _concerns(self, change: Change) -> bool:
        if self.only is None:
            return True
        return change.reader == self.only and change.kind in (ChangeKind.CARD_ADDED, ChangeKind.CARD_REMOVED)
