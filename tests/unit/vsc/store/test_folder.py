"""vsc.store.folder: a folder that others may write is refused, with what mends it; no link in it is followed."""

import grp
import os
import pwd
import re
import shlex
import sqlite3
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.vsc import processes, rows, samples
from vsc.errors import CardNotFoundError, ImageError, VscError
from vsc.store import folder
from vsc.store.database import FILE
from vsc.store.instances import Instances
from vsc.store.name import file_stem
from vsc.store.sqlite import SqliteStore

LOCK = f"{file_stem('work')}.lock"


def uses(home: Path) -> list[Callable[[], object]]:
    store = SqliteStore(home)
    return [
        lambda: store.read("work"),
        lambda: list(store.images()),
        lambda: store.exists("work"),
        lambda: store.open("work").__enter__(),
        lambda: store.create(samples.image("another")),
        lambda: store.destroy("work"),
        lambda: Instances(home, store.exists).give("work"),
        lambda: Instances(home, store.exists).name_of(0),
    ]


def all_refuse(home: Path, text: str) -> str:
    """Every use says the same; returns the line that mends it."""
    before = rows.files(home)
    said = set()
    for use in uses(home):
        with pytest.raises(VscError, match=text) as caught:
            use()
        said.add(str(caught.value))
    assert rows.files(home) == before
    (sentence,) = said
    assert "\n" not in sentence
    return sentence.rpartition("mend that with: ")[2]


def mend(line: str) -> None:
    subprocess.run(line, shell=True, check=True)


