"""Values that every APDU makes: frozen for the type checker, plain at run time.

A frozen dataclass sets each field through `object.__setattr__`, which is most of what it costs to make one. mypy
refuses to assign to a field of these just the same; equality and hash are those of a frozen one.
"""

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(cls: type[T]) -> type[T]:
    """`@dataclass(frozen=True, slots=True)`, where making one is on the way of every command."""
    return dataclass(slots=True, unsafe_hash=True)(cls)
