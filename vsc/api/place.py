"""Where a handle finds its card: in a reader of the machine, or in a store.

A `Place` gives the reader that the card is in, for as long as it is needed. A card of a store is in one already, of
this machine, or is put into one of its own for that time: whoever talks to a card talks to a `MachineReader`.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol
from weakref import WeakSet

from vsc.errors import CardInUseError, CardNotFoundError, CardRemoved
from vsc.machine import MachineReader, current
from vsc.machine.own import OwnReader
from vsc.machine.plugged import PluggedCard
from vsc.reader import Reader
from vsc.store import Store

_held: WeakSet[Reader] = WeakSet()
"""The readers that were made here, so that no two have one name: they may be put into the same service."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A reader, and which stay of a card in it is meant (None: whatever card is in). is_ours: made for this handle."""

    reader: MachineReader
    insertion: int | None = None
    is_ours: bool = False


class Place(Protocol):
    """Where a card is."""

    def enter(self) -> AbstractContextManager[Spot]:
        """Gives the reader with the card, while the block lasts."""
        ...


class InReader:
    """The card that is in a reader of the machine now, and no other that may follow it. CardRemoved if it is empty."""

    def __init__(self, reader: MachineReader, insertion: int | None = None) -> None:
        self._spot = Spot(reader, reader.insertion if insertion is None else insertion)
        if self._spot.insertion is None:
            raise CardRemoved(f"there is no card in {reader.name!r}")

    @contextmanager
    def enter(self) -> Iterator[Spot]:
        yield self._spot


class InStore:
    """A card of a store, wherever it is plugged in. CardNotFoundError, CardInUseError, ImageError, CardLocked."""

    def __init__(self, name: str, store: Store) -> None:
        self.name = name
        self.store = store
        self.is_deleted = False

    @contextmanager
    def enter(self) -> Iterator[Spot]:
        self.check_exists()
        try:
            card = PluggedCard(self.name, store=self.store, reader_name=_free_name())
        except CardInUseError:
            reader = plugged_in(self.name, self.store)
            if reader is None:
                raise
            yield Spot(reader, reader.insertion)
            return
        _held.add(card.reader)
        try:
            yield Spot(OwnReader(card.reader, card_name=self.name), is_ours=True)
        finally:
            _held.discard(card.reader)
            card.give_back()

    def check_exists(self) -> None:
        """A card that was deleted does not come back with another one of its name."""
        if self.is_deleted:
            raise CardNotFoundError(f"the card {self.name!r} was deleted")


def plugged_in(name: str, store: Store) -> MachineReader | None:
    """Returns the reader of this machine with that card of that store; None if it is in none."""
    machine = current()
    if not is_same_store(machine.store, store):
        return None
    return next((reader for reader in machine.readers() if reader.card_name == name), None)


def is_same_store(one: Store, other: Store) -> bool:
    """Whether two objects keep the same cards."""
    folders = getattr(one, "folder", None), getattr(other, "folder", None)
    return one is other or (folders[0] is not None and folders[0] == folders[1])


def _free_name() -> str:
    names = {reader.name for reader in _held}
    return next(name for name in map("Virtual Smart Card {:02d} 00".format, range(1000)) if name not in names)
