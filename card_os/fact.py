"""What a card keeps, fact by fact: named for people, comparable for programs, and with no secret to be seen.

Every application gives its state so (`Application.facts`). Differences between two cards and the rules that a power
cut must not break are read from facts, so that they know no application by name.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum


class Kind(Enum):
    """What a fact is about."""

    COUNTER = "counter"
    """Tries that are left: the value is an int."""
    SECRET = "secret"
    """A PIN or a symmetric key; the fact is missing, or its value None, if there is none."""
    KEY = "key"
    """A private key; the fact is missing if there is none."""
    OBJECT = "object"
    """Data that hosts keep on the card."""
    FILE = "file"
    """That there is a place for keys or objects."""
    RULE = "rule"
    """Who may do what, and what else the card goes by: life cycle, access rules, policies, limits."""


@dataclass(frozen=True, slots=True)
class Fact:
    """name: unique in its application. value: comparable. shown: what people may see of it; empty: nothing."""

    kind: Kind
    name: str
    value: object = field(repr=False)
    shown: str = ""


def described(description: object, path: tuple[str, ...] = ()) -> Iterator[Fact]:
    """The facts of any description (`Application.describe`), leaf by leaf.

    It cannot know what is secret in it: of numbers only those of tries are shown, and of texts nothing.
    """
    name = " ".join(path).replace("_", " ")
    if isinstance(description, Mapping):
        for word, value in description.items():
            yield from described(value, (*path, str(word)))
    elif isinstance(description, list) and not all(isinstance(one, str) for one in description):
        for number, value in enumerate(description, 1):
            yield from described(value, (*path, str(number)))
    elif isinstance(description, int) and path and path[-1] == "tries_left":
        yield Fact(Kind.COUNTER, " ".join((*path[:-1], "tries")).replace("_", " "), description, str(description))
    elif isinstance(description, list):
        yield Fact(Kind.OBJECT, name, tuple(description))
    else:
        shows = isinstance(description, bool) or (path and path[-1] == "try_limit")
        yield Fact(Kind.RULE, name, description, str(description) if shows else "")


def by_name(facts: Iterable[Fact]) -> dict[str, Fact]:
    return {fact.name: fact for fact in facts}
