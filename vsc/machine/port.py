"""What a machine is to whoever manages cards: readers that come and go, with a card in them or not.

A `Machine` is a place where cards are plugged in. There are several (`vsc.machine`): this process alone, the service
of a surrounding `vsc run`, the vpcd of pcscd. All list the readers of PC/SC, too, where there are any.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from vsc.host.connection import Connection
from vsc.store import Store


class ReaderKind(Enum):
    """VIRTUAL: a reader of ours, with a card of the store or for one; PHYSICAL: any other reader of PC/SC."""

    VIRTUAL = auto()
    PHYSICAL = auto()


class ReaderStatus(Enum):
    """As WinRT has it (winrt-smartcards.md 6.3). DISCONNECTED: the reader is gone."""

    DISCONNECTED = 0
    READY = 1
    EXCLUSIVE = 2


class CardStatus(Enum):
    """As WinRT has it (winrt-smartcards.md 6.3). DISCONNECTED: no card, or not the one that was asked about."""

    DISCONNECTED = 0
    READY = 1
    SHARED = 2
    EXCLUSIVE = 3
    UNRESPONSIVE = 4


class ChangeKind(Enum):
    """What happens to a reader, seen from outside."""

    READER_ADDED = auto()
    READER_REMOVED = auto()
    CARD_ADDED = auto()
    CARD_REMOVED = auto()


@dataclass(frozen=True, slots=True)
class Change:
    """One event. insertion, card_name: of the card that came or went; None for a reader.

    card_name: as MachineReader.card_name was when the card came.
    """

    kind: ChangeKind
    reader: "MachineReader"
    insertion: int | None = None
    card_name: str | None = None


Watcher = Callable[[Change], None]


class MachineReader(Protocol):
    """One reader. Equal to another object that stands for the same reader of the same machine."""

    @property
    def name(self) -> str:
        """As PC/SC programs see it."""
        ...

    @property
    def id(self) -> str:
        """Opaque; the same in every process and run for a reader of that name."""
        ...

    @property
    def kind(self) -> ReaderKind: ...

    @property
    def card_name(self) -> str | None:
        """The name in the store of the card that is in it, or was when a reader that is gone went; None: not ours."""
        ...

    @property
    def insertion(self) -> int | None:
        """A number for the card's stay in the reader, another one for each stay; None: empty, or reader gone."""
        ...

    @property
    def atr(self) -> bytes | None: ...

    def status(self) -> ReaderStatus:
        """Never raises."""
        ...

    def card_status(self, insertion: int | None = None) -> CardStatus:
        """Never raises. With `insertion`: DISCONNECTED unless that very card is in."""
        ...

    def connect(self, *, exclusive: bool = False, insertion: int | None = None) -> Connection:
        """CardRemoved, SharingViolation, CardUnresponsive, ReaderNotFoundError."""
        ...

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Calls `watcher` with CARD_ADDED and CARD_REMOVED, strictly in turn; returns what ends that.

        On a thread of the machine, never the caller's. A card that is in already is told of as added. A reader that
        goes takes its card with it: CARD_REMOVED. What `watcher` raises goes to sys.unraisablehook.
        """
        ...


class Machine(Protocol):
    """A place with readers."""

    @property
    def store(self) -> Store: ...

    def readers(self) -> tuple[MachineReader, ...]: ...

    def plug(self, card_name: str) -> MachineReader:
        """Adds a virtual reader with that card of the store in it; when it returns, programs can see both.

        CardNotFoundError, CardInUseError.
        """
        ...

    def unplug(self, card_name: str) -> None:
        """Takes the reader away, with its card; when it returns, programs can see that. CardNotFoundError."""
        ...

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """As MachineReader.watch, for every reader that there is or will be, and for readers themselves."""
        ...

    def close(self) -> None:
        """Unplugs all that this machine object plugged in, and ends its threads."""
        ...
