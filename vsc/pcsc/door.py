"""A listening Unix socket as a file: made where nothing is, and removed only if it is still the one that was made."""

import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

from vsc.pcsc.errors import PcscError
from vsc.pcsc.lockfile import is_same

HIDDEN = ".away"
"""Behind the socket's name while a fault has the service gone."""


class Door:
    """A listening Unix socket at a path, mode 0600; `close` removes the file if it is still this one's.

    OSError: there is something already, say.
    """

    def __init__(self, path: Path, backlog: int = 128) -> None:
        self.path = path
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._pid = os.getpid()
        try:
            self.listener.bind(str(path))
            self._status = path.lstat()
            path.chmod(0o600)
            self.listener.listen(backlog)
        except OSError:
            self.listener.close()
            raise

    def wake(self) -> None:
        """Has whoever waits in `accept` go on; `close` alone would not."""
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Ends it. In a forked child the parent keeps it."""
        self.listener.close()
        if os.getpid() == self._pid and is_same(self.path, self._status):
            self.path.unlink()

    def hide(self) -> None:
        """Takes the name away, so that nobody finds the socket; `show` gives it back."""
        self._rename(self.path.with_name(self.path.name + HIDDEN))

    def show(self) -> None:
        self._rename(self.path.with_name(self.path.name.removesuffix(HIDDEN)))

    def _rename(self, path: Path) -> None:
        if path != self.path:
            self.path.rename(path)
            self.path = path


def mode_of(path: Path) -> int:
    """The type and mode of a file, 0 if there is none."""
    try:
        return path.lstat().st_mode
    except FileNotFoundError:
        return 0


def clear(path: Path, *, is_left_over: bool) -> None:
    """Makes room for a socket. Only what a killed vsc has left goes: a socket at which nobody listens."""
    mode = mode_of(path)
    if not mode:
        return
    if not is_left_over or not stat.S_ISSOCK(mode) or _is_served(path):
        raise PcscError(f"{path} is there already, and is nothing that a vsc has left")
    path.unlink()


def _is_served(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return False
        except OSError:
            return True
    return True
