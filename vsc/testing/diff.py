"""What has changed between two cards, in words: `PIN tries 5 -> 4`, `key 81: none -> RSA 2048`.

The words are those of traces (`vsc.trace.change`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from card_os.application import Application
from card_os.card import Card
from card_os.fact import Fact
from card_os.memory import Persistent
from vsc.profiles import PROFILES
from vsc.trace.change import changes, prefix

AnyApplication = Application[Any, Any]


class HasState(Protocol):
    """A `SoftCard`, a `Snapshot`, a `card_os` card, an image of a store."""

    @property
    def persistent(self) -> Persistent: ...


@dataclass(frozen=True, slots=True)
class Diff:
    """The lines; falsy if there is none."""

    lines: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.lines)

    def __iter__(self) -> Iterator[str]:
        return iter(self.lines)

    def __len__(self) -> int:
        return len(self.lines)

    def __str__(self) -> str:
        return "\n".join(self.lines)


def diff(before: HasState, after: HasState) -> Diff:
    """Compares what two cards keep, which may be one card at two moments. ValueError if they are of two kinds."""
    a, b = before.persistent, after.persistent
    if a == b:
        return Diff()
    if [aid for aid, _ in a.applications] != [aid for aid, _ in b.applications]:
        raise ValueError("these are cards with different applications")
    return Diff(tuple(changes(applications_of(before), a, b)))


def applications_of(card: HasState) -> Sequence[AnyApplication]:
    """The applications that a card carries, in its own order."""
    if isinstance(card, Card):
        return card.applications
    profile = getattr(card, "profile", None)
    if profile is not None:
        return tuple(profile.applications)
    known = {one.aid: one for one in PROFILES.applications}
    return [known[aid] for aid, _ in card.persistent.applications]


def facts_of(card: HasState) -> dict[str, Fact]:
    """All facts of a card by name, as the lines of a `diff` name them."""
    applications = applications_of(card)
    found: dict[str, Fact] = {}
    for application in applications:
        front = prefix(application, applications)
        facts = application.facts(card.persistent.state(application.aid))
        found |= {front + fact.name: fact for fact in facts}
    return found
