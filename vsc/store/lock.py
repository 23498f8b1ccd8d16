"""Locks (flock) that the system gives back even after SIGKILL, on files of their own: databases have locks, too.

- One a card: whoever holds it, and nobody else, changes the card. Readers need none.
- Two a folder, held for a moment: one while the database is made, one while card files of version 0.1 are taken over.
  The second may wait for the first.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vsc.errors import CardInUseError, VscError
from vsc.store.name import file_stem

MAKING = "cards.lock"
TAKING_OVER = "taking-over.lock"


@contextmanager
def card_lock(folder: Path, name: str, *, waits: bool = True) -> Iterator[Path]:
    """Holds a card; gives the file of the lock. CardInUseError at once if somebody else has it.

    waits: a card that is only being taken over is not in use, so wait for that. False for who takes over.
    """
    path = folder / f"{file_stem(name)}.lock"
    descriptor = _try(path, name)
    if descriptor is None and waits and _wait_for_taking_over(folder):
        descriptor = _try(path, name)
    if descriptor is None:
        raise CardInUseError(f"card {name!r} is in use by another process")
    try:
        yield path
    finally:
        os.close(descriptor)


@contextmanager
def folder_lock(folder: Path, kind: str) -> Iterator[None]:
    """Waits for a lock of the folder and holds it. OSError if it cannot be made. kind: MAKING or TAKING_OVER."""
    descriptor = os.open(folder / kind, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _wait_for_taking_over(folder: Path) -> bool:
    """Returns once nobody is taking cards over; False if nobody ever was."""
    try:
        descriptor = os.open(folder / TAKING_OVER, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)
    return True


def _try(path: Path, name: str) -> int | None:
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise VscError(f"card {name!r} cannot be locked: {error.strerror}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        if _is_at(descriptor, path):
            return descriptor
        # The card was destroyed, and its lock with it, between our open and our lock.
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
