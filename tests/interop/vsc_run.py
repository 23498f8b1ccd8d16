"""`vsc` as a person who is not root runs it, for interop tests: no pcscd, a home and cards of its own."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import pytest

from tests.interop.need import require_tool

BIN = Path(sys.executable).parent
NOBODY = 65534


class Program(subprocess.Popen[str]):
    """Ends with its block when that fails: a program that hangs must not hang the tests, too."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.terminate()
            try:
                self.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
        super().__exit__(kind, error, trace)


class Vsc:
    """Runs vsc, and programs, as an ordinary user with a home, a runtime folder and a store of cards of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runtime = folder / "run"
        self.runtime.mkdir(mode=0o700)
        theirs = ("PCSCLITE", "VSC_", "OPENSC", "GNUPG", "GPG_", "SSH_", "JAVA", "JDK")
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith(theirs)},
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "VSC_HOME": str(folder / "cards"),
            "XDG_RUNTIME_DIR": str(self.runtime),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "TMPDIR": str(folder),
            "LC_ALL": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self.become: list[str] = []
        if os.geteuid() == 0:
            for path in (folder, self.runtime):
                os.chown(path, NOBODY, NOBODY)
            self.become = [require_tool("setpriv"), f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--"]

    def start(self, *command: str | Path, **env: str) -> subprocess.Popen[str]:
        """Starts any program as this user."""
        return Program(
            [*self.become, *map(str, command)],
            env={**self.env, **env},
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def popen(self, *words: str | Path, **env: str) -> subprocess.Popen[str]:
        return self.start(BIN / "vsc", *words, **env)

    def __call__(self, *words: str | Path, code: int = 0, **env: str) -> tuple[str, str]:
        with self.popen(*words, **env) as process:
            out, err = process.communicate(timeout=60)
        assert process.returncode == code, f"vsc {words}: {process.returncode}\n{out}\n{err}"
        assert "Traceback" not in err
        return out, err

    @contextmanager
    def serving(self, *words: str | Path) -> Iterator[dict[str, str]]:
        """`vsc serve`; gives the variables of its export line."""
        with self.popen("serve", *words) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("export "), process.communicate(timeout=10)
            try:
                yield dict(word.split("=", 1) for word in line.split()[1:])
            finally:
                process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0

    def left(self) -> list[str]:
        """What services have left in the runtime folder."""
        return [path.name for path in self.runtime.glob("vsc/*")]


User = TypeVar("User", bound=Vsc)
_reached: list[bool] = []
"""Not empty once an ordinary user has run the command of this checkout, which then stays where it is."""


def _skip_out_of_reach(user: Vsc) -> None:
    try:
        with user.popen("--version") as version:
            _, err = version.communicate(timeout=50)
        reaches = version.returncode == 0
    except OSError as error:
        reaches, err = False, str(error)
    if not reaches:
        # A checkout in a private folder: nothing is missing that could be installed, so this is no failure in CI.
        pytest.skip(f"an ordinary user cannot reach this checkout: {err.strip()[-200:]}")


@contextmanager
def ordinary_user(kind: type[User]) -> Iterator[User]:
    """A `Vsc`, or one of its kinds, in a folder that goes."""
    # Not tmp_path: only root may enter root's, and the paths of sockets must be short.
    folder = Path(tempfile.mkdtemp(prefix="vc", dir="/tmp"))
    try:
        user = kind(folder)
        if not _reached:
            _skip_out_of_reach(user)
            _reached.append(True)
        yield user
    finally:
        shutil.rmtree(folder)
