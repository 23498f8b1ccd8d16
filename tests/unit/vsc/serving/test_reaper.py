"""vsc.serving.reaper: whom it ends if we are killed, and whom not. `test_child` has it in its place."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vsc.serving.reaper import Reaper

ENTERS = """
import os, signal, subprocess, sys
from vsc.serving.reaper import Reaper
with Reaper("VSC_RUN=mine") as reaper:
    reaper.watch_session(int(sys.argv[1]))
    print(*reaper.pids, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def sleeper(variable: str, **more: bool) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "1000"], env={**os.environ, "VSC_RUN": variable}, **more)  # type: ignore[call-overload,no-any-return]


def ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except FileNotFoundError:
        return True


def test_those_of_the_run_end_and_nobody_else() -> None:
    mine, other, in_session = sleeper("mine"), sleeper("mine2"), sleeper("", start_new_session=True)
    try:
        killed = subprocess.run(
            [sys.executable, "-c", ENTERS, str(in_session.pid)], stdout=subprocess.PIPE, text=True, check=False
        )
        assert (mine.wait(30), in_session.wait(30)) == (-9, -9)
        # It ends when it finds nobody any more.
        reaper = int(killed.stdout)
        while not ended(reaper):
            os.sched_yield()
        assert other.poll() is None
    finally:
        for process in (mine, other, in_session):
            process.kill()
            process.wait()


def test_whoever_is_left_alone_is_there_afterwards() -> None:
    process = sleeper("mine")
    with Reaper("VSC_RUN=mine") as reaper:
        (pid,) = reaper.pids
        assert not ended(pid)
    assert ended(pid)
    assert process.poll() is None
    process.kill()
    process.wait()


def test_without_a_process_for_it_all_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(*_: object, **__: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "Popen", start)
    with Reaper("VSC_RUN=none") as reaper:
        reaper.watch_session(1)
        assert reaper.pids == frozenset()
