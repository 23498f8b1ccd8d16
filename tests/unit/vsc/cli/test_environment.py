"""vsc.cli.environment: what a program that we start may know."""

import os
import sys
from pathlib import Path

import click
import pytest

from tests.unit.vsc import processes
from tests.unit.vsc.cli.shell import Shell
from vsc.cli.environment import hide, secret_in, without_secrets


def test_a_variable_that_a_secret_was_taken_from_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "open sesame")
    with click.Context(click.Command("outer")) as outer, click.Context(click.Command("inner"), parent=outer):
        assert secret_in("SECRET") == "open sesame"
        hide("OTHER")
        assert without_secrets({"SECRET": "1", "OTHER": "2", "HOME": "3"}) == {"HOME": "3"}
    assert without_secrets({"SECRET": "1"}) == {"SECRET": "1"}, "a command of its own"


def test_a_variable_that_is_not_there_is_none() -> None:
    assert secret_in("NOT_SET") is None


RESPOND = "import os, sys; open(sys.argv[1], 'w').write(str(dict(os.environ))); sys.exit(1)"


def test_the_program_that_answers_a_challenge_does_not_see_the_pin(
    shell: Shell, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEW_PIN", "24681357")
    shell.ok("create", "work", "--pin", "default")
    program = f'{sys.executable} -c "{RESPOND}" {tmp_path / "seen"}'
    assert shell("pin", "reset", "work", "--new-pin", "env:NEW_PIN", "--respond", program).code == 1
    seen = (tmp_path / "seen").read_text()
    assert "24681357" not in seen
    assert repr(os.environ["PATH"]) in seen


@pytest.mark.parametrize("command", ["run", "replay"])
def test_nor_does_any_command_see_what_a_secret_was_taken_from(home: Path, tmp_path: Path, command: str) -> None:
    (tmp_path / "log").write_text('{"format": "vsc trace", "version": 2}\n' + APDU)
    options = {
        "run": ("--card", "work", "--passphrase", "env:SECRET"),
        "replay": ("--mode", "learnt", "--admin-key", "env:SECRET", str(tmp_path / "log")),
    }[command]
    secret = "0102030405060708" * 3
    more = {"SECRET": secret}
    assert processes.vsc(home, "create", "work", "--pin", "default", "--passphrase", "env:SECRET", more=more)[0] == 0
    _, out, err = processes.vsc(home, command, *options, "--", "env", more=more)
    assert "PATH=" in out, err
    assert secret not in out


APDU = '{"reader": "R", "t": 0.0, "command": "00A4040009A00000039742544659", "response": "9000"}\n'
