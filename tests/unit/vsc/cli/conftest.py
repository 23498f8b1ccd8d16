"""The command line in process, and a card to use it on."""

import pytest

from tests.unit.vsc import samples
from tests.unit.vsc.cli.shell import Shell
from vsc.store.directory import DirectoryStore


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(capsys, monkeypatch)


@pytest.fixture
def work(store: DirectoryStore) -> DirectoryStore:
    """A store with one operational card, `work`, with an RSA key and its certificate."""
    store.create(samples.image("work", samples.state_with_key()))
    return store
