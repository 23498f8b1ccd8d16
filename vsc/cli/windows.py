"""The way Windows' tools take options: `/name VALUE`, in any case, values as words of their own.

`parse` reads a command line by a table that says what each option takes; nothing here knows tpmvscmgr's options.
"""

from collections.abc import Mapping, Sequence
from enum import Enum, auto

Given = Mapping[str, tuple[str, ...]]
"""What was said: option, without the slash and in small letters -> its values."""


class Takes(Enum):
    """What follows an option: nothing, one word, or every word up to the next option."""

    NOTHING = auto()
    ONE = auto()
    MANY = auto()


def parse(words: Sequence[str], table: Mapping[str, Takes]) -> Given:
    """Reads the words by the table. ValueError, naming the option and no value, for whatever does not fit."""
    given: dict[str, tuple[str, ...]] = {}
    rest = list(words)
    while rest:
        option = _option(rest.pop(0), table)
        if option is None:
            raise ValueError(f"a word that belongs to no option; options are {', '.join(f'/{one}' for one in table)}")
        if option in given:
            raise ValueError(f"/{option} is given twice")
        given[option] = _values(rest, table[option], table)
        if not given[option] and table[option] is not Takes.NOTHING:
            raise ValueError(f"/{option} needs a value")
    return given


def _values(rest: list[str], takes: Takes, table: Mapping[str, Takes]) -> tuple[str, ...]:
    """Takes the values off the front of the rest."""
    values: list[str] = []
    while rest and takes is not Takes.NOTHING and _option(rest[0], table) is None:
        values.append(rest.pop(0))
        if takes is Takes.ONE:
            break
    return tuple(values)


def _option(word: str, table: Mapping[str, Takes]) -> str | None:
    name = word.removeprefix("/").lower()
    return name if word.startswith("/") and name in table else None
