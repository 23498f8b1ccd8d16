"""Which readers pyscard sees, and who waits for their cards."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

from vsc.pyscard.library import pyscard
from vsc.reader import EventKind, Reader, ReaderEvent


@dataclass
class Registry:
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
    def block(self, readers: tuple[Reader, ...], install: Callable[[], Callable[[], None]]) -> Iterator[None]:
        """Has these readers seen until the block ends; `install` begins that, what it returns ends it."""
        with self.entry:
            names = [reader.name for reader in (*self.readers, *readers)]
            if len(set(names)) != len(names):
                raise ValueError(f"two readers of one name: {', '.join(map(repr, sorted(names)))}")
            if self.undo is None:
                self.undo = install()
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


registry = Registry()


def _stopping_monitor() -> threading.Thread | None:
    """The thread of CardMonitor, if there is one; told to stop after the change that comes."""
    thread: threading.Thread | None = pyscard("CardMonitoring").CardMonitoringThread.instance
    if thread is not None:
        thread.stop()  # type: ignore[attr-defined]
    return thread


MONITOR_STOPS_WITHIN_S = 5.0


def _join(thread: threading.Thread | None) -> None:
    """Waits for the monitor; not for an observer of it that never returns, nor for itself."""
    if thread is not None and thread is not threading.current_thread():
        thread.join(MONITOR_STOPS_WITHIN_S)
