"""A VSC_HOME of its own for each test."""

from pathlib import Path

import pytest

from vsc.store.sqlite import SqliteStore


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder with the cards; it does not exist yet."""
    folder = tmp_path / "cards"
    monkeypatch.setenv("VSC_HOME", str(folder))
    return folder


@pytest.fixture
def store(home: Path) -> SqliteStore:
    return SqliteStore(home)


@pytest.fixture(autouse=True)
def _no_home_by_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that forgets `home` must not find, or change, the cards of whoever runs it."""
    monkeypatch.setenv("VSC_HOME", str(tmp_path / "forgotten"))
