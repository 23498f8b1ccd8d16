"""Newer client libraries than the installed one, as scripts/newer_libpcsclite.sh leaves them in .venv/libpcsclite."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from tests.interop.need import unavailable
from tests.interop.pcsc import worlds

FETCHED = Path(__file__).resolve().parents[3] / ".venv" / "libpcsclite"
PROTOCOL_MINOR = {"trixie": 5, "forky": 6}


@dataclass(frozen=True)
class Library:
    """The libpcsclite of a Debian suite, and how a program is started so that it uses it.

    By LD_LIBRARY_PATH alone; or, if this machine's glibc is too old for it, on the suite's glibc by its own ld.so.
    """

    suite: str
    folder: Path = field(init=False)
    prefix: tuple[str, ...] = field(init=False, default=())
    env: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        folder = FETCHED / self.suite
        if not (folder / "version").is_file():
            unavailable(f"no libpcsclite1 of Debian {self.suite}: scripts/newer_libpcsclite.sh fetches it")
        set_once = partial(object.__setattr__, self)
        set_once("folder", folder)
        for loader in folder.glob("ld-linux*"):
            set_once("prefix", (str(loader), "--library-path", str(folder)))
        set_once("env", {} if self.prefix else {"LD_LIBRARY_PATH": str(folder)})

    @property
    def version(self) -> str:
        return (self.folder / "version").read_text().strip()

    @property
    def minor(self) -> int:
        return PROTOCOL_MINOR[self.suite]

    @property
    def files(self) -> set[str]:
        """What a program that uses it has loaded: the library, and the one that this loads."""
        return {str(self.folder / "libpcsclite.so.1"), str(self.folder / "libpcsclite_real.so.1")}

    @contextmanager
    def used_by_worlds(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """Whatever `worlds.play` starts uses it."""
        program = worlds.program
        with monkeypatch.context() as patched:
            patched.setattr(worlds, "program", lambda *words: [*self.prefix, *program(*words)])
            for name, value in self.env.items():
                patched.setenv(name, value)
            yield


def loaded_by(pid: int) -> set[str]:
    """The files of libpcsclite that a running process has loaded."""
    return _of_libpcsclite(re.findall(r"/\S+", Path(f"/proc/{pid}/maps").read_text()))


@dataclass(frozen=True)
class LoaderLog:
    """What ld.so says it has loaded in programs that have ended: `env` is what they need to be started with."""

    folder: Path

    @property
    def env(self) -> dict[str, str]:
        return {"LD_DEBUG": "libs", "LD_DEBUG_OUTPUT": str(self.folder / "ld.so")}

    def libpcsclite(self) -> set[str]:
        logs = "".join(log.read_text() for log in self.folder.glob("ld.so.*"))
        return _of_libpcsclite(re.findall(r"calling init: (\S+)", logs))


def _of_libpcsclite(paths: Iterable[str]) -> set[str]:
    return {path for path in paths if Path(path).name.startswith("libpcsclite")}
