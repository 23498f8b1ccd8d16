import errno
import fcntl
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from vsc.pcsc import PcscError, remove_stale
from vsc.pcsc.door import Door
from vsc.pcsc.folder import CONTENT, CONTROL, MAX_PATH_BYTES, TREES, Folder, checked_socket_path
from vsc.pcsc.lockfile import LOCK, mark


@pytest.fixture
def base(tmp_path: Path) -> Path:
    folder = tmp_path / "b"
    folder.mkdir(mode=0o700)
    return folder


def test_a_folder_is_private_and_goes(base: Path) -> None:
    one, two = Folder(base), Folder(base)
    assert one.path != two.path
    assert stat.S_IMODE(one.path.stat().st_mode) == 0o700
    assert one.socket_path == one.path / "service"
    one.remove()
    one.remove()
    two.remove()
    assert list(base.iterdir()) == []


def test_it_lies_in_the_runtime_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = Folder()
    assert folder.path.parent == tmp_path / "vsc"
    folder.remove()


@pytest.mark.parametrize("runtime", ["", "relative", "/nonexistent/folder", "open"])
def test_or_else_where_temporary_files_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: str) -> None:
    if runtime == "open":
        (tmp_path / "open").mkdir()
        (tmp_path / "open").chmod(0o755)
        runtime = str(tmp_path / "open")
    monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = Folder()
    assert folder.path.parent == tmp_path
    folder.remove()


def test_a_base_that_others_can_enter_is_refused(base: Path, tmp_path: Path) -> None:
    base.chmod(0o750)
    with pytest.raises(PcscError, match="0700"):
        Folder(base)
    base.chmod(0o700)
    (tmp_path / "link").symlink_to(base)
    with pytest.raises(PcscError, match="0700"):
        Folder(tmp_path / "link")
    made = Folder(tmp_path / "not" / "yet")
    made.remove()


def test_a_path_has_107_bytes(tmp_path: Path) -> None:
    longest = Path("/" + "x" * (MAX_PATH_BYTES - 1))
    assert checked_socket_path(longest) == longest
    with pytest.raises(PcscError, match="108 bytes, 107"):
        checked_socket_path(Path(f"{longest}x"))
    deep = tmp_path / ("d" * 100)
    with pytest.raises(PcscError, match="107 are possible"):
        Folder(deep)
    assert list(deep.iterdir()) == []


KILLED = """
import os, pathlib, signal, sys
from vsc.pcsc.door import Door
from vsc.pcsc.folder import CONTROL, TREES, Folder
where = pathlib.Path(sys.argv[2])
folder = Folder(socket_path=where) if sys.argv[1] == "chosen" else Folder(where)
doors = [Door(folder.socket_path), Door(folder.path / CONTROL)]
if sys.argv[1] == "fresh":
    (folder.tree(TREES[0]) / "trustdb.gpg").write_text("a program's")
doors[0].hide() if sys.argv[3:] else None
os.kill(os.getpid(), signal.SIGKILL)
"""


def killed(kind: str, where: Path, *more: str) -> None:
    """Somebody makes a folder with all that it may hold, and is killed."""
    done = subprocess.run([sys.executable, "-c", KILLED, kind, str(where), *more], check=False)
    assert done.returncode == -signal.SIGKILL


