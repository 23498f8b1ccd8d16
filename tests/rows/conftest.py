"""A machine of its own for each row's test, with cards in memory; and real worlds for the live rows (worlds.py)."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from card_os.apps.gids.personalisation import personalised
from tests.rows import app, foreign
from tests.rows.foreign import ForeignReader, Neighbourhood, Powered
from tests.unit.vsc.host.cards import LikeTheApplet
from vsc.machine import InProcessMachine, use_everywhere
from vsc.profiles import GIDS
from vsc.store.memory import MemoryStore
from vsc.unraisable import Unraisable
from vsc.world import SeededEnv

PutBeside = Callable[[Any], str]


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InProcessMachine]:
    """This process as a machine, and no other: whatever runs around the tests is not seen."""
    for name in ("VSC_SOCKET", "PCSCLITE_CSOCK_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VSC_HOME", str(tmp_path / "cards"))
    machine = InProcessMachine(MemoryStore(), pcsc=False)
    use_everywhere(machine)
    yield machine
    use_everywhere(None)
    machine.close()


@pytest.fixture
def unraised(monkeypatch: pytest.MonkeyPatch) -> list[Unraisable]:
    """What sys.unraisablehook was given."""
    given: list[Unraisable] = []
    monkeypatch.setattr("sys.unraisablehook", given.append)
    return given


@pytest.fixture
def put_beside(machine: InProcessMachine) -> PutBeside:
    """Puts a card that is not the store's into a foreign reader beside ours; returns the reader's name."""

    def put(card: Any) -> str:
        use_everywhere(Neighbourhood(machine, ForeignReader(card)))
        return foreign.NAME

    return put


@pytest.fixture
def beside(put_beside: PutBeside) -> str:
    """A foreign reader with a GIDS card that has habits of another maker; the admin key is app.KEY."""
    state = personalised(pin=app.PIN.encode(), admin_key=app.KEY, card_id=bytes(range(16)), tries=5)
    return put_beside(Powered(LikeTheApplet(GIDS.card(GIDS.persistent(state), SeededEnv("foreign")))))
