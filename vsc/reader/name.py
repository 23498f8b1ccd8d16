"""What readers are called."""

from collections.abc import Iterable
from itertools import count

from vsc.text.locale_text import locale_problem

_BASE = "Virtual Smart Card"
DEFAULT_NAME = f"{_BASE} 00 00"
MAX_NAME_BYTES = 127
"""PC/SC lite keeps 128 bytes for a name, the last of them zero."""


def checked_name(name: str) -> str:
    """Returns the name; ValueError if it is none."""
    if problem := locale_problem(name):
        raise ValueError(problem)
    if not name.isprintable() or not 1 <= len(name.encode()) <= MAX_NAME_BYTES:
        raise ValueError(f"{name!r} is no name for a reader: 1 to {MAX_NAME_BYTES} bytes of printable UTF-8")
    return name


def free_name(taken: Iterable[str], base: str = _BASE) -> str:
    """The first of `Virtual Smart Card 00 00`, `… 01 00` and so on that is not taken; base: another beginning."""
    names = set(taken)
    return next(name for number in count() if (name := f"{base} {number:02d} 00") not in names)
