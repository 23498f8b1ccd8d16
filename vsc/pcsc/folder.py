"""Where the sockets live: a folder that nobody else can enter, and that a later run can tell to be forgotten.

There is no authentication in pcsc-lite's protocol, so the folder is the door: mode 0700, ours, with a random name.
It lies in $XDG_RUNTIME_DIR/vsc where that exists, else it is a fresh folder in the folder for temporary files, where
no name can be relied upon. Its file `lock` is locked (flock) while its owner lives; the kernel lets go of the lock
however the owner ends, and `remove_stale` removes the folders whose lock it can take.
"""

import fcntl
import os
import shutil
import stat
import tempfile
from pathlib import Path

from vsc.pcsc.errors import PcscError

MAX_PATH_BYTES = 107
"""Of a socket: sun_path has 108, and libpcsclite cuts what is longer without a word."""
PREFIX = "vsc-"
LOCK = "lock"
SOCKET = "service"


class Folder:
    """A private folder, locked; `remove` takes away what was made.

    base: a folder to make a fresh one in, itself private; None: $XDG_RUNTIME_DIR/vsc, else the folder for temporary
    files. socket_path: a path of one's own choice instead; its folder is made if need be and must be private.
    PcscError when it cannot be had.
    """

    def __init__(self, base: Path | None = None, *, socket_path: Path | None = None) -> None:
        if socket_path is not None:
            self._take(socket_path)
            return
        parent = _parent(base)
        while True:
            self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))  # made with mode 0700
            self._is_fresh = True
            try:
                self.socket_path = checked_socket_path(self.path / SOCKET)
            except PcscError:
                self.path.rmdir()
                raise
            lock = _locked(self.path / LOCK, os.O_CREAT)
            if lock is not None:
                self._lock = lock
                return
            # Somebody took the folder for stale before its lock was locked, and removes it.

    def _take(self, socket_path: Path) -> None:
        self.socket_path = checked_socket_path(socket_path.absolute())
        self.path = _parent(self.socket_path.parent)
        self._is_fresh = False
        lock = _locked(self.path / LOCK, os.O_CREAT)
        if lock is None:
            raise PcscError(f"another vsc serves in {self.path}")
        self._lock = lock
        # Whoever had the lock before was killed: what it left is nobody's.
        if stat.S_ISSOCK(_mode(self.socket_path)):
            self.socket_path.unlink()
        elif _mode(self.socket_path):
            os.close(lock)
            raise PcscError(f"{self.socket_path} is there already, and is no socket")

    def remove(self) -> None:
        """Removes the folder with all that is in it; of a folder of one's own choice, the socket and the lock."""
        if self._lock < 0:
            return
        if self._is_fresh:
            shutil.rmtree(self.path, ignore_errors=True)
        else:
            self.socket_path.unlink(missing_ok=True)
            (self.path / LOCK).unlink(missing_ok=True)
        os.close(self._lock)
        self._lock = -1


def remove_stale(base: Path | None = None) -> list[Path]:
    """Removes the folders of services that were killed; returns them. Others' folders, and live ones, stay."""
    parent = base or _runtime_folder() or Path(tempfile.gettempdir())
    removed = []
    for path in sorted(parent.glob(PREFIX + "*")):
        if not _is_private(path):
            continue
        lock = _locked(path / LOCK, 0)
        if lock is not None:
            shutil.rmtree(path, ignore_errors=True)
            os.close(lock)
            removed.append(path)
    return removed


def checked_socket_path(path: Path) -> Path:
    """The path, if a socket can have it; PcscError otherwise."""
    length = len(os.fsencode(path))
    if length > MAX_PATH_BYTES:
        raise PcscError(f"the socket's path would have {length} bytes, {MAX_PATH_BYTES} are possible: {path}")
    return path


def _parent(base: Path | None) -> Path:
    if base is None:
        return _runtime_folder() or Path(tempfile.gettempdir())
    try:
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise PcscError(f"the folder {base} cannot be made: {error.strerror}") from None
    if not _is_private(base):
        raise PcscError(f"{base} must be a folder of yours that nobody else can enter (mode 0700)")
    return base


def _runtime_folder() -> Path | None:
    """$XDG_RUNTIME_DIR/vsc, made if need be; None where there is none or where it is not private."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if not runtime or not os.path.isabs(runtime) or not _is_private(Path(runtime)):
        return None
    folder = Path(runtime, "vsc")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError:
        return None
    return folder if _is_private(folder) else None


def _is_private(path: Path) -> bool:
    """Whether it is a folder (no link to one) of this user that is closed to all others."""
    try:
        status = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077


def _mode(path: Path) -> int:
    """The type and mode of a file, 0 if there is none."""
    try:
        return path.lstat().st_mode
    except FileNotFoundError:
        return 0


def _locked(path: Path, flags: int) -> int | None:
    """Opens and locks a file; None when it is not there, somebody holds it, or it was removed meanwhile."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | flags, 0o600)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(fd), os.stat(path)):
            return fd
    except OSError:
        pass
    os.close(fd)
    return None
