"""vsc.cli.__main__: the group, help texts, exit codes, and what happens to output that nobody takes."""

import pkgutil
import subprocess
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest

import vsc.cli
from tests.unit.each import each
from tests.unit.vsc import processes, rows
from tests.unit.vsc.cli.shell import Shell
from vsc.cli.__main__ import COMMANDS, GROUPS, cli, run
from vsc.store.sqlite import SqliteStore


def all_commands(
    command: click.Command = cli, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if path:
        yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from all_commands(found, (*path, name))


class TestHelp:
    def test_the_table_has_every_command(self) -> None:
        cards = {"create", "list", "show", "destroy"}
        rights = {"pin", "admin-key", "provision"}
        readers = {"run", "serve", "attach", "readers", "watch", "insert", "eject", "swap", "reset", "transmit"}
        assert set(COMMANDS) >= cards | rights | readers | {"tpmvscmgr", "completion"}

    def test_every_command_is_in_one_group(self) -> None:
        assert [name for commands in GROUPS.values() for name in commands] == list(COMMANDS)
        assert all(2 <= len(commands) <= 8 for commands in GROUPS.values())

    def test_every_module_of_a_command_is_in_the_table(self) -> None:
        modules = [import_module(f"vsc.cli.{module.name}") for module in pkgutil.iter_modules(vsc.cli.__path__)]
        with_commands = {one.__name__ for one in modules if any(name.endswith("_command") for name in vars(one))}
        assert with_commands == {module for module, _ in COMMANDS.values()}

    def test_every_command_and_option_says_what_it_does(self, shell: Shell) -> None:
        for path, command in each(list(all_commands())):
            assert command.name == path[-1]
            assert command.help
            for parameter in command.params:
                if isinstance(parameter, click.Option):
                    assert parameter.help, f"{' '.join(path)} {parameter.name}"
            for flag in ("-h", "--help"):
                text = shell.ok(*path, flag)
                assert text.startswith(f"Usage: vsc {' '.join(path)} ")
                assert max(map(len, text.splitlines())) <= 80

    def test_the_list_of_commands(self, shell: Shell) -> None:
        text = shell.ok("--help")
        assert len(text.splitlines()) <= 60
        for group, commands in GROUPS.items():
            _, _, below = text.partition(f"\n{group}:\n")
            lines = [f"  {name:<10}  {words}" for name, (_, words) in commands.items()]
            assert below.splitlines()[: len(lines)] == lines
        for code in ("0 ok", "1 failed", "2 usage", "3 cancelled", "4 not found", "5 refused"):
            assert code in " ".join(text.split())

    def test_version(self, shell: Shell) -> None:
        assert shell.ok("--version").startswith("vsc, version 0.")

    @pytest.mark.parametrize("arguments", [(), ("admin-key",)])
    def test_nothing_said_shows_the_help_and_is_a_usage_error(self, shell: Shell, arguments: tuple[str, ...]) -> None:
        assert "Usage: vsc" in shell.fails(2, *arguments)

    @pytest.mark.parametrize(
        ("arguments", "text"),
        [
            (("lsit",), "No such command 'lsit'"),
            (("list", "--nonsense"), "--nonsense"),
            (("show",), "Missing argument 'NAME'"),
            (("show", "a", "b"), "unexpected extra argument"),
            (("admin-key", "hide", "x"), "No such command 'hide'"),
            (("--nonsense",), "--nonsense"),
        ],
    )
    def test_usage_errors(self, shell: Shell, arguments: tuple[str, ...], text: str) -> None:
        error = shell.fails(2, *arguments)
        assert error.startswith("Usage: vsc ")
        assert text in error


class TestExitCodes:
    """3, cancelled, needs a terminal: test_terminal.py."""

    def test_0_ok(self, shell: Shell, home: Path) -> None:
        shell.ok("create", "work", "--pin", "default")

    def test_1_failed(self, shell: Shell, work: SqliteStore) -> None:
        assert shell.fails(1, "create", "work", "--pin", "default") == "vsc: there is a card called 'work' already\n"

    def test_2_usage(self, shell: Shell, home: Path) -> None:
        shell.fails(2, "create")

    @pytest.mark.parametrize(
        "arguments",
        [("show",), ("admin-key", "show"), ("destroy", "--yes"), ("transmit", "{}", "00A40000"), ("attach",)],
    )
    def test_4_not_found(self, shell: Shell, home: Path, arguments: tuple[str, ...]) -> None:
        arguments = tuple("gone" if one == "{}" else one for one in arguments)
        if "gone" not in arguments:
            arguments = (*arguments, "gone")
        assert shell.fails(4, *arguments) == "vsc: there is no card called 'gone'\n"
        assert not home.exists()

    def test_5_refused(self, shell: Shell, home: Path) -> None:
        error = shell.fails(5, "create", "work", "--pin", "default", "--pin-policy", "minlen=9")
        assert error == "vsc: the PIN is refused: a PIN has 9 to 127 characters\n"
        assert not home.exists()

    @pytest.mark.parametrize(
        "arguments", [("show", "a\nb"), ("destroy", "a\nb"), ("create", "a\nb", "--pin", "default"), ("attach", " a")]
    )
    def test_a_name_that_is_none(self, shell: Shell, home: Path, arguments: tuple[str, ...]) -> None:
        assert "a card name has 1 to 80 printable characters" in shell.fails(1, *arguments)

    def test_an_error_of_the_system_is_one_sentence(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: object) -> None:
            raise OSError("out of luck")

        monkeypatch.setattr(SqliteStore, "images", fail)
        assert shell.fails(1, "list") == "vsc: out of luck\n"

    def test_an_interrupt_is_cancelled(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupt(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(SqliteStore, "images", interrupt)
        assert shell.fails(3, "list").split() == ["cancelled"]


class TestHome:
    def test_a_home_that_is_a_file(self, shell: Shell, home: Path) -> None:
        home.write_text("a file")
        for arguments in (
            ("list",),
            ("list", "--json"),
            ("show", "work"),
            ("create", "work", "--pin", "default"),
            ("create", "work", "--blank"),
            ("transmit", "work", "00A40000"),
            ("admin-key", "show", "work"),
            ("attach", "work"),
        ):
            error = shell.fails(1, *arguments)
            assert error.startswith("vsc: ")
            assert error.count("\n") == 1
        shell.fails(1, "destroy", "--yes", "work")
        assert home.read_text() == "a file"

    def test_an_image_that_is_damaged(self, shell: Shell, work: SqliteStore, home: Path) -> None:
        rows.put(home, b"damaged")
        for arguments in (
            ("show", "work"),
            ("transmit", "work", "00A40000"),
            ("admin-key", "show", "work"),
            ("attach", "work"),
        ):
            assert shell.fails(1, *arguments) == "vsc: card 'work': the image is not JSON: it is damaged or no card\n"
        assert rows.raw_of(home) == b"damaged"

    def test_a_card_that_another_process_has(self, shell: Shell, work: SqliteStore) -> None:
        with work.open("work"):
            for arguments in (("transmit", "work", "00A40000"), ("destroy", "--yes", "work"), ("attach", "work")):
                assert shell.fails(1, *arguments) == "vsc: card 'work' is in use by another process\n"
            assert shell.ok("list")
            assert shell.ok("show", "work")
            assert shell.ok("admin-key", "show", "work")


class TestOutput:
    """Output that nobody takes, and terminals that lack a character."""

    def test_a_reader_that_has_gone(self, work: SqliteStore, home: Path) -> None:
        for arguments in (("list",), ("show", "work"), ("transmit", "work", "00A40000", "00A40000")):
            with subprocess.Popen(
                [*processes.VSC, *arguments],
                env=processes.environment(home),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            ) as process:
                assert process.stdout is not None
                assert process.stderr is not None
                process.stdout.close()
                assert process.stderr.read() == b""
                assert process.wait() == 1

    def test_a_full_disk(self, work: SqliteStore, home: Path) -> None:
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [*processes.VSC, "list"],
                env=processes.environment(home),
                stdout=full,
                stderr=subprocess.PIPE,
                timeout=60,
                check=False,
            )
        assert (done.returncode, done.stderr) == (1, b"vsc: No space left on device\n")

    def test_a_terminal_that_lacks_a_character(self, store: SqliteStore, home: Path) -> None:
        code, out, err = processes.vsc(home, "create", "☂ ä", "--pin", "default", more={"PYTHONIOENCODING": "latin-1"})
        assert (code, err) == (0, "")
        assert out.startswith("Made the card '\\u2602 ")

    def test_arguments_that_are_no_text(self, home: Path) -> None:
        done = subprocess.run(
            [*[one.encode() for one in processes.VSC], b"create", b"\xff\xfe", b"--pin", b"default"],
            env=processes.environment(home),
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 1
        assert done.stderr.startswith(rb"vsc: b'\xff\xfe' is no text in the encoding of this locale, utf-8")


def test_the_exit_code_is_that_of_the_process(home: Path) -> None:
    assert processes.vsc(home, "show", "gone") == (4, "", "vsc: there is no card called 'gone'\n")


def test_run_takes_arguments_not_those_of_the_process(home: Path) -> None:
    assert run(["list"]) == 0


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("create é --pin default", 1),
        ("create work --label é --pin default", 2),
        ("show é", 1),
        ("run --reader é -- true", 2),
    ],
)
def test_a_name_that_the_locale_cannot_write_says_so(home: Path, line: str, code: int) -> None:
    """It was called unprintable, and a label was kept that nobody could read."""
    ascii_only = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    found, out, err = processes.vsc(home, *line.split(), more=ascii_only)
    assert (found, out) == (code, "")
    assert "is no text in the encoding of this locale, ascii: LC_ALL=C.UTF-8 reads any name" in err


def test_nor_does_one_that_a_file_shall_have(
    shell: Shell, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def encode(*_: object, **__: object) -> None:
        "é".encode("ascii")

    shell.ok("create", "work", "--pin", "default")
    monkeypatch.setattr("vsc.cli.transfer._write", encode)
    assert "'\\xe9' cannot be written in the encoding of this locale, ascii" in shell.fails(1, "export", "work")
