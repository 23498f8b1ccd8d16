"""vsc.cli.destroy; its question is in test_terminal.py."""

from pathlib import Path

from tests.unit.vsc.cli.shell import Shell
from vsc.store.directory import DirectoryStore


def test_without_a_question(shell: Shell, work: DirectoryStore, home: Path) -> None:
    assert shell.ok("destroy", "work", "--yes") == "Deleted the card 'work'.\n"
    assert list(home.iterdir()) == []
    shell.fails(4, "destroy", "work", "--yes")


def test_without_a_terminal_it_must_be_said(shell: Shell, work: DirectoryStore) -> None:
    assert "no terminal to ask on: say --yes" in shell.fails(2, "destroy", "work", stdin="y\n")
    assert work.exists("work")


def test_a_card_in_use_stays(shell: Shell, work: DirectoryStore) -> None:
    with work.open("work"):
        shell.fails(1, "destroy", "work", "--yes")
    assert work.exists("work")


def test_the_others_stay(shell: Shell, work: DirectoryStore) -> None:
    shell.ok("create", "other", "--blank")
    shell.ok("destroy", "work", "--yes")
    assert "other" in shell.ok("list")


def test_a_damaged_card_can_go(shell: Shell, work: DirectoryStore, home: Path) -> None:
    (path,) = home.glob("*.card")
    path.write_bytes(b"damaged")
    shell.ok("destroy", "work", "--yes")
    assert list(home.iterdir()) == []
