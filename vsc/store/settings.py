"""What a whole program says once about its store: how durable changes are, and where passphrases come from.

The command line says it for the time of a command (`using`); else VSC_DURABILITY and VSC_PASSPHRASE_FILE do.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from vsc.errors import VscError
from vsc.store.database import Durability
from vsc.text.reading import MAX_SECRET_BYTES, read_file

PASSPHRASE_VARIABLE = "VSC_PASSPHRASE_FILE"
DURABILITY_VARIABLE = "VSC_DURABILITY"

Passphrase = Callable[[], bytes] | bytes | None
"""The passphrase of encrypted cards, or what is called to get it, once, when a card needs it."""


@dataclass(slots=True, repr=False)
class _Said:
    durability: Durability | None = None
    passphrase: Callable[[], bytes] | None = None


_said = _Said()


@contextmanager
def using(*, durability: Durability | None = None, passphrase: Passphrase = None) -> Iterator[None]:
    """Inside the block `vsc.factory.home_store` takes these; None leaves what was said before."""
    before = _said.durability, _said.passphrase
    if durability is not None:
        _said.durability = durability
    if passphrase is not None:
        _said.passphrase = asked_once(passphrase)
    try:
        yield
    finally:
        _said.durability, _said.passphrase = before


def durability() -> Durability:
    """How durable changes are: as was said, or VSC_DURABILITY, or safe from power cuts."""
    if _said.durability is not None:
        return _said.durability
    value = os.environ.get(DURABILITY_VARIABLE) or Durability.POWER_LOSS.value
    try:
        return Durability(value)
    except ValueError:
        words = " or ".join(one.value for one in Durability)
        raise VscError(f"{DURABILITY_VARIABLE} says {value!r}: it must be {words}") from None


def passphrase() -> Callable[[], bytes] | None:
    """Where the passphrase comes from: as was said, or the file that VSC_PASSPHRASE_FILE names, or nowhere."""
    if _said.passphrase is not None:
        return _said.passphrase
    path = os.environ.get(PASSPHRASE_VARIABLE)
    return asked_once(lambda: read_passphrase(Path(path))) if path else None


def asked_once(passphrase: Passphrase) -> Callable[[], bytes] | None:
    """Returns what gives the passphrase, and asks for it the first time only. VscError for an empty one."""
    if passphrase is None:
        return None
    if isinstance(passphrase, bytes):
        return lambda: _checked(passphrase)
    return cache(lambda: _checked(passphrase()))


def _checked(passphrase: bytes) -> bytes:
    if not passphrase:
        raise VscError("a passphrase is not empty")
    return passphrase


def read_passphrase(path: Path) -> bytes:
    """Returns what the file holds, without the end of its line. VscError if it cannot be read."""
    try:
        return read_file(path, MAX_SECRET_BYTES).removesuffix(b"\n").removesuffix(b"\r")
    except OSError as error:
        raise VscError(f"the passphrase file {path} cannot be read: {error.strerror}") from None
