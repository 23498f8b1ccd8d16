"""`vsc load` and `vsc create --pfx` at a terminal: passwords are asked for, hidden, and only where there is one."""

from pathlib import Path

import pytest

from tests.unit.vsc import samples
from tests.unit.vsc.cli.test_terminal import Terminal, pytestmark
from tests.unit.vsc.filling import stuff
from vsc.store.sqlite import SqliteStore
from vsc.store.summary import summarise

__all__ = ["pytestmark"]

PIN = samples.PIN.decode()
PASSWORD = stuff.PASSWORD.decode()


@pytest.fixture
def pfx(tmp_path: Path) -> str:
    path = tmp_path / "ada.pfx"
    path.write_bytes(stuff.pfx())
    return str(path)


def test_password_and_pin_are_asked_for_hidden(home: Path, store: SqliteStore, pfx: str) -> None:
    store.create(samples.image("work"))
    terminal = Terminal(home, "load", "work", "--pfx", pfx)
    terminal.reads("Password of the PFX file: ").types(f"{PASSWORD}\n")
    terminal.reads("PIN: ").types(f"{PIN}\n")
    screen = terminal.ends(0)
    assert "Loaded" in screen
    assert PASSWORD not in screen
    assert PIN not in screen
    assert len(summarise(store.read("work")).containers) == 1


def test_a_wrong_password_is_asked_for_once(home: Path, store: SqliteStore, pfx: str) -> None:
    store.create(samples.image("work"))
    terminal = Terminal(home, "load", "work", "--pfx", pfx).reads("Password of the PFX file: ").types("wrong\n")
    assert "wrong password for the PFX file" in terminal.ends(5)


def test_where_there_is_no_password_nobody_is_asked(home: Path, store: SqliteStore, tmp_path: Path) -> None:
    (tmp_path / "open.pfx").write_bytes(stuff.pfx(password=None))
    terminal = Terminal(home, "create", "new", "--pfx", str(tmp_path / "open.pfx"), "--pin", "default")
    assert "Password" not in terminal.ends(0)
    assert len(summarise(store.read("new")).containers) == 1


def test_the_password_comes_before_the_pin(home: Path, store: SqliteStore, pfx: str) -> None:
    """Who does not know the password shall not think of a PIN first."""
    terminal = Terminal(home, "create", "new", "--pfx", pfx).reads("Password of the PFX file: ").types("wrong\n")
    assert "New PIN" not in terminal.ends(5)
    assert not store.exists("new")
