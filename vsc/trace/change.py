"""What a command has changed of what a card keeps, in words: `PIN tries 5 -> 4`, `key 81: none -> RSA 2048`.

The words come from the applications (`card_os.fact`). No secret is in them: of PINs and keys it is said that they
changed, of data how many bytes there are.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from card_os.application import Application
from card_os.fact import Fact, Kind, by_name, described
from card_os.memory import Persistent

AnyApplication = Application[Any, Any]


def prefix(application: AnyApplication, applications: Sequence[AnyApplication]) -> str:
    """What stands before the facts of an application where a card has several."""
    return f"{application.name}: " if len(applications) > 1 else ""


def changes(applications: Sequence[AnyApplication], a: Persistent, b: Persistent) -> Iterator[str]:
    """What differs between two states of one card, a line each. applications: those that it carries."""
    for application in applications:
        states = a.state(application.aid), b.state(application.aid)
        if states[0] == states[1]:
            continue
        front = prefix(application, applications)
        # What an application has no words for, the order of its files for instance, is told by where it stands.
        lines = _changes(*(by_name(application.facts(state)) for state in states)) or _changes(
            *(by_name(described(application.describe(state))) for state in states)
        )
        yield from (front + line for line in lines)


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
