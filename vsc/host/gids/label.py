"""Names of key containers: what OpenSC shows as the label of a key and its certificate.

A container map has room for 39 characters of UTF-16 (Windows smart card minidriver specification, "Container Map
File"), and Windows finds a container by its name, so no two of a card may be called the same.
"""

import unicodedata
from collections.abc import Collection

from vsc.errors import VscError

MAX_UNITS = 39
"""UTF-16 code units: a character outside the basic plane is two."""


def checked(label: str, taken: Collection[str]) -> str:
    """Returns a label that a person chose, in normal form; VscError if a card cannot have it, or has it already."""
    label = unicodedata.normalize("NFC", label)
    if not label or label != label.strip() or not label.isprintable() or units(label) > MAX_UNITS:
        raise VscError(f"a label has 1 to {MAX_UNITS} printable characters and no blank around it")
    if label in taken:
        raise VscError(f"the card has a container called {label!r} already")
    return label


def fitted(text: str, taken: Collection[str]) -> str:
    """Makes a label of any text: unprintable characters become blanks; it is cut to fit, and numbered if taken."""
    words = "".join(char if char.isprintable() else " " for char in unicodedata.normalize("NFC", text)).split()
    whole = " ".join(words) or "key"
    label, number = _cut(whole, MAX_UNITS), 1
    while label in taken:
        number += 1
        suffix = f" {number}"
        label = _cut(whole, MAX_UNITS - len(suffix)) + suffix
    return label


def units(text: str) -> int:
    """Length in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def _cut(text: str, most: int) -> str:
    while units(text) > most:
        text = text[:-1]
    return text.rstrip()
