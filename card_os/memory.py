"""What a card keeps: one frozen value, and the one door through which it changes.

`Persistent` is the whole permanent state of a card: what an image stores and what two snapshots are compared by. The
kernel does not look into the state of an application; it holds one comparable value for each AID.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from card_os.sw import SW, CardError


@dataclass(frozen=True, slots=True)
class Persistent:
    """One value for each application, by full AID."""

    applications: tuple[tuple[bytes, object], ...] = ()

    def state(self, aid: bytes) -> object:
        """Returns the state of the application; KeyError if the card does not carry it."""
        for name, state in self.applications:
            if name == aid:
                return state
        raise KeyError(aid.hex())

    def with_state(self, aid: bytes, state: object) -> "Persistent":
        """Returns a copy in which the application has another state."""
        self.state(aid)
        return replace(self, applications=tuple((n, state if n == aid else s) for n, s in self.applications))


class Memory:
    """Holds the current `Persistent`; `commit` is the only way to change it."""

    __slots__ = ("_store", "around", "persistent")

    def __init__(self, persistent: Persistent, store: Callable[[Persistent], None]) -> None:
        self.persistent = persistent
        """As it is now; only what is below sets it."""
        self._store = store
        self.around: Callable[[Callable[[], None]], None] | None = None
        """Called in place of each commit, with the function that makes it; None: nobody looks on."""

    def commit(self, new: Persistent) -> None:
        """Makes a change permanent: when this returns, the store has it. 6581, and no change, if the store failed."""
        if new == self.persistent:
            return
        if self.around is None:
            self._commit(new)
        else:
            self.around(lambda: self._commit(new))

    def replace(self, new: Persistent) -> None:
        """Puts another state in place of this one: no commit of a command. What the store raises goes through."""
        self._store(new)
        self.persistent = new

    def _commit(self, new: Persistent) -> None:
        try:
            self._store(new)
        except OSError as error:
            raise CardError(SW.MEMORY_FAILURE, f"the change could not be stored: {error}") from error
        self.persistent = new
