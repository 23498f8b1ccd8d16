"""The command line in process, and a card to use it on."""

from collections.abc import Iterator

import pytest

from tests.unit.vsc import samples
from tests.unit.vsc.cli.shell import Shell
from vsc.machine import InProcessMachine, use
from vsc.store.sqlite import SqliteStore


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(capsys, monkeypatch)


@pytest.fixture
def work(store: SqliteStore) -> SqliteStore:
    """A store with one operational card, `work`, with an RSA key and its certificate."""
    store.create(samples.image("work", samples.state_with_key()))
    return store


@pytest.fixture
def machine(store: SqliteStore) -> Iterator[InProcessMachine]:
    """A machine without PC/SC, which the command line uses."""
    one = InProcessMachine(store, pcsc=False)
    with use(one):
        yield one
    one.close()
