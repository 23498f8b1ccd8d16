"""vsc.cli.secret: secrets come from a variable, a file or a prompt, never from the command line."""

from pathlib import Path

import click
import pytest

from tests.unit.vsc import processes, samples
from tests.unit.vsc.cli.shell import Shell
from tests.unit.vsc.samples import gids_state
from vsc.cli.secret import read_admin_key, read_pin
from vsc.factory import admin_key_of
from vsc.store.sqlite import SqliteStore

DEFAULT = b"default!"


def pin_of(store: SqliteStore, name: str = "work") -> bytes:
    value = gids_state(store.read(name)).pin.value
    assert value is not None
    return value.reveal()


class TestPin:
    def test_from_a_variable(self, shell: Shell, store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MY_PIN", "gehéim ")
        shell.ok("create", "work", "--pin", "env:MY_PIN")
        assert pin_of(store) == "gehéim ".encode()

    def test_from_a_variable_that_is_not_utf_8(self, store: SqliteStore, home: Path) -> None:
        more = {"MY_PIN": b"\xff\xfe1234".decode("utf-8", "surrogateescape")}
        code, _, err = processes.vsc(home, "create", "work", "--pin", "env:MY_PIN", more=more)
        assert (code, err) == (0, "")
        assert pin_of(store) == b"\xff\xfe1234"

    @pytest.mark.parametrize(
        ("written", "pin"),
        [
            (b"12345678", b"12345678"),
            (b"12345678\n", b"12345678"),
            (b"12345678\r\n", b"12345678"),
            (b"12345678\n\n", b"12345678\n"),
            (b" 1234 \n", b" 1234 "),
            ("geh☂im\n".encode(), "geh☂im".encode()),
            # As Windows' programs write text: with a byte order mark, which is no part of it.
            ("12345678\r\n".encode("utf-8-sig"), b"12345678"),
            ("geh☂im\r\n".encode("utf-16"), "geh☂im".encode()),
            (b"\xfe\xff" + "1234\n".encode("utf-16-be"), b"1234"),
        ],
    )
    def test_from_a_file_without_its_last_line_end(
        self, shell: Shell, store: SqliteStore, tmp_path: Path, written: bytes, pin: bytes
    ) -> None:
        (tmp_path / "pin").write_bytes(written)
        shell.ok("create", "work", "--pin", f"file:{tmp_path}/pin")
        assert pin_of(store) == pin

    def test_the_default(self, shell: Shell, store: SqliteStore) -> None:
        shell.ok("create", "work", "--pin", "default")
        assert pin_of(store) == b"12345678"

    def test_without_a_terminal_it_must_be_said(self, shell: Shell, home: Path) -> None:
        error = shell.fails(2, "create", "work", stdin="12345678\n12345678\n")
        assert "no terminal to ask for a PIN on: say --pin prompt|default|env:VAR|file:PATH" in error
        assert "there is no terminal to ask on" in shell.fails(2, "create", "work", "--pin", "prompt")
        assert not home.exists()

    @pytest.mark.parametrize("secret", ["1234", "s3cret-12", "12345678", "envelope", "default:1234"])
    def test_a_pin_on_the_command_line_is_refused_and_not_repeated(self, shell: Shell, home: Path, secret: str) -> None:
        for arguments in (("--pin", secret), (f"--pin={secret}",), ("--pin", "default", "--admin-key", f"{secret}!")):
            result = shell("create", "work", *arguments)
            assert result.code == 2
            assert "never the secret itself" in result.err
            assert secret not in result.err + result.out
        assert not home.exists()

    @pytest.mark.parametrize("word", ["file", "env", "random", "DEFAULT", "Prompt", " default"])
    def test_a_word_that_is_none(self, shell: Shell, home: Path, word: str) -> None:
        assert "say prompt|default|env:VAR|file:PATH" in shell.fails(2, "create", "work", "--pin", word)
        assert not home.exists()


class TestSources:
    """What goes for PIN and admin key alike."""

    @pytest.mark.parametrize("option", ["--pin", "--admin-key"])
    def test_a_source_that_is_not_there(
        self, shell: Shell, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str
    ) -> None:
        monkeypatch.delenv("NOT_SET", raising=False)
        (tmp_path / "picture").write_bytes(b"\xff\xd8\xff\xe0")
        for source, text in {
            "env:NOT_SET": "the environment variable NOT_SET is not set",
            "env:": "never the secret itself",
            "file:": "never the secret itself",
            "": "never the secret itself",
            f"file:{tmp_path}/gone": f"{tmp_path}/gone cannot be read: No such file or directory",
            f"file:{tmp_path}": f"{tmp_path} cannot be read: Is a directory",
            f"file:{tmp_path}/picture": "picture cannot be read: it is not text",
        }.items():
            pin = () if option == "--pin" else ("--pin", "default")
            error = shell.fails(2, "create", "work", *pin, option, source)
            assert f"Invalid value for {option}: " in error
            assert text in " ".join(error.split())
        assert not home.exists()


class TestAdminKey:
    @pytest.mark.parametrize("text", [samples.ADMIN_KEY.hex(), samples.ADMIN_KEY.hex(" ").upper()])
    def test_from_a_variable_or_a_file(
        self, shell: Shell, store: SqliteStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str
    ) -> None:
        monkeypatch.setenv("KEY", text)
        (tmp_path / "key").write_text(f"{text}\n")
        for name, source in {"one": "env:KEY", "two": f"file:{tmp_path}/key"}.items():
            shell.ok("create", name, "--pin", "default", "--admin-key", source)
            assert admin_key_of(store.read(name)) == samples.ADMIN_KEY

    def test_random_and_default(self, shell: Shell, store: SqliteStore) -> None:
        keys = {}
        for name, options in {"a": (), "b": ("--admin-key", "random"), "c": ("--admin-key", "default")}.items():
            shell.ok("create", name, "--pin", "default", *options)
            keys[name] = admin_key_of(store.read(name)).hex()
        assert keys["c"] == "0102030405060708" * 3
        assert len(set(keys.values())) == 3

    @pytest.mark.parametrize("text", ["", "00" * 23, "00" * 25, "0" * 47, "x" * 48, "☂" * 48])
    def test_what_is_none_is_refused_and_not_repeated(
        self, shell: Shell, home: Path, monkeypatch: pytest.MonkeyPatch, text: str
    ) -> None:
        monkeypatch.setenv("KEY", text)
        error = shell.fails(2, "create", "work", "--pin", "default", "--admin-key", "env:KEY")
        assert "an admin key is 48 hexadecimal digits" in error
        assert not text or text not in error


def test_the_words_of_one_are_not_those_of_the_other() -> None:
    assert read_pin("default", default=DEFAULT) == DEFAULT
    assert read_admin_key("default", default=bytes(24)) == bytes(24)
    assert read_admin_key("random", default=bytes(24)) is None
    with pytest.raises(click.BadParameter):
        read_pin("random", default=DEFAULT)
