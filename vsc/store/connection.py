"""Connections to a database that are of one process, and to the files that others find in their place.

SQLite forbids that a connection is used in a process that inherited it by fork, and even that such a process opens the
same database again: the locks that keep who closes last from taking the log away would be the parent's alone. So a
child keeps off both, until it is another program.

What is written through a connection goes to the files that were opened. If they were removed or replaced since, by `rm
-r`, or a backup put back, it goes nowhere; SQLite does not look, so `Writing.check` does.
"""

import ctypes
import errno
import os
import sqlite3
import time
import weakref
from pathlib import Path

from vsc.store import schema

FORKED = "this process was forked while these cards were open: start a new one instead"

LOG = "-wal"
FILES = ("", LOG, "-shm")
"""How SQLite calls what it makes for a database that is written: its name, and more."""
_COARSE_NS = 100_000_000
_live: "weakref.WeakSet[Connection]" = weakref.WeakSet()
_inherited: set[tuple[int, int]] = set()
"""What was open when this process was forked: device and inode of each."""


class Connection(sqlite3.Connection):
    """SQLite's, and known to the fork that may come."""

    identity: tuple[int, int] | None = None
    """Device and inode of the database; None once it is closed."""

    def close(self) -> None:
        super().close()
        self.identity = None


def connect(path: Path, how: str, timeout_s: float) -> Connection:
    """Opens a database that is there. how: SQLite's parameters of the URI. PermissionError after a fork."""
    identity = _identity(os.stat(path))
    if identity in _inherited:
        raise PermissionError(errno.EPERM, FORKED)
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{how}",
        uri=True,
        timeout=timeout_s,
        isolation_level=None,
        # A card is used by one thread at a time, but not always by the one that opened it.
        check_same_thread=False,
        factory=Connection,
    )
    connection.identity = identity
    _live.add(connection)
    return connection


class Writing:
    """A connection that changes are written through, by the process that opened it alone."""

    def __init__(self, connection: Connection, path: Path) -> None:
        self.sql = connection
        self._path, self._folder = str(path), str(path.parent)
        self._pid = os.getpid()
        self._identities = self._found()
        self._identity = self._identities[0]
        self._written = os.stat(self._path).st_mtime_ns
        self._folder_changed = 0

    def check_ours(self) -> None:
        """OSError in a process that inherited the connection."""
        if os.getpid() != self._pid:
            raise PermissionError(errno.EPERM, FORKED)

    def check_in_place(self) -> None:
        """OSError if what was written just now is not where others look for it."""
        try:
            database, folder = os.stat(self._path), os.stat(self._folder)
            # As long as nothing was added to the folder, removed or renamed, all is where it was. The clock of files
            # is coarse: what was changed just now may have been changed again.
            is_settled = folder.st_mtime_ns == self._folder_changed and _identity(database) == self._identity
            if not is_settled and self._found() != self._identities:
                raise _gone()
        except FileNotFoundError:
            raise _gone() from None
        is_old = folder.st_mtime_ns < time.time_ns() - _COARSE_NS
        self._folder_changed = folder.st_mtime_ns if is_old else 0
        self._written = database.st_mtime_ns

    def check_if_written(self) -> None:
        """Reads the file anew if it was written since, be it by who copied another one over it; sqlite3.Error.

        That happens now and then to a good one: whoever makes the log shorter writes into the file.
        """
        written = os.stat(self._path).st_mtime_ns
        if written != self._written:
            self.sql.execute("PRAGMA shrink_memory")
            schema.check_whole(self.sql)
            self._written = written

    def close(self) -> None:
        """Closes it; in a process that inherited it, does nothing."""
        if os.getpid() == self._pid:
            self.sql.close()

    def _found(self) -> list[tuple[int, int]]:
        """What stands in the folder now; OSError if one is missing."""
        return [_identity(os.stat(f"{self._path}{end}")) for end in FILES]


def _gone() -> OSError:
    return OSError(errno.ESTALE, "the database was removed or replaced while the card was open")


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _disown() -> None:
    """In a child just forked: what is open here is the parent's, and is never closed, not even at the end."""
    for connection in tuple(_live):
        if connection.identity is not None:
            _inherited.add(connection.identity)
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))
    _live.clear()


os.register_at_fork(after_in_child=_disown)