def content(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_the_folder_of_a_killed_owner_is_removed_and_no_other(base: Path) -> None:
    live = Folder(base)
    killed("fresh", base)
    (base / "vsc-unlocked").mkdir(mode=0o700)
    (base / "else").mkdir(mode=0o700)
    (stale,) = [one for one in base.iterdir() if one.name not in (live.path.name, "vsc-unlocked", "else")]
    assert {one.name for one in stale.iterdir()} < CONTENT
    assert remove_stale(base) == [stale]
    assert remove_stale(base) == []
    assert {one.name for one in base.iterdir()} == {live.path.name, "vsc-unlocked", "else"}
    live.remove()


def test_every_start_removes_what_is_stale(base: Path) -> None:
    killed("fresh", base, "hidden")
    killed("fresh", base)
    folder = Folder(base)
    assert list(base.iterdir()) == [folder.path]
    folder.remove()


HOME = ("cards.db", "cards.db-wal", "instances.json", "lock", "work.lock")


def home(path: Path) -> Path:
    """A folder with cards, of a name that mkdtemp might have given it."""
    path.mkdir(mode=0o700)
    for name in HOME:
        (path / name).write_text(name)
    return path


@pytest.mark.parametrize("words", [None, b"", b"anything", b"Made by vsc, which removes it: vsc-00000000\n", "its own"])
def test_a_folder_with_cards_is_nobodys_to_remove(base: Path, words: bytes | str | None) -> None:
    """VSC_HOME may lie there, have any name, and a lock file of any content: even of one that says the right thing."""
    cards = home(base / "vsc-home_123")
    if words is not None:
        (cards / LOCK).write_bytes(mark(cards) if isinstance(words, str) else words)
    before = content(base)
    Folder(base).remove()
    assert remove_stale(base) == []
    assert content(base) == before


def test_serving_from_the_home_and_being_killed_costs_no_card(base: Path) -> None:
    cards = home(base / "vsc-home_123")
    killed("chosen", cards / "pcsc")
    assert remove_stale(base) == []
    Folder(base).remove()
    assert content(cards) == {*HOME, LOCK, "pcsc", CONTROL}
    folder = Folder(socket_path=cards / "pcsc")
    assert content(cards) == {*HOME, LOCK}
    folder.remove()
    assert content(cards) == set(HOME)


def test_what_we_never_made_keeps_a_stale_folder(base: Path) -> None:
    killed("fresh", base)
    (stale,) = base.iterdir()
    (stale / "notes").write_text("mine")
    before = content(base)
    assert remove_stale(base) == []
    assert content(base) == before
    (stale / "notes").unlink()
    (stale / "service").unlink()
    (stale / "service").write_text("no socket")
    assert remove_stale(base) == []
    assert (stale / "service").read_text() == "no socket"


@pytest.mark.parametrize("link", ["folder", "lock", "pipe"])
def test_links_and_pipes_are_not_followed(base: Path, tmp_path: Path, link: str) -> None:
    killed("fresh", base)
    (stale,) = base.iterdir()
    if link == "folder":
        stale.rename(tmp_path / stale.name)
        stale.symlink_to(tmp_path / stale.name)
    else:
        (stale / LOCK).rename(tmp_path / LOCK)
        (stale / LOCK).symlink_to(tmp_path / LOCK) if link == "lock" else os.mkfifo(stale / LOCK)
    assert remove_stale(base) == []


# --- three tries


@pytest.mark.parametrize(("error", "words"), [(errno.ENOLCK, "No locks"), (errno.EWOULDBLOCK, "Resource temp")])
def test_where_nothing_can_be_locked_there_is_a_sentence(
    base: Path, monkeypatch: pytest.MonkeyPatch, error: int, words: str
) -> None:
    calls = []

    def flock(fd: int, how: int) -> None:
        calls.append(fd)
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(PcscError, match=f"no private folder can be had in .*: {words}"):
        Folder(base)
    assert len(calls) == 3
    assert list(base.iterdir()) == []


def test_out_of_descriptors_there_is_a_sentence(base: Path) -> None:
    """It made 28 942 folders in three seconds."""
    code = (
        "import pathlib, resource, sys; from vsc.pcsc.folder import Folder; p = pathlib.Path(sys.argv[1]); import os\n"
        "held = os.listdir('/proc/self/fd'); resource.setrlimit(resource.RLIMIT_NOFILE, (len(held), len(held)))\n"
        "try:\n while True: os.dup(0)\nexcept OSError: pass\n"  # It ends at the limit.
        "try: Folder(p)\nexcept Exception as error: print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(base)], capture_output=True, text=True, check=False)
    assert done.stdout == f"PcscError no private folder can be had in {base}: Too many open files\n", done.stderr
    assert list(base.iterdir()) == []


def test_any_umask_will_do(base: Path) -> None:
    before = os.umask(0o777)
    try:
        folder = Folder(base)
        door = Door(folder.socket_path)
    finally:
        os.umask(before)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder.path, folder.path / LOCK, door.path)]
    assert modes == [0o700, 0o600, 0o600]
    door.close()
    folder.remove()
    assert list(base.iterdir()) == []


# --- a path of somebody's choice


@pytest.mark.parametrize("name", ["pcsc", "pcsc.away", CONTROL, LOCK])
@pytest.mark.parametrize("kind", ["file", "socket", "empty"])
def test_what_is_there_already_is_somebodys(base: Path, name: str, kind: str) -> None:
    path = base / name
    if kind == "socket":
        with socket.socket(socket.AF_UNIX) as somebodys:
            somebodys.bind(str(path))
    else:
        path.write_text("" if kind == "empty" else "mine")
    status = path.lstat()
    with pytest.raises(PcscError, match=r"is there already|is not to be had"):
        Folder(socket_path=base / "pcsc")
    assert os.path.samestat(path.lstat(), status)
    assert list(base.iterdir()) == [path]


