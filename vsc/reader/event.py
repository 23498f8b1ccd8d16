"""What happens to a reader, and who is told."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from vsc.unraisable import report


class EventKind(Enum):
    """What happens to a reader. A card that leaves loses power without a POWERED_OFF; a reset is one event."""

    INSERTED = auto()
    EJECTED = auto()
    COLD_RESET = auto()
    WARM_RESET = auto()
    POWERED_ON = auto()
    POWERED_OFF = auto()


@dataclass(frozen=True, slots=True)
class ReaderEvent:
    """One line of a reader's log."""

    number: int
    """Counts from 1, without gaps, over the life of the reader."""
    reader: str
    kind: EventKind
    insertion: int
    """How many times a card had been inserted when it happened, this event included."""


class Subscription:
    """An observer of a reader, until it is one no longer."""

    def __init__(self, observer: Callable[[ReaderEvent], None]) -> None:
        self._observer = observer
        self.is_active = True

    def call(self, event: ReaderEvent) -> None:
        if not self.is_active:
            return
        try:
            self._observer(event)
        except Exception as error:
            report(error, self._observer)
