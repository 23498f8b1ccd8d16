"""vsc.cli.table and vsc.cli.terminal: whole words for programs, one line a row for people."""

import pytest

from tests.unit.vsc import samples
from tests.unit.vsc.cli.shell import Shell
from vsc.cli import table
from vsc.cli.terminal import shortened
from vsc.store.sqlite import SqliteStore


def test_a_card_is_one_line_on_80_columns(shell: Shell, work: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    work.create(samples.image("a card with a name that is as long as names can be, or nearly so"))
    whole = shell.ok("list").splitlines()
    assert max(map(len, whole)) > 80
    monkeypatch.setattr(table, "width", lambda: 80)
    head, first, second = shell.ok("list").splitlines()
    assert all(len(line) <= 80 for line in (head, first, second))
    assert head.split() == whole[0].split()
    assert first.startswith("a card with a name that is")
    assert "…" in first
    assert second.split()[0] == "work"


def test_the_last_column_gives_way_first(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "width", lambda: 40)
    rows = [("n" * 20, "x", "i" * 36)]
    table.print_table(("name", "of", "id"), rows, give_way=("id", "name"))
    assert capsys.readouterr().out.splitlines()[1] == f"{'n' * 20}  x   {'i' * 13}…"
    table.print_table(("name", "of", "id"), [("n" * 30, "x", "i" * 36)], give_way=("id", "name"))
    assert capsys.readouterr().out.splitlines()[1] == f"{'n' * 25}…  x   {'i' * 7}…"
    table.print_table(("name", "of", "id"), rows)
    assert capsys.readouterr().out.splitlines()[1] == f"{'n' * 20}  x   {'i' * 36}"


def test_shortened() -> None:
    assert [shortened("abc", most) for most in (0, 1, 2, 3, 4)] == ["…", "…", "a…", "abc", "abc"]
