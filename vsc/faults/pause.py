"""The wait of a slow card, which ends early when the card is taken out, or nobody wants it any more."""

import threading
from collections.abc import Callable

from vsc.reader import EventKind, Reader, ReaderEvent

Wait = Callable[[float], object]
"""Waits so many seconds, or makes believe."""


class Pauses:
    """All waits under way in the readers of one plan."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: set[threading.Event] = set()
        self.ends = 0
        """How often all have been ended: who has seen fewer when it was decided to wait need not begin."""

    def end_all(self) -> None:
        with self._lock:
            self.ends += 1
            for one in self._under_way:
                one.set()

    def wait(self, reader: Reader, seconds: float, wait: Wait | None, ends: int) -> bool:
        """Waits, by `wait` if there is one. False if the card was taken out meanwhile. ends: as many as were seen."""
        stay = reader.insertions
        if wait is None:
            self._wait(reader, seconds, stay, ends)
        else:
            wait(seconds)
        return _is_in(reader, stay)

    def _wait(self, reader: Reader, seconds: float, stay: int, ends: int) -> None:
        over = threading.Event()

        def observe(event: ReaderEvent) -> None:
            if event.kind is EventKind.EJECTED:
                over.set()

        unsubscribe = reader.subscribe(observe)
        with self._lock:
            self._under_way.add(over)
            if self.ends != ends:
                over.set()
        try:
            if _is_in(reader, stay):
                over.wait(seconds)
        finally:
            unsubscribe()
            with self._lock:
                self._under_way.discard(over)


def _is_in(reader: Reader, stay: int) -> bool:
    """Whether that stay of a card still lasts."""
    return reader.card is not None and reader.insertions == stay
