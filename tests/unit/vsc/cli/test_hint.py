"""vsc.cli.hint: what was meant, and the way out."""

from pathlib import Path

import pytest

from tests.unit.vsc import samples
from tests.unit.vsc.cli.shell import Shell
from vsc.cli.hint import hint, meant
from vsc.errors import CardNotFoundError, PinBlocked, VscError, WrongPin
from vsc.store.sqlite import SqliteStore


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (("craete",), "No such command 'craete'. Did you mean 'create'"),
        (("lsit",), "No such command 'lsit'. Did you mean 'list'?"),
        (("cert", "gte"), "No such command 'gte'. Did you mean 'get'?"),
        (("admin-key", "chnage"), "No such command 'chnage'. Did you mean 'change'?"),
    ],
)
def test_a_command_that_is_nearly_one(shell: Shell, words: tuple[str, ...], asked: str) -> None:
    error = shell.fails(2, *words)
    assert asked in error
    assert error.count("Did you mean") == 1


def test_a_command_like_none(shell: Shell) -> None:
    assert "Did you mean" not in shell.fails(2, "xyzzy")


def test_a_card_that_is_nearly_there(shell: Shell, work: SqliteStore) -> None:
    for words in (("show", "wrok"), ("destroy", "wrok", "--yes"), ("pin", "verify", "wrok", "--pin", "default")):
        assert shell.fails(4, *words) == "vsc: there is no card called 'wrok'. Did you mean 'work'?\n"
    assert shell.fails(4, "show", "grace") == "vsc: there is no card called 'grace'\n"


def test_no_store_has_no_names(home: Path) -> None:
    assert hint(CardNotFoundError("there is no card called 'a'", name="a")) == ""


WAY_OUT = ": 'vsc pin reset' gives it its tries back, with the card's admin key or its PUK"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PinBlocked(), WAY_OUT),
        (WrongPin(0), WAY_OUT),
        (WrongPin(1), ""),
        (PinBlocked(what="PUK"), ""),
        (VscError("anything"), ""),
    ],
)
def test_a_blocked_pin_has_a_way_out(error: VscError, words: str) -> None:
    assert hint(error) == words


def test_it_is_said_where_it_is_needed(shell: Shell, work: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WRONG", "00000000")
    for _ in range(2):
        shell.fails(5, "pin", "verify", "work", "--pin", "env:WRONG")
    for sentence in ("wrong PIN, 0 tries left", "the PIN is blocked"):
        assert shell.fails(5, "pin", "verify", "work", "--pin", "env:WRONG") == f"vsc: {sentence}{WAY_OUT}\n"
    monkeypatch.setenv("PIN", samples.PIN.decode())
    shell.ok("pin", "reset", "work", "--admin-key", "stored", "--new-pin", "env:PIN")
    shell.ok("pin", "verify", "work", "--pin", "env:PIN")


def test_what_is_like_it() -> None:
    assert meant("opensc", ["gids", "piv"]) == ""
    assert meant("gid", ["gids", "piv"]) == " Did you mean 'gids'?"