class TestWhoMayWrite:
    @pytest.mark.parametrize("mode", [0o777, 0o702, 0o1777, 0o757])
    def test_a_folder_that_everybody_may_write(self, store: SqliteStore, home: Path, mode: int) -> None:
        store.create(samples.image())
        home.chmod(mode)
        line = all_refuse(home, f"others may write to the folder {home} and so to the cards")
        assert line == f"chmod go-w {home}"
        mend(line)
        assert store.read("work") == samples.image()

    @pytest.mark.parametrize("mode", [0o700, 0o755, 0o711, 0o500])
    def test_one_that_others_may_only_read(self, store: SqliteStore, home: Path, mode: int) -> None:
        store.create(samples.image())
        home.chmod(mode)
        assert store.read("work") == samples.image()
        home.chmod(0o700)

    def test_one_of_another_user(self, store: SqliteStore, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        store.create(samples.image())
        monkeypatch.setattr(folder, "_is_trusted", lambda uid: False)
        assert all_refuse(home, "others may write").startswith("chown -R ")

    def test_whose_is_trusted(self) -> None:
        assert folder._is_trusted(0)
        assert folder._is_trusted(os.geteuid())
        assert not folder._is_trusted(os.geteuid() + 4242)

    def test_a_folder_with_blanks_in_its_name(self, home: Path) -> None:
        home = home / "my cards"
        SqliteStore(home).create(samples.image())
        home.chmod(0o777)
        line = all_refuse(home, "others may write")
        assert shlex.split(line) == ["chmod", "go-w", str(home)]

    def test_a_folder_without_cards(self, home: Path) -> None:
        home.mkdir()
        home.chmod(0o777)
        with pytest.raises(VscError, match="others may write"):
            SqliteStore(home).create(samples.image())
        assert list(home.iterdir()) == []

    def test_the_command_line_says_it_once(self, store: SqliteStore, home: Path) -> None:
        store.create(samples.image())
        home.chmod(0o777)
        for words in (("list",), ("show", "work"), ("create", "new", "--pin", "default"), ("destroy", "work", "--yes")):
            code, out, err = processes.vsc(home, *words)
            assert (code, out) == (1, "")
            told = (
                f"vsc: others may write to the folder {home} and so to the cards: mend that with: chmod go-w {home}\n"
            )
            assert err == told

    def test_a_link_of_mine_to_a_folder_of_mine(self, home: Path) -> None:
        SqliteStore(home).create(samples.image())
        link = home.with_name("link")
        link.symlink_to(home)
        assert SqliteStore(link).read("work") == samples.image()

    def test_a_link_of_somebody_else(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        SqliteStore(home).create(samples.image())
        link = home.with_name("link")
        link.symlink_to(home)
        monkeypatch.setattr(folder, "_is_trusted", lambda uid: False)
        with pytest.raises(VscError, match="is a link of another user's: set VSC_HOME to a folder of your own"):
            SqliteStore(link).read("work")


class TestGroups:
    """umask 002, as distributions with a group for each user have it, makes everything the group's to write."""

    @pytest.fixture
    def shared(self, store: SqliteStore, home: Path) -> Path:
        store.create(samples.image())
        home.chmod(0o2775)
        return home

    def as_if(
        self, monkeypatch: pytest.MonkeyPatch, *, group: str = "ada", members: tuple[str, ...] = (), other_gid: int = 77
    ) -> None:
        """The owner is ada; the folder's group has this name and these members, another user's own is other_gid."""
        uid, gid = os.getuid(), os.getgid()
        ada = pwd.struct_passwd(("ada", "x", uid, gid, "", "/", "/bin/sh"))
        other = pwd.struct_passwd(("eve", "x", uid + 1, other_gid, "", "/", "/bin/sh"))
        monkeypatch.setattr(pwd, "getpwuid", lambda _: ada)
        monkeypatch.setattr(pwd, "getpwall", lambda: [ada, other])
        monkeypatch.setattr(grp, "getgrgid", lambda _: grp.struct_group((group, "x", gid, list(members))))

    @pytest.mark.parametrize("members", [(), ("ada",)])
    def test_a_group_of_ones_own(self, shared: Path, monkeypatch: pytest.MonkeyPatch, members: tuple[str, ...]) -> None:
        self.as_if(monkeypatch, members=members)
        assert SqliteStore(shared).read("work") == samples.image()

    def test_a_group_with_somebody_else_in_it(self, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.as_if(monkeypatch, members=("ada", "eve"))
        line = all_refuse(shared, "others may write")
        assert line == f"chmod g-w {shared}"
        mend(line)
        assert SqliteStore(shared).read("work") == samples.image()

    def test_a_group_called_otherwise(self, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """`users`, for instance: who is in it by their own entry need not all be listed."""
        self.as_if(monkeypatch, group="users")
        all_refuse(shared, "others may write")

    def test_a_group_that_is_somebody_elses_own_too(self, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.as_if(monkeypatch, other_gid=os.getgid())
        all_refuse(shared, "others may write")

    def test_a_user_that_nobody_knows(self, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def unknown(_: int) -> pwd.struct_passwd:
            raise KeyError

        monkeypatch.setattr(pwd, "getpwuid", unknown)
        all_refuse(shared, "others may write")

    def test_an_access_list(self, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """With one, the group's bits say nothing of the group."""
        self.as_if(monkeypatch)
        monkeypatch.setattr(os, "getxattr", lambda path, name: b"somebody may write")
        assert all_refuse(shared, "others may write") == f"setfacl -b {shared}"


class TestPlanted:
    """What lies in the folder from the time when others could write to it."""

    @pytest.mark.parametrize("end", ["", "-wal", "-shm", "-journal"])
    def test_a_link_where_the_database_is(self, home: Path, tmp_path: Path, end: str) -> None:
        SqliteStore(home).create(samples.image())
        victim = tmp_path / "victim"
        victim.write_bytes(b"a file of mine")
        (home / f"{FILE}{end}").unlink(missing_ok=True)
        (home / f"{FILE}{end}").symlink_to(victim)
        store = SqliteStore(home)
        for use in (lambda: store.read("work"), lambda: store.create(samples.image("new"))):
            with pytest.raises(VscError, match=re.escape(f"{FILE}{end} cannot be used: it is a link, and none")):
                use()
        assert victim.read_bytes() == b"a file of mine"

    def test_a_database_of_somebody_else(self, store: SqliteStore, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        store.create(samples.image())
        mine = home.stat().st_ino
        really = folder._what_mends
        monkeypatch.setattr(
            folder, "_what_mends", lambda path, one: really(path, one) if one.st_ino == mine else "chown"
        )
        with pytest.raises(VscError, match=f"{FILE} cannot be used: others may write to it: mend that with: chown"):
            store.read("work")

    def test_a_database_that_others_may_write(self, store: SqliteStore, home: Path) -> None:
        store.create(samples.image())
        (home / FILE).chmod(0o666)
        with pytest.raises(VscError, match="others may write to it") as caught:
            store.read("work")
        mend(str(caught.value).rpartition("mend that with: ")[2])
        assert stat.S_IMODE((home / FILE).stat().st_mode) == 0o644
        assert store.read("work") == samples.image()

    @pytest.mark.parametrize("end", ["", "-wal"])
    def test_a_file_with_another_name(self, store: SqliteStore, home: Path, tmp_path: Path, end: str) -> None:
        """A hard link: SQLite would write into somebody's file; and two names of one database have two logs."""
        store.create(samples.image())
        (home / f"{FILE}{end}").touch(mode=0o600)
        os.link(home / f"{FILE}{end}", tmp_path / "other name")
        with pytest.raises(VscError, match="it has other names") as caught:
            store.read("work")
        mend(str(caught.value).rpartition("mend that with: ")[2])
        assert store.read("work") == samples.image()

    @pytest.mark.parametrize("name", [LOCK, "cards.lock"])
    @pytest.mark.parametrize("leads", [True, False], ids=["to a file", "nowhere"])
    def test_a_link_where_a_lock_is(self, home: Path, tmp_path: Path, name: str, leads: bool) -> None:
        victim = tmp_path / "victim"
        if leads:
            victim.write_bytes(b"")
        home.mkdir()
        (home / name).symlink_to(victim)
        with pytest.raises(VscError, match="it is a link, and none is followed here"):
            SqliteStore(home).create(samples.image())
        assert victim.exists() == leads
        assert not leads or victim.read_bytes() == b""

    def test_a_link_where_a_new_file_is_going_to_be(self, home: Path, tmp_path: Path) -> None:
        victim = tmp_path / "victim"
        victim.write_bytes(b"a file of mine")
        home.mkdir()
        for name in ("instances.json.new", "cards.new", "cards.new-journal"):
            (home / name).symlink_to(victim)
        assert Instances(home, lambda name: True).give("work") == 0
        SqliteStore(home).create(samples.image())
        assert victim.read_bytes() == b"a file of mine"
        assert not (home / "instances.json").is_symlink()

    def test_a_link_where_the_instances_are(self, home: Path, tmp_path: Path) -> None:
        (tmp_path / "victim").write_text('{"work": 3}')
        home.mkdir()
        (home / "instances.json").symlink_to(tmp_path / "victim")
        with pytest.raises(VscError, match=r"instances\.json cannot be read: it is a link"):
            Instances(home, lambda name: True).name_of(3)

    def test_a_link_where_a_card_of_version_0_1_is(self, home: Path, tmp_path: Path) -> None:
        elsewhere = tmp_path / "elsewhere"
        card = rows.card_file(home, samples.image()).rename(elsewhere)
        (home / f"{file_stem('work')}.card").symlink_to(card)
        store = SqliteStore(home)
        (found,) = store.images()
        assert isinstance(found, ImageError)
        assert ".card: it is a link, and none is followed here" in str(found)
        with pytest.raises(VscError, match="it is a link"):
            store.read("work")

    def test_a_pipe(self, home: Path) -> None:
        """Nobody waits for its other end."""
        home.mkdir()
        for name in (LOCK, "instances.json", f"{file_stem('work')}.card"):
            os.mkfifo(home / name)
        store = SqliteStore(home)
        assert [str(one) for one in store.images()] == [f"{file_stem('work')}.card: it is no file"]
        with pytest.raises(VscError, match="it is no file"):
            Instances(home, store.exists).name_of(0)
        (home / f"{file_stem('work')}.card").unlink()
        with pytest.raises(VscError, match="it is no file"):
            store.create(samples.image())
        os.mkfifo(home / f"{FILE}-journal")
        with pytest.raises(VscError, match="it is no file"):
            store.read("work")


def test_a_planted_card_is_not_taken_for_mine(home: Path, tmp_path: Path) -> None:
    """The whole story: a folder for everybody, and in it a database of somebody who knows the PIN."""
    planted = tmp_path / "planted"
    SqliteStore(planted).create(samples.image())
    home.mkdir()
    home.chmod(0o777)
    (planted / FILE).rename(home / FILE)
    with pytest.raises(VscError, match="others may write"):
        SqliteStore(home).read("work")


def test_a_missing_folder_is_nobodys(home: Path) -> None:
    folder.check_private(home)
    with pytest.raises(CardNotFoundError):
        SqliteStore(home).read("work")


def test_a_database_is_opened_as_before(store: SqliteStore, home: Path) -> None:
    """To look at its files closes no descriptor of them: that would drop SQLite's locks."""
    store.create(samples.image())
    with store.open("work"):
        other = sqlite3.connect(home / FILE, isolation_level=None, timeout=0)
        try:
            other.execute("BEGIN IMMEDIATE")
            store.read("work")
            folder.check_files(home, [FILE])
            third = sqlite3.connect(home / FILE, isolation_level=None, timeout=0)
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                third.execute("BEGIN IMMEDIATE")
            third.close()
        finally:
            other.close()
