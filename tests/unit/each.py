"""A sweep is one test: a test with a loop, which says at which value it failed."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def each(values: Iterable[T]) -> Iterator[T]:
    """Gives the values and prints each. pytest shows what a failed test has printed: the last line is the culprit."""
    for value in values:
        print(repr(value)[:200])  # noqa: T201
        yield value
