"""The history of a card: operations one after the other, run on a `SoftCard` through the host's half.

    history = History((Block(), Reset("2468"), Verify()))
    for step in history.walk(card):
        print(step)

`vsc.testing.strategies.card_histories` draws them; `operation` has what they are made of.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from vsc.errors import VscError
from vsc.testing.card import SoftCard
from vsc.testing.operation import Operation
from vsc.testing.player import Player, player


@dataclass(frozen=True, slots=True)
class Step:
    """An operation that has been tried. error: None if the card did it."""

    operation: Operation
    error: VscError | None = None

    @property
    def is_done(self) -> bool:
        return self.error is None

    def __str__(self) -> str:
        return f"{self.operation}: {self.error or 'done'}"


@dataclass(frozen=True, slots=True)
class History:
    """Operations in order; its str is one line for each. `History() + other` joins two."""

    operations: tuple[Operation, ...] = ()

    def walk(self, card: SoftCard) -> Iterator[Step]:
        """Does one operation for each step that is asked for; the card gets its power before the first one.

        A refusal by the card ends its operation, not the history. What is no VscError goes through.
        """
        host = player(card)
        for operation in self.operations:
            yield _step(operation, host)

    def run(self, card: SoftCard) -> tuple[Step, ...]:
        """Does all of it."""
        return tuple(self.walk(card))

    def __add__(self, other: Self) -> "History":
        return History(self.operations + other.operations)

    def __len__(self) -> int:
        return len(self.operations)

    def __str__(self) -> str:
        return "\n".join(map(str, self.operations)) or "nothing"


def _step(operation: Operation, host: Player) -> Step:
    try:
        operation.run(host)
    except VscError as error:
        return Step(operation, error)
    return Step(operation)
