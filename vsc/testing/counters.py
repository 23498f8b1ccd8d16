"""Retry counters anywhere in the state of a card: what may change although a command was refused."""

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace

from card_os.memory import Persistent

_COUNTER, _LIMIT = "tries_left", "try_limit"


def without_counters(state: Persistent) -> Persistent:
    """The state as it would be with no tries counted, of whatever applications: for comparisons."""
    return _mapped(state, lambda _: 0)  # type: ignore[return-value]


def counters(state: Persistent) -> tuple[tuple[int, int | None], ...]:
    """Every (tries left, limit) in the state, always in the same order; limit None: unlimited."""
    return tuple(_found(state))


def _found(value: object) -> Iterator[tuple[int, int | None]]:
    if isinstance(value, tuple):
        for one in value:
            yield from _found(one)
    elif is_dataclass(value) and not isinstance(value, type):
        if hasattr(value, _COUNTER):
            yield getattr(value, _COUNTER), getattr(value, _LIMIT)
        for field in fields(value):
            yield from _found(getattr(value, field.name))


def _mapped(value: object, count: Callable[[int], int]) -> object:
    if isinstance(value, tuple):
        return tuple(_mapped(one, count) for one in value)
    if not is_dataclass(value) or isinstance(value, type):
        return value
    if hasattr(value, _COUNTER):
        return replace(value, **{_COUNTER: count(getattr(value, _COUNTER))})
    # Only what holds a counter somewhere is made anew: the rest of a tree stays the same objects.
    new = {field.name: _mapped(getattr(value, field.name), count) for field in fields(value)}
    changed = {name: one for name, one in new.items() if one != getattr(value, name)}
    return replace(value, **changed) if changed else value
