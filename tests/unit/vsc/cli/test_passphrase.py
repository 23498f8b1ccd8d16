"""vsc.cli.passphrase: `--passphrase` and `--durability`; sources that give none are in test_transfer.py."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

from tests.unit.vsc import processes, rows, samples
from tests.unit.vsc.cli.shell import Shell
from tests.unit.vsc.cli.test_terminal import Terminal
from tests.unit.vsc.store.test_contract import LOW_COST
from vsc.cli.passphrase import durability_option, passphrase_option
from vsc.store import settings
from vsc.store.database import Durability
from vsc.store.seal import is_sealed
from vsc.store.sqlite import SqliteStore


@click.command()
@passphrase_option()
@durability_option
def command() -> None:
    found = settings.passphrase()
    click.echo(f"{found() if found else None!r} {settings.durability().value}")


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    command.main(list(arguments), standalone_mode=False)
    return capsys.readouterr().out


class TestOptions:
    def test_nothing_said(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert said(capsys) == "None power-loss\n"

    def test_they_hold_for_one_command(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SECRET", "open sesame")
        assert said(capsys, "--passphrase", "env:SECRET", "--durability", "process") == "b'open sesame' process\n"
        assert said(capsys) == "None power-loss\n"
        assert settings.durability() == Durability.POWER_LOSS

    def test_a_file(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        (tmp_path / "x").write_bytes(b"open\xff sesame\n")
        assert said(capsys, "--passphrase", f"file:{tmp_path / 'x'}") == "b'open\\xff sesame' power-loss\n"

    def test_a_durability_that_is_none(self) -> None:
        with pytest.raises(click.BadParameter, match="power-loss"):
            command.main(["--durability", "perhaps"], standalone_mode=False)


class TestPrograms:
    """`vsc run` on an encrypted card, in processes of their own."""

    def test_a_card_is_opened_and_the_program_does_not_get_the_passphrase(self, home: Path) -> None:
        SqliteStore(home, passphrase=b"open sesame", scrypt_cost=LOW_COST).create(samples.image())
        script = "import os; print('SECRET' in os.environ, 'PATH' in os.environ)"
        arguments = ["run", "--card", "work", "--passphrase", "env:SECRET", "--durability", "process"]
        done = subprocess.run(
            [*processes.VSC, *arguments, "--", sys.executable, "-c", script],
            env=processes.environment(home, {"SECRET": "open sesame", "XDG_RUNTIME_DIR": str(home.parent)}),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.stdout, done.stderr, done.returncode) == ("False True\n", "", 0)

    def test_without_it_the_card_stays_locked(self, shell: Shell, home: Path) -> None:
        SqliteStore(home, passphrase=b"open sesame", scrypt_cost=LOW_COST).create(samples.image())
        for arguments in (("attach", "work"), ("run", "--card", "work", "--", "true"), ("show", "work")):
            assert "card 'work' is locked: say --passphrase" in shell.fails(5, *arguments)
        assert is_sealed(rows.raw_of(home))

    def test_list_says_that_it_is_locked(self, shell: Shell, home: Path) -> None:
        SqliteStore(home, passphrase=b"open sesame", scrypt_cost=LOW_COST).create(samples.image())
        assert "locked" in shell.ok("list")


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
class TestPerson:
    """`prompt`, on a real terminal: a new one twice, a known one once."""

    def test_is_asked(self, home: Path) -> None:
        person = Terminal(home, "create", "closed", "--blank", "--passphrase", "prompt")
        person.reads("New passphrase: ").types("open sesame\r").reads("confirmation: ").types("open sesame\r")
        screen = person.ends(0)
        assert is_sealed(rows.raw_of(home, "closed"))
        screen += (
            Terminal(home, "show", "closed", "--passphrase", "prompt")
            .reads("Passphrase: ")
            .types("open sesame\r")
            .ends(0)
        )
        assert "sesame" not in screen
        person = Terminal(home, "show", "closed", "--passphrase", "prompt").reads("Passphrase: ").types("barley\r")
        assert "wrong passphrase" in person.ends(5)
