"""What a request may need of the world before it can be answered.

A handler that needs nothing returns its reply. One that does is a generator: it yields a `CardCall`, to be run with
the engine's lock released (a card may compute for seconds), or a `HoldBack`, to be waited out; and it is resumed with
what came of it.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class CardCall:
    """Run `run`, without the lock; resume with its result, or throw what it raised."""

    run: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class HoldBack:
    """Wait until the connection `may_go_on`; resume with False, or with True if limit_s has passed first.

    limit_s: None for no limit.
    """

    limit_s: float | None = None


Todo = CardCall | HoldBack
Task = Generator[Todo, Any, bytes]
Answer = bytes | Task
"""What a handler gives back."""
