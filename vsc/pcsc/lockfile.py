"""The file `vsc.lock`: it says what a folder or a socket is to vsc, and is locked (flock) while its owner lives."""

import errno
import fcntl
import os
import stat
from pathlib import Path

from vsc.pcsc.errors import PcscError

LOCK = "vsc.lock"
_MAX_MARK_BYTES = 4096
_MARK = b"Made by vsc, which removes it: "


def is_same(path: Path, status: os.stat_result) -> bool:
    """Whether the file is still there, and no other one in its place."""
    try:
        return os.path.samestat(path.lstat(), status)
    except OSError:
        return False


def mark(path: Path) -> bytes:
    """What the lock of a folder says, or that of a socket in a folder of somebody's choice: its name, too."""
    return _MARK + os.fsencode(path.name) + b"\n"


def new_lock(path: Path, mark: bytes) -> int:
    """Makes the lock file and locks it. Only then does it say anything, so nobody takes it for a killed owner's."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        os.fchmod(fd, 0o600)
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(fd, mark)
    except OSError:
        os.close(fd)
        path.unlink()
        raise
    return fd


def old_lock(path: Path, *, refused: str) -> tuple[int, Path] | None:
    """Takes over the lock of a killed owner; returns it, and the socket beside it that was the owner's.

    None if there is none. PcscError: it is somebody's, or no lock of vsc.
    """
    try:
        lock = locked(path)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        raise PcscError(refused) from None
    except OSError as error:
        raise PcscError(f"{path} is not to be had: {error.strerror}") from None
    socket_path = path.with_name(_marked(content(lock)) or path.name)
    if socket_path == path:
        os.close(lock)
        raise PcscError(f"{path} is there already, and vsc has not made it for a socket: remove it, or choose another")
    return lock, socket_path


def _marked(words: bytes) -> str | None:
    """The name that a mark says; None: it is none. What an older and longer mark has left behind it does not count."""
    line, end, _ = words.partition(b"\n")
    name = os.fsdecode(line.removeprefix(_MARK))
    is_name = name == Path(name).name and "\0" not in name
    return name if end and line.startswith(_MARK) and is_name else None


def mark_anew(lock: int, mark: bytes) -> None:
    """Says something else in a lock file that is ours; at every moment it says the one or the other. OSError."""
    os.pwrite(lock, mark, 0)
    os.ftruncate(lock, len(mark))


def locked(path: Path) -> int:
    """Opens and locks a file that is there. OSError: it is not, is no plain file of ours, or somebody holds it."""
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
            raise OSError(errno.EPERM, "no plain file of yours")
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not is_same(path, status):
            raise BlockingIOError(errno.EAGAIN, "somebody else is removing it")
    except OSError:
        os.close(fd)
        raise
    return fd


def content(lock: int) -> bytes:
    return os.pread(lock, _MAX_MARK_BYTES, 0)
