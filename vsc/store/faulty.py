"""A store whose writes fail: to see what a program makes of a full disk, a lost answer, a power cut.

    store = FaultyStore(MemoryStore(), {3: Fault.REFUSED})
    with powered("work", store=store) as card: ...     the third change is answered 6581

A store is transactional, so a write can go wrong in these ways only; none leaves half a card.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from enum import Enum

from vsc.errors import CardLocked, ImageError
from vsc.store import Image, OpenCard, Store


class Fault(Enum):
    """What happens to a write."""

    REFUSED = "refused"
    """Nothing is written, and OSError says so: a full disk."""
    UNANSWERED = "unanswered"
    """It is written, but OSError says that it is not: a disk whose answer was lost."""
    CUT_BEFORE = "cut before"
    """The power goes before it is written: `PowerCut`."""
    CUT_AFTER = "cut after"
    """The power goes once it is written, and nobody hears of it: `PowerCut`."""


class PowerCut(BaseException):
    """The power is gone. Not an Exception: nothing that handles errors runs any more."""


class FaultyStore:
    """Another store, with faults at some of its writes.

    faults: by number of the write, 1 for the first one that goes through any card opened here. After a power cut
    every write is one. `writes` counts them, `attempts` has the images that came.
    """

    def __init__(self, store: Store, faults: Mapping[int, Fault]) -> None:
        self._store = store
        self._faults = faults
        self._is_cut = False
        self.attempts: list[Image] = []

    @property
    def writes(self) -> int:
        return len(self.attempts)

    def images(self) -> Iterator[Image | ImageError | CardLocked]:
        return self._store.images()

    def exists(self, name: str) -> bool:
        return self._store.exists(name)

    def read(self, name: str) -> Image:
        return self._store.read(name)

    def create(self, image: Image) -> None:
        self._store.create(image)

    def destroy(self, name: str) -> None:
        self._store.destroy(name)

    def open(self, name: str) -> AbstractContextManager[OpenCard]:
        return self._open(name)

    @contextmanager
    def _open(self, name: str) -> Iterator[OpenCard]:
        with self._store.open(name) as card:
            yield _FaultyCard(card, self)

    def write(self, card: OpenCard, image: Image) -> None:
        """One write, with the fault that is due."""
        if self._is_cut:
            raise PowerCut
        self.attempts.append(image)
        fault = self._faults.get(self.writes)
        self._is_cut = fault in (Fault.CUT_BEFORE, Fault.CUT_AFTER)
        if fault in (None, Fault.UNANSWERED, Fault.CUT_AFTER):
            card.save(image)
        if self._is_cut:
            raise PowerCut
        if fault is not None:
            raise OSError(f"write {self.writes}: {fault.value}")


class _FaultyCard:
    def __init__(self, card: OpenCard, store: FaultyStore) -> None:
        self._card = card
        self._store = store

    @property
    def image(self) -> Image:
        return self._card.image

    def save(self, image: Image) -> None:
        self._store.write(self._card, image)
