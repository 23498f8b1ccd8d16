"""What ends all that a command has started, if whoever started it is killed.

SIGKILL leaves `vsc run` no time to end anything. The kernel ends its command then (PR_SET_PDEATHSIG), and nobody else:
what the command has started in its turn, and daemons that have a session of their own, would go on for ever, with
sockets at which nobody answers. So a process beside the command waits for the end of a pipe that we hold, and kills
every process of the command's session, and every one that was started with the variable that is this run's alone.

It is a program of its own and imports nothing of ours: it must be there soon, hold nothing that we have open, and not
be among those that it, or another run's, looks for.
"""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from types import TracebackType
from typing import Self

_PROGRAM = """
import os, signal, sys
marker = os.fsencode(sys.argv[1])
told = b""
while piece := os.read(0, 64):
    told += piece
session = int(told or b"0")

def is_ours(pid):
    try:
        if session and os.getsid(pid) == session:
            return True
        with open("/proc/%d/environ" % pid, "rb") as file:
            return marker in file.read().split(b"\\0")
    except OSError:
        return False

for turn in range(50):  # They may start others faster than we look around; and one that has ended is seen for a while.
    found = [int(name) for name in os.listdir("/proc") if name.isdigit() and is_ours(int(name))]
    if not found:
        break
    for pid in found:
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
"""


class Reaper:
    """Watches over this process from when it is entered until it is left; then it does nothing.

    marker: NAME=value, as only those have it in their environment that are to go. It does without if it cannot be
    started.
    """

    def __init__(self, marker: str) -> None:
        self._marker = marker
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe = -1

    @property
    def pids(self) -> frozenset[int]:
        """It is our child, and none that the command has left behind."""
        return frozenset({self._process.pid} if self._process else ())

    def __enter__(self) -> Self:
        its_end, self._pipe = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _PROGRAM, self._marker],
                stdin=its_end,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                env={},
            )
        except OSError:  # Out of processes, say.
            return self
        finally:
            os.close(its_end)
        return self

    def watch_session(self, number: int) -> None:
        """Those of a session are to go, too, whatever their environment. To be called by a child before its exec."""
        before = signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        with suppress(OSError):  # Somebody has ended it, or it has not been started.
            os.write(self._pipe, b"%d" % number)
        signal.signal(signal.SIGPIPE, before)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        os.close(self._pipe)
