"""vsc.cli.transfer: `vsc export` and `vsc import`."""

import os
import stat
from pathlib import Path

import pytest

from tests.unit.vsc import processes, rows, samples
from tests.unit.vsc.cli.shell import Shell
from vsc.store.archive import read_archive, write_archive
from vsc.store.seal import is_sealed
from vsc.store.sqlite import SqliteStore


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def only(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


class TestExport:
    def test_to_a_file(self, shell: Shell, work: SqliteStore, here: Path) -> None:
        before = os.umask(0)
        try:
            result = shell("export", "work", "card.txt")
        finally:
            os.umask(before)
        assert (result.code, result.out) == (0, "")
        assert result.err == "Wrote the card 'work' to card.txt, with its PIN and keys in clear.\n"
        assert only(here).read_bytes() == write_archive(work.read("work"))
        assert stat.S_IMODE(only(here).stat().st_mode) == 0o600

    @pytest.mark.parametrize(
        ("name", "file"),
        [("work", "work.json"), ("a/b", "a_b.json"), ("..", "..json"), (".x", "x.json"), (".", "_.json")],
    )
    def test_without_a_file_it_is_called_after_the_card(
        self, shell: Shell, store: SqliteStore, here: Path, name: str, file: str
    ) -> None:
        store.create(samples.image(name))
        shell("export", name)
        assert only(here).name == file

    def test_to_stdout(self, work: SqliteStore, home: Path) -> None:
        code, out, err = processes.vsc(home, "export", "work", "-")
        assert (code, err) == (0, "")
        assert out.encode() == write_archive(work.read("work"))

    def test_a_file_that_is_there_stays(self, shell: Shell, work: SqliteStore, here: Path) -> None:
        (here / "x").write_text("precious")
        assert shell.fails(1, "export", "work", "x") == "vsc: x exists: say --force to replace it\n"
        assert only(here).read_text() == "precious"

    def test_unless_it_is_forced(self, shell: Shell, work: SqliteStore, here: Path) -> None:
        (here / "x").write_text("precious")
        (here / "x").chmod(0o644)
        assert shell("export", "work", "x", "--force").code == 0
        assert only(here).read_bytes() == write_archive(work.read("work"))
        assert stat.S_IMODE(only(here).stat().st_mode) == 0o600

    def test_a_link_is_replaced_not_followed(self, shell: Shell, work: SqliteStore, here: Path) -> None:
        (here / "victim").write_text("precious")
        (here / "x").symlink_to("victim")
        assert "x exists" in shell.fails(1, "export", "work", "x")
        assert shell("export", "work", "x", "--force").code == 0
        assert (here / "victim").read_text() == "precious"
        assert not (here / "x").is_symlink()

    @pytest.mark.parametrize(
        ("file", "reason"),
        [("gone/x", "No such file or directory"), ("folder", "Is a directory"), ("x" * 300, "too long")],
    )
    def test_where_nothing_can_be_written(
        self, shell: Shell, work: SqliteStore, here: Path, file: str, reason: str
    ) -> None:
        (here / "folder").mkdir()
        assert reason in shell.fails(1, "export", "work", file, "--force")
        assert [path.name for path in here.iterdir()] == ["folder"]

    def test_a_full_disk_leaves_nothing(self, work: SqliteStore, home: Path, here: Path) -> None:
        code = (
            "import resource, sys\n"
            "from vsc.cli.__main__ import run\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
            "sys.stderr = sys.stdout\n"
            "run(['export', 'work', 'x'])\n"
            "open('y', 'w').close()\n"
            "run(['export', 'work', 'y', '--force'])\n"
        )
        # Both the log of the database and the file may not grow; the log is not needed to read.
        said = processes.python(home, code).stdout
        assert said.count("cannot be written: File too large") == 2 or "database" in said
        assert [path.name for path in here.iterdir()] == ["y"]

    def test_a_card_in_use(self, shell: Shell, work: SqliteStore, here: Path) -> None:
        with work.open("work"):
            assert shell("export", "work", "x").code == 0

    def test_a_card_that_is_not_there(self, shell: Shell, work: SqliteStore, here: Path) -> None:
        assert shell.fails(4, "export", "gone") == "vsc: there is no card called 'gone'\n"
        assert list(here.iterdir()) == []


class TestImport:
    def test_the_same_card(self, shell: Shell, work: SqliteStore, here: Path) -> None:
        shell("export", "work", "x")
        image = work.read("work")
        work.destroy("work")
        assert shell.ok("import", "x") == "Made the card 'work'.\n"
        assert work.read("work") == image
        shell("export", "work", "y")
        assert (here / "x").read_bytes() == (here / "y").read_bytes()

    def test_from_stdin(self, work: SqliteStore, home: Path) -> None:
        raw = write_archive(work.read("work"))
        code, out, err = processes.vsc(home, "import", "-", "--name", "other", stdin=raw)
        assert (code, out, err) == (0, "Made the card 'other'.\n", "")
        assert work.read("other").persistent == work.read("work").persistent

    def test_the_name_is_taken(self, shell: Shell, work: SqliteStore, here: Path) -> None:
        shell("export", "work", "x")
        assert shell.fails(1, "import", "x") == "vsc: there is a card called 'work' already\n"
        assert shell.ok("import", "x", "--name", "other") == "Made the card 'other'.\n"

    def test_a_name_that_is_none(self, shell: Shell, work: SqliteStore, here: Path) -> None:
        shell("export", "work", "x")
        assert "1 to 80 printable characters" in shell.fails(1, "import", "x", "--name", "-rf")

    def test_a_damaged_file_is_told_by_line_or_field_and_nothing_is_made(
        self, shell: Shell, work: SqliteStore, home: Path, here: Path
    ) -> None:
        raw = write_archive(work.read("work"))
        (here / "line").write_bytes(raw.replace(b'"work",', b'"work"', 1))
        (here / "field").write_bytes(raw.replace(b'"tries_left": 3', b'"tries_left": 7', 1))
        assert "the archive is not JSON: line 5: " in shell.fails(1, "import", "line", "--name", "a")
        assert ".pin.tries_left: not a number from 0 to 3" in shell.fails(1, "import", "field", "--name", "b")
        assert list(work.images()) == [work.read("work")]

    @pytest.mark.parametrize(("file", "reason"), [("gone", "No such file"), (".", "Is a directory")])
    def test_what_cannot_be_read(self, shell: Shell, home: Path, here: Path, file: str, reason: str) -> None:
        assert reason in shell.fails(1, "import", file)
        assert not home.exists()

    def test_what_is_far_too_large(self, shell: Shell, home: Path, here: Path) -> None:
        with (here / "x").open("wb") as file:
            file.truncate(2**40)
        assert "has more than 64 MiB" in shell.fails(1, "import", "x")


class TestPassphrase:
    """A card can be given a passphrase, another one, or none, by exporting and importing it."""

    def test_from_clear_to_encrypted_and_back(
        self, shell: Shell, work: SqliteStore, home: Path, here: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SECRET", "open sesame")
        shell("export", "work", "x")
        shell.ok("import", "x", "--name", "closed", "--passphrase", "env:SECRET")
        assert is_sealed(rows.raw_of(home, "closed"))
        assert "card 'closed' is locked: say --passphrase" in shell.fails(5, "export", "closed", "y")
        (here / "wrong").write_text("open barley\n")
        assert "wrong passphrase" in shell.fails(5, "export", "closed", "y", "--passphrase", "file:wrong")
        assert shell("export", "closed", "y", "--passphrase", "env:SECRET").code == 0
        assert read_archive((here / "y").read_bytes()).persistent == work.read("work").persistent

    def test_it_is_said_for_one_command_only(
        self, shell: Shell, work: SqliteStore, home: Path, here: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SECRET", "open sesame")
        shell.ok("create", "closed", "--blank", "--passphrase", "env:SECRET")
        shell.ok("create", "open", "--blank")
        assert is_sealed(rows.raw_of(home, "closed"))
        assert not is_sealed(rows.raw_of(home, "open"))

    @pytest.mark.parametrize(
        ("source", "code", "text"),
        [
            ("open sesame", 2, "say prompt|env:VAR|file:PATH, never the secret itself"),
            ("env:", 2, "never the secret itself"),
            ("env:NOT_SET_ANYWHERE", 2, "the environment variable NOT_SET_ANYWHERE is not set"),
            ("file:gone", 1, "the passphrase file gone cannot be read: No such file"),
            ("prompt", 2, "there is no terminal to ask on"),
        ],
    )
    def test_sources_that_give_none(
        self, shell: Shell, home: Path, here: Path, source: str, code: int, text: str
    ) -> None:
        said = shell.fails(code, "create", "closed", "--blank", "--passphrase", source)
        assert text in said
        assert "sesame" not in said
        assert "closed" not in shell("list").out
