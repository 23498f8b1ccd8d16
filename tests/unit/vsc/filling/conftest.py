"""A card to fill, and its host."""

from collections.abc import Callable

import pytest

from card_os.apps.gids.state import GidsState
from card_os.card import Card
from card_os.memory import Persistent
from tests.unit.vsc import samples
from vsc.host import DirectConnection, Gids
from vsc.profiles import GIDS
from vsc.world import SeededEnv


class Bench:
    """A card in memory. commits: how often it wrote; full: tells for each number whether the store has no room."""

    def __init__(self, state: GidsState) -> None:
        self.commits = 0
        self.full: Callable[[int], bool] = lambda _: False
        self.card: Card = GIDS.card(GIDS.persistent(state), SeededEnv("bench"), store=self._save)
        self.gids = Gids.connect(DirectConnection(self.card))

    def _save(self, persistent: Persistent) -> None:
        self.commits += 1
        if self.full(self.commits):
            raise OSError(28, "No space left on device")

    @property
    def state(self) -> GidsState:
        (found,) = (state for _, state in self.card.persistent.applications if isinstance(state, GidsState))
        return found


@pytest.fixture
def bench() -> Bench:
    return Bench(samples.state())


@pytest.fixture
def gids(bench: Bench) -> Gids:
    return bench.gids
