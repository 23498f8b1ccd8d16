"""Running one command, and ending whatever it leaves behind.

A command may start daemons that outlive it: gpg-agent and scdaemon do, keep the PC/SC service of this run open, and
would answer a later run from there. So we make ourselves their subreaper (prctl(2)): a process whose parent ends
becomes our child, wherever it has moved to, and at the end every descendant is told to go, then made to.

If we are killed nothing of this can be done: then the kernel ends the command, and a `Reaper` the others.

Without a terminal the command gets a session of its own. With one it stays in ours: a session of its own has no
terminal, and a program could no longer ask for a PIN on /dev/tty.
"""

import ctypes
import os
import secrets
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from vsc.errors import VscError
from vsc.serving.package import package_of
from vsc.serving.reaper import Reaper

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_RUN = "VSC_RUN"
"""In the environment of the command and of all that it starts: whose run they belong to."""
_RUN_BYTES = 16
_TERMINATE_S = 2.0
_KILL_S = 3.0
_FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
_FROM_THE_KEYBOARD = (signal.SIGINT, signal.SIGQUIT)


class CannotStartError(VscError):
    """The command cannot be started; `exit_code` is what a shell answers: 127 not found, 126 not executable."""

    def __init__(self, command: str, error: OSError) -> None:
        # A folder in PATH that we may not enter makes exec say "permission denied" of a command that is nowhere.
        is_missing = isinstance(error, FileNotFoundError) or ("/" not in command and shutil.which(command) is None)
        self.exit_code = 127 if is_missing else 126
        package = package_of(command) if is_missing else None
        where = f" (on Debian it is in the package {package})" if package else ""
        super().__init__(f"{command} cannot be started: {'not found' if is_missing else error.strerror}{where}")


def run(command: Sequence[str], env: Mapping[str, str]) -> int:
    """Runs a command to its end, then ends its descendants; returns its exit status, -N if signal N ended it.

    Signals that reach us are passed on. From the terminal the keyboard's signals reach the command by themselves.
    """
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise VscError("this kernel lets nobody adopt orphans (PR_SET_CHILD_SUBREAPER)")
    on_terminal = sys.stdin is not None and sys.stdin.isatty()
    run = secrets.token_hex(_RUN_BYTES)
    # From before the command starts: it may be up, and somebody signal us, before we go on.
    with Reaper(f"{_RUN}={run}") as reaper, _forwarding(on_terminal=on_terminal) as to:
        try:
            process = subprocess.Popen(
                command,
                env={**env, _RUN: run},
                start_new_session=not on_terminal,
                preexec_fn=_ends_with(  # noqa: PLW1509  # It says itself why it may.
                    os.getpid(), None if on_terminal else reaper.watch_session
                ),
            )
        except OSError as error:
            raise CannotStartError(command[0], error) from None
        try:
            to(process)
            return process.wait()
        finally:
            end_descendants(spared=reaper.pids)


def _ends_with(parent: int, watch_session: Callable[[int], None] | None) -> Callable[[], None]:
    """What a child does before it becomes the command: from then on it is killed if we are, however that happens.

    watch_session: told of its session, if it has one of its own; by itself, since we may be killed before we could.

    In a child of a process with threads little may be done: nothing here imports, logs or takes a lock.
    """
    prctl, getppid, kill = ctypes.CDLL(None).prctl, os.getppid, os._exit

    def end_with_parent() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if getppid() != parent:  # It has been killed already.
            kill(128 + signal.SIGKILL)
        if watch_session is not None:
            watch_session(os.getpid())

    return end_with_parent


@contextmanager
def _forwarding(*, on_terminal: bool) -> Iterator[Callable[[subprocess.Popen[bytes]], None]]:
    """Passes signals on to the process that is named by a call of what this gives, early ones when it is named."""
    early: list[int] = []
    processes: list[subprocess.Popen[bytes]] = []

    def forward(number: int, frame: FrameType | None = None) -> None:
        if on_terminal and number in _FROM_THE_KEYBOARD:
            return
        if not processes:
            early.append(number)
        for process in processes:
            with suppress(ProcessLookupError):
                process.send_signal(number)

    def to(process: subprocess.Popen[bytes]) -> None:
        processes.append(process)
        while early:
            forward(early.pop(0))

    before = {number: signal.signal(number, forward) for number in _FORWARDED}
    try:
        yield to
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_descendants(spared: Collection[int] = ()) -> None:
    """Asks every descendant but some to end, waits up to two seconds, and kills what is left."""
    deadline = time.monotonic() + _TERMINATE_S
    number = signal.SIGTERM
    while (
        pids := [pid for pid in descendants(os.getpid()) if pid not in spared]
    ) and time.monotonic() < deadline + _KILL_S:  # what the kernel cannot kill stays
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        _wait_for_an_end(pids, deadline)
        _reap()
        if time.monotonic() >= deadline:
            number = signal.SIGKILL


def descendants(root: int) -> list[int]:
    """Returns the processes below `root` that have not ended, from /proc."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # The name, in brackets, may hold anything; what follows the last bracket does not.
            state, parent = path.read_text(errors="replace").rpartition(")")[2].split()[:2]
            if state not in "ZX":
                parents[int(path.parent.name)] = int(parent)
    found: list[int] = []
    generation = {root}
    while generation:
        generation = {pid for pid, parent in parents.items() if parent in generation}
        found += sorted(generation)
    return found


def _wait_for_an_end(pids: Sequence[int], deadline: float) -> None:
    """Waits until one of the processes has ended, or the deadline; after it, a tenth of a second for SIGKILL."""
    poller = select.poll()
    descriptors = []
    for pid in pids:
        with suppress(OSError):
            descriptors.append(os.pidfd_open(pid))
            poller.register(descriptors[-1], select.POLLIN)
    left_s = deadline - time.monotonic()
    if len(descriptors) == len(pids):
        poller.poll(1000 * (left_s if left_s > 0 else 0.1))
    for descriptor in descriptors:
        os.close(descriptor)


def _reap() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
