import fcntl
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from vsc.pcsc import PcscError, remove_stale
from vsc.pcsc.folder import MAX_PATH_BYTES, Folder, checked_socket_path


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


def test_the_folder_of_a_killed_owner_is_removed_and_no_other(base: Path) -> None:
    live = Folder(base)
    code = (
        "import sys, pathlib, os, signal; from vsc.pcsc.folder import Folder; f = Folder(pathlib.Path(sys.argv[1])); "
    )
    killed = subprocess.run(
        [sys.executable, "-c", code + "os.kill(os.getpid(), signal.SIGKILL)", str(base)], check=False
    )
    assert killed.returncode == -9
    (base / "vsc-unlocked").mkdir(mode=0o700)
    (base / "else").mkdir(mode=0o700)
    (stale,) = [one for one in base.iterdir() if one.name not in (live.path.name, "vsc-unlocked", "else")]
    assert remove_stale(base) == [stale]
    assert remove_stale(base) == []
    assert {one.name for one in base.iterdir()} == {live.path.name, "vsc-unlocked", "else"}
    live.remove()


def test_a_folder_that_was_taken_for_stale_is_made_anew(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = fcntl.flock, []

    def flock(fd: int, how: int) -> None:
        calls.append(fd)
        if len(calls) == 1:
            raise BlockingIOError
        real(fd, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    folder = Folder(base)
    assert len(calls) == 2
    folder.remove()


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a folder away, which only root can")
def test_folders_of_others_are_left_alone(base: Path) -> None:
    folder = Folder(base)
    os.chown(folder.path, 12_345, 12_345)
    os.close(folder._lock)
    assert remove_stale(base) == []
    os.chown(base, 12_345, 12_345)
    with pytest.raises(PcscError):
        Folder(base)
