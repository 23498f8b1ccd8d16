"""Locks (flock) that the system gives back even after SIGKILL, on files of their own: databases have locks, too.

- One a card: whoever holds it, and nobody else, changes the card. Readers need none. In the file stands how often the
  card was changed (`vsc.store.witness`).
- Two a folder, held for a moment: one while the database is made, one while card files of version 0.1 are taken over.
  The second may wait for the first.

That there is one holder is a courtesy: lock files can be removed, and there are file systems that grant every lock.
Who may write is settled where it is written (`vsc.store.schema.change`).
"""

import fcntl
import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vsc.errors import CardInUseError, VscError
from vsc.store.folder import open_file
from vsc.store.name import file_stem
from vsc.store.witness import read_witness, write_witness

MAKING = "cards.lock"
TAKING_OVER = "taking-over.lock"
_ATTEMPTS = 100

_held: "weakref.WeakSet[Hold]" = weakref.WeakSet()


class Hold:
    """A card's lock, held by this process."""

    def __init__(self, descriptor: int, path: Path, name: str) -> None:
        self.path = path
        self._descriptor = descriptor
        self._name = name
        _held.add(self)

    def witness(self) -> int:
        """How often the card was changed, as the lock file knows; 0 if it does not."""
        return read_witness(self._descriptor, self._name)

    def bear_witness(self, revision: int) -> None:
        write_witness(self._descriptor, self._name, revision)

    def let_go(self) -> None:
        if self in _held:
            _held.discard(self)
            os.close(self._descriptor)


def _drop_copies() -> None:
    """In a child just forked: the lock stays held as long as one copy of its descriptor is open."""
    for hold in tuple(_held):
        hold.let_go()


os.register_at_fork(after_in_child=_drop_copies)


@contextmanager
def card_lock(folder: Path, name: str, *, waits: bool = True) -> Iterator[Hold]:
    """Holds a card. CardInUseError at once if somebody else has it.

    waits: a card that is only being taken over is not in use, so wait for that. False for who takes over.
    """
    path = folder / f"{file_stem(name)}.lock"
    descriptor = _try(path, name)
    if descriptor is None and waits and _wait_for_taking_over(folder):
        descriptor = _try(path, name)
    if descriptor is None:
        raise CardInUseError(f"card {name!r} is in use by another process")
    hold = Hold(descriptor, path, name)
    try:
        yield hold
    finally:
        hold.let_go()


def witness_of(folder: Path, name: str) -> int:
    """How often a card was changed, as its lock file knows, whoever holds it; 0 if it does not."""
    try:
        descriptor = open_file(folder, f"{file_stem(name)}.lock", os.O_RDONLY)
    except (OSError, VscError):
        return 0
    try:
        return read_witness(descriptor, name)
    except OSError:
        return 0
    finally:
        os.close(descriptor)


@contextmanager
def folder_lock(folder: Path, kind: str) -> Iterator[None]:
    """Waits for a lock of the folder and holds it. OSError if it cannot be made. kind: MAKING or TAKING_OVER."""
    descriptor = open_file(folder, kind, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _wait_for_taking_over(folder: Path) -> bool:
    """Returns once nobody is taking cards over; False if nobody ever was."""
    try:
        descriptor = open_file(folder, TAKING_OVER, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)
    return True


def _try(path: Path, name: str) -> int | None:
    for _ in range(_ATTEMPTS):
        try:
            descriptor = open_file(path.parent, path.name, os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise VscError(f"card {name!r} cannot be locked: {error.strerror}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except OSError as error:
            os.close(descriptor)
            raise VscError(f"card {name!r} cannot be locked: {error.strerror}") from None
        if _is_at(descriptor, path):
            return descriptor
        # The card was destroyed, and its lock with it, between our open and our lock.
        os.close(descriptor)
    raise VscError(f"card {name!r} cannot be locked: its lock file does not stay in {path.parent}")


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
