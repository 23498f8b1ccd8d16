"""vsc.cli.destroy; its question is in test_terminal.py."""

from pathlib import Path

from tests.unit.vsc import rows
from tests.unit.vsc.cli.shell import Shell
from vsc.store.sqlite import SqliteStore


def test_without_a_question(shell: Shell, work: SqliteStore, home: Path) -> None:
    assert shell.ok("destroy", "work", "--yes") == "Deleted the card 'work'.\n"
    assert not work.exists("work")
    assert sorted(path.name for path in home.iterdir()) == ["cards.db", "cards.lock"]
    shell.fails(4, "destroy", "work", "--yes")


def test_without_a_terminal_it_must_be_said(shell: Shell, work: SqliteStore) -> None:
    assert "no terminal to ask on: say --yes" in shell.fails(2, "destroy", "work", stdin="y\n")
    assert work.exists("work")


def test_a_card_in_use_stays(shell: Shell, work: SqliteStore) -> None:
    with work.open("work"):
        shell.fails(1, "destroy", "work", "--yes")
    assert work.exists("work")


def test_the_others_stay(shell: Shell, work: SqliteStore) -> None:
    shell.ok("create", "other", "--blank")
    shell.ok("destroy", "work", "--yes")
    assert "other" in shell.ok("list")


def test_a_damaged_card_can_go(shell: Shell, work: SqliteStore, home: Path) -> None:
    rows.put(home, b"damaged")
    shell.ok("destroy", "work", "--yes")
    assert not work.exists("work")
