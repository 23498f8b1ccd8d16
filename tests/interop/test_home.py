"""VSC_HOME where it is hard: a full disk, a read-only file system, a folder that is not ours to write."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.namespace import Namespace, NamespaceRefused
from tests.interop.need import require_tool, unavailable
from tests.interop.vsc_run import NOBODY, Vsc, ordinary_user
from tests.unit.vsc import processes, samples

SMALL = Path("/run/small")
HOME = SMALL / "cards"

_CREATE = "import vsc; vsc.create('work', pin=b'24681357', tries=5)"

_FILL_UP = """
import os, sys, vsc
from pathlib import Path
from vsc.factory import home_store
from vsc.store.summary import summarise
filler = Path(sys.argv[1])
verify, wrong = map(bytes.fromhex, sys.argv[2:])
with vsc.powered("work") as card:
    print(card.transmit(wrong).hex())
    with filler.open("wb", buffering=0) as file:
        try:
            while True:  # Until the disk is full.
                file.write(bytes(1024))
        except OSError as error:
            print(error.strerror)
    start = card.persistent
    print(card.transmit(verify)[:1].hex(), card.persistent == start)
    print(home_store().read("work").persistent == card.persistent)
    try:
        vsc.create("other", pin=b"24681357")
    except vsc.VscError as error:
        print(error)
    filler.unlink()
    print(card.transmit(wrong).hex(), card.transmit(verify).hex())