def test_a_socket_at_which_somebody_listens_is_somebodys(base: Path) -> None:
    killed("chosen", base / "pcsc")
    (base / "pcsc").unlink()
    with socket.socket(socket.AF_UNIX) as somebodys:
        somebodys.bind(str(base / "pcsc"))
        somebodys.listen()
        with pytest.raises(PcscError, match="nothing that a vsc has left"):
            Folder(socket_path=base / "pcsc")


def test_two_do_not_serve_in_one_folder(base: Path) -> None:
    folder = Folder(socket_path=base / "pcsc")
    for name in ("pcsc", "other"):
        with pytest.raises(PcscError, match="another vsc serves"):
            Folder(socket_path=base / name)
    folder.remove()
    for name in (CONTROL, LOCK):
        with pytest.raises(PcscError, match="choose another"):
            Folder(socket_path=base / name)
    assert list(base.iterdir()) == []


@pytest.mark.parametrize("name", ["b", "a-name-that-is-longer"])
def test_a_killed_owner_keeps_nobody_out_who_chooses_another_name(base: Path, name: str) -> None:
    killed("chosen", base / "a-name")
    folder = Folder(socket_path=base / name)
    assert content(base) == {LOCK}
    assert (base / LOCK).read_bytes() == mark(base / name)
    folder.remove()
    killed("chosen", base / "a-name")
    killed("chosen", base / name)
    Folder(socket_path=base / "a-name").remove()
    assert list(base.iterdir()) == []


def test_one_that_was_killed_as_it_took_over_is_taken_over(base: Path) -> None:
    (base / LOCK).write_bytes(mark(base / "b") + b"what was longer\n")
    Folder(socket_path=base / "c").remove()
    assert list(base.iterdir()) == []


def test_what_took_the_place_of_a_killed_owners_socket_stays(base: Path) -> None:
    killed("chosen", base / "a")
    (base / "a").unlink()
    (base / "a").write_text("mine")
    Folder(socket_path=base / "b").remove()
    assert (base / "a").read_text() == "mine"
    assert content(base) == {"a"}


@pytest.mark.parametrize("name", [b"..", b".", b"", b"x/y", b"../x", b"/x", LOCK.encode(), b"no end"])
def test_a_lock_that_names_no_socket_is_nobodys(base: Path, name: bytes) -> None:
    words = mark(base).replace(os.fsencode(base.name), name)
    (base / LOCK).write_bytes(words.rstrip(b"\n") if name == b"no end" else words)
    with pytest.raises(PcscError, match="vsc has not made it"):
        Folder(socket_path=base / "b")


def test_what_took_the_place_of_ours_stays(base: Path) -> None:
    folder = Folder(socket_path=base / "pcsc")
    door = Door(folder.socket_path)
    for path in (door.path, base / LOCK):
        path.unlink()
        path.write_text("mine")
    door.close()
    folder.remove()
    assert {path.name: path.read_text() for path in base.iterdir()} == {"pcsc": "mine", LOCK: "mine"}


# --- a child made by fork


FORKED = """
import os, pathlib, signal, sys
from vsc.pcsc.door import Door
from vsc.pcsc.folder import Folder
folder = Folder(pathlib.Path(sys.argv[1]))
door = Door(folder.socket_path)
done, say = os.pipe()
if child := os.fork():
    os.read(done, 1)
    print(child, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
door.close()
folder.remove()
os.write(say, b"!")
signal.pause()
"""


def test_a_child_takes_nothing_away_and_holds_nothing(base: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", FORKED, str(base)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert parent.wait(30) == -signal.SIGKILL
        try:
            (left,) = base.iterdir()
            assert content(left) == {LOCK, "service"}
            assert remove_stale(base) == [left], "the child has its parent's lock"
        finally:
            os.kill(child, signal.SIGKILL)


def test_there_is_one_list_of_what_a_folder_may_hold() -> None:
    assert {LOCK, "service", "service.away", CONTROL, *TREES} == CONTENT


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a folder away, which only root can")
def test_folders_of_others_are_left_alone(base: Path) -> None:
    folder = Folder(base)
    os.chown(folder.path, 12_345, 12_345)
    folder.let_go()
    assert remove_stale(base) == []
    os.chown(base, 12_345, 12_345)
    with pytest.raises(PcscError):
        Folder(base)
