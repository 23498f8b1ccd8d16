"""What has changed between two cards, in words: `PIN tries 5 -> 4`, `key 81: none -> RSA 2048`.

The words come from the applications (`card_os.fact`). No secret is in them: of PINs and keys it is said that they
changed, of data how many bytes there are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from card_os.application import Application
from card_os.card import Card
from card_os.fact import Fact, Kind, by_name, described
from card_os.memory import Persistent
from vsc.profiles import PROFILES

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
    return Diff(tuple(_lines(applications_of(before), a, b)))


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
        prefix = _prefix(application, applications)
        facts = application.facts(card.persistent.state(application.aid))
        found |= {prefix + fact.name: fact for fact in facts}
    return found


def _prefix(application: AnyApplication, applications: Sequence[AnyApplication]) -> str:
    return f"{application.name}: " if len(applications) > 1 else ""


def _lines(applications: Sequence[AnyApplication], a: Persistent, b: Persistent) -> Iterator[str]:
    for application in applications:
        states = a.state(application.aid), b.state(application.aid)
        if states[0] == states[1]:
            continue
        prefix = _prefix(application, applications)
        # What an application has no words for, the order of its files for instance, is told by where it stands.
        lines = _changes(*(by_name(application.facts(state)) for state in states)) or _changes(
            *(by_name(described(application.describe(state))) for state in states)
        )
        yield from (prefix + line for line in lines)


def _changes(before: dict[str, Fact], after: dict[str, Fact]) -> list[str]:
    names = [*before, *(name for name in after if name not in before)]
    pairs = ((before.get(name), after.get(name)) for name in names)
    return [line for old, new in pairs if (line := _change(old, new))]


def _change(old: Fact | None, new: Fact | None) -> str:
    """One line; empty if nothing changed, or nothing that another line does not say."""
    fact = new or old
    if fact is None or (old is not None and new is not None and old.value == new.value):
        return ""
    if fact.kind is Kind.FILE:
        return f"{fact.name} {_became(old, new, 'created', 'deleted')}"
    if fact.kind is Kind.SECRET:
        old, new = (None if one is None or one.value is None else one for one in (old, new))
        return f"{fact.name} {_became(old, new, 'set', 'removed')}"
    if fact.kind in (Kind.COUNTER, Kind.RULE) and (old is None or new is None):
        return ""  # It comes and goes with what it belongs to.
    before, after = (one.shown if one is not None else "none" for one in (old, new))
    if before == after:
        return f"{fact.name}: {after}, changed" if after else f"{fact.name} changed"
    return f"{fact.name} {before} -> {after}" if fact.kind is Kind.COUNTER else f"{fact.name}: {before} -> {after}"


def _became(old: Fact | None, new: Fact | None, made: str, gone: str) -> str:
    return made if old is None else gone if new is None else "changed"
