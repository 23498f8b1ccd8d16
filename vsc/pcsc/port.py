"""What handlers know of the engine that runs them."""

from collections.abc import Iterable
from typing import Protocol

from vsc.pcsc.connection import Connection
from vsc.pcsc.slot import Handle, Slot


class ResourceManager(Protocol):
    """The resource manager's books, and whom it must tell of a change. `vsc.pcsc.engine.Engine` is one."""

    contexts: dict[int, Connection]
    handles: dict[int, Handle]
    """All that are open, of whatever connection."""
    reader_events: int

    @property
    def entries(self) -> int:
        """How many entries of the array a 4:6 client is told."""
        ...

    def array(self, entries: int) -> bytes:
        """The readers' states, as clients read them."""
        ...

    def slot_named(self, name: bytes) -> Slot | None: ...

    def new_number(self, taken: Iterable[int]) -> int:
        """A random number from 1 to 0x7FFFFFFF that is not taken."""
        ...

    def catch_up(self, slot: Slot) -> None:
        """Takes over what has happened to a reader."""
        ...

    def signal(self) -> None:
        """Tells everybody who waits for a change."""
        ...

    def wake(self, slot: Slot) -> None:
        """Lets those in the queue for a reader look again."""
        ...

    def news_of(self, connection: Connection) -> None:
        """That connection has something to send."""
        ...

    def go_away(self, *, comes_back: bool) -> None:
        """All clients must go."""
        ...

    def fault(self, fault: Exception) -> None:
        """Keeps what a card has raised, which it must not."""
        ...