print(summarise(home_store().read("work")).pin["tries_left"])
"""


@pytest.fixture
def small() -> Iterator[Namespace]:
    """A namespace with a file system of 192 KiB at SMALL."""
    require_tool("mount")
    try:
        namespace = Namespace(bind={})
    except NamespaceRefused as reason:
        unavailable(f"no namespace for a small file system: {reason}")
    with namespace:
        shell(namespace, f"mkdir {SMALL} && mount -t tmpfs -o size=192k,mode=700 tmpfs {SMALL}")
        yield namespace


def shell(namespace: Namespace, script: str) -> None:
    done = subprocess.run(namespace.inside(["sh", "-c", script]), capture_output=True, text=True, check=False)
    if done.returncode:
        unavailable(f"no small file system: {done.stderr.strip()}")


def run(namespace: Namespace, *command: str, code: int = 0) -> tuple[str, str]:
    """Runs Python with these arguments inside, VSC_HOME being HOME; stdout and stderr."""
    done = subprocess.run(
        namespace.inside([sys.executable, *command], cwd=processes.ROOT),
        env=processes.environment(HOME),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout, done.stderr


def vsc(namespace: Namespace, *arguments: str, code: int = 0) -> tuple[str, str]:
    return run(namespace, "-m", "vsc.cli", *arguments, code=code)


def test_a_disk_that_is_full(small: Namespace) -> None:
    run(small, "-c", _CREATE)
    said, _ = run(small, "-c", _FILL_UP, str(SMALL / "filler"), samples.VERIFY, samples.WRONG_VERIFY)
    assert said.splitlines() == [
        "63c4",
        "No space left on device",
        "65 True",
        "True",
        "card 'other' cannot be written: No space left on device",
        "63c3 9000",
        "5",
    ]
    assert "5 of 5 tries left" in vsc(small, "show", "work")[0]


def test_a_disk_that_is_full_before_the_first_card(small: Namespace) -> None:
    shell(small, f"head -c 400k /dev/zero > {SMALL}/filler 2>/dev/null; mkdir {HOME} 2>/dev/null; true")
    _, error = vsc(small, "create", "work", "--pin", "default", code=1)
    assert error.startswith("vsc: the ")
    assert error.endswith(": No space left on device\n")
    shell(small, f"rm {SMALL}/filler")
    vsc(small, "create", "work", "--pin", "default")
    assert "work" in vsc(small, "list")[0]


@pytest.mark.parametrize("was_killed", [False, True], ids=["closed", "killed"])
def test_a_read_only_file_system(small: Namespace, was_killed: bool) -> None:
    """Whatever is on it can be listed and read; also what a killed process left in the log."""
    run(small, "-c", _CREATE)
    wrong = f"card.transmit(bytes.fromhex('{samples.WRONG_VERIFY}'))"
    kill = "import os; os.kill(os.getpid(), 9)" if was_killed else "pass"
    code = f"import vsc\nwith vsc.powered('work') as card:\n {wrong}\n {kill}\n"
    run(small, "-c", code, code=-9 if was_killed else 0)
    shell(small, f"mount -o remount,ro {SMALL}")
    assert "4 of 5" in vsc(small, "list")[0]
    assert "4 of 5 tries left" in vsc(small, "show", "work")[0]
    for arguments in (("transmit", "work", "00A40000"), ("destroy", "work", "--yes"), ("create", "x", "--blank")):
        _, error = vsc(small, *arguments, code=1)
        assert error.endswith(": Read-only file system\n")
        assert error.count("\n") == 1
    shell(small, f"mount -o remount,rw {SMALL}")
    assert "4 of 5 tries left" in vsc(small, "show", "work")[0]
    vsc(small, "destroy", "work", "--yes")


@pytest.fixture
def user() -> Iterator[Vsc]:
    with ordinary_user(Vsc) as vsc:
        yield vsc


class TestAsAnOrdinaryUser:
    def make(self, user: Vsc) -> Path:
        user("create", "work", "--pin", "default")
        return user.folder / "cards"

    @pytest.mark.parametrize("file_mode", [0o600, 0o400])
    def test_a_home_that_is_read_only(self, user: Vsc, file_mode: int) -> None:
        home = self.make(user)
        for path in home.iterdir():
            path.chmod(file_mode)
        home.chmod(0o500)
        before = sorted((path.name, path.read_bytes()) for path in home.iterdir())
        assert "work" in user("list")[0]
        assert "5 of 5 tries left" in user("show", "work")[0]
        for arguments in (("create", "x", "--blank"), ("destroy", "work", "--yes")):
            _, error = user(*arguments, code=1)
            assert error.startswith("vsc: ")
            assert error.count("\n") == 1
            assert "denied" in error or "Read-only" in error
        assert sorted((path.name, path.read_bytes()) for path in home.iterdir()) == before
        home.chmod(0o700)

    def test_a_home_that_is_somebody_elses(self, user: Vsc) -> None:
        home = self.make(user)
        home.chmod(0o000)
        for arguments in (("list",), ("show", "work"), ("create", "x", "--blank")):
            _, error = user(*arguments, code=1)
            assert error == f"vsc: the folder {home} cannot be read: Permission denied\n"
        home.chmod(0o700)

    def test_a_home_of_another_ordinary_user(self, user: Vsc) -> None:
        """He may write to it, whatever its mode is: none of its cards is taken for one of mine."""
        if os.geteuid() != 0:
            unavailable("only root can give a folder to another user")
        home = self.make(user)
        home.chmod(0o755)
        os.chown(home, NOBODY - 1, NOBODY - 1)
        for arguments in (("list",), ("show", "work"), ("create", "x", "--blank")):
            _, error = user(*arguments, code=1)
            assert error.startswith(
                f"vsc: others may write to the folder {home} and so to the cards: mend that with: ch"
            )
            assert error.count("\n") == 1

    def test_a_home_that_cannot_be_made(self, user: Vsc) -> None:
        parent = user.folder / "locked"
        parent.mkdir(mode=0o555)
        _, error = user("create", "x", "--blank", code=1, VSC_HOME=str(parent / "cards"))
        assert error == f"vsc: the folder {parent / 'cards'} cannot be made or written: Permission denied\n"
        assert "no cards yet" in user("list", VSC_HOME=str(parent / "cards"))[1]
