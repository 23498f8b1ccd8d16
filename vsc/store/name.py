"""Names of cards: unique keys that people can tell apart and type. A name never becomes a path."""

import hashlib
import unicodedata

from vsc.errors import VscError
from vsc.text.locale_text import locale_problem

MAX_NAME_CHARACTERS = 80
_PART_BITS = 31


def check_name(name: str) -> str:
    """Returns a card's name in normal form; VscError if people could not tell it or type it."""
    if problem := locale_problem(name):
        raise VscError(problem)
    name = unicodedata.normalize("NFC", name)
    printable = name.isprintable() and name == name.strip()
    if not name or len(name) > MAX_NAME_CHARACTERS or not printable or name.startswith("-"):
        raise VscError(
            f"a card name has 1 to {MAX_NAME_CHARACTERS} printable characters, no blank around it and no leading dash"
        )
    return name


def file_stem(name: str) -> str:
    """Returns what the files of a card are called, without suffix: the start of the SHA-256 of its name."""
    return hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:32]


def row_number(name: str) -> int:
    """Returns the number of a card's row in the database, 0 to 2^63 - 1: the start of the SHA-256 of its name."""
    return int.from_bytes(hashlib.sha256(name.encode(errors="surrogatepass")).digest()[:8], "big") >> 1


def part_numbers(name: str) -> range:
    """The numbers that rows with parts of a card can have. Cards may share them, so rows say whose they are, too."""
    first = row_number(name) >> _PART_BITS << _PART_BITS
    return range(first, first + (1 << _PART_BITS))
