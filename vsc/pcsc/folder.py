"""Where the sockets live: a folder that nobody else can enter, and that a later run can tell to be forgotten.

There is no authentication in pcsc-lite's protocol, so the folder is the door: mode 0700, ours, with a random name.
It lies in $XDG_RUNTIME_DIR/vsc where that exists, else it is a fresh folder in the folder for temporary files, where
no name can be relied upon. Its file `vsc.lock` says what it is, and is locked (flock) while its owner lives; the
kernel lets go of the lock however the owner ends.

What is removed is what was made here, and nothing else: a folder is stale if it has a name as mkdtemp gives it, a
`vsc.lock` that names that very folder, and a lock that can be had; of it go the files that `CONTENT` knows. One that
holds anything else stays, and so does any folder that somebody chose: there go the sockets that were made, if they
are still the same files.
"""

import os
import re
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from weakref import WeakSet

from vsc.pcsc.door import HIDDEN, clear, mode_of
from vsc.pcsc.errors import PcscError
from vsc.pcsc.lockfile import LOCK, content, is_same, locked, mark, mark_anew, new_lock, old_lock

MAX_PATH_BYTES = 107
"""Of a socket: sun_path has 108, and libpcsclite cuts what is longer without a word."""
PREFIX = "vsc-"
SOCKET = "service"
CONTROL = "control"
TREES = ("g", "r")
"""Folders of programs' own, below a fresh folder (`vsc run --isolate`): all that is in them goes with them. The names
are short, since programs make sockets there."""
CONTENT = frozenset({LOCK, SOCKET, SOCKET + HIDDEN, CONTROL, *TREES})
"""All that a fresh folder may hold."""

_RANDOM_CHARACTERS = 8  # As mkdtemp makes them.
_FRESH_NAME = re.compile(re.escape(PREFIX) + f"[a-z0-9_]{{{_RANDOM_CHARACTERS}}}")
_TRIES = 3


class Folder:
    """A private folder, locked; `remove` takes away what was made.

    base: a folder to make a fresh one in, itself private; None: $XDG_RUNTIME_DIR/vsc, else the folder for temporary
    files. What killed owners have left there is removed first. socket_path: a path of one's own choice instead; its
    folder is made if need be and must be private. PcscError when it cannot be had.
    """

    def __init__(self, base: Path | None = None, *, socket_path: Path | None = None) -> None:
        self._pid = os.getpid()
        self._is_fresh = socket_path is None
        if socket_path is None:
            remove_stale(base)
            self._make(_parent(base))
        else:
            self._take(socket_path)
        _held.add(self)

    def _make(self, parent: Path) -> None:
        checked_socket_path(parent / f"{PREFIX}{'x' * _RANDOM_CHARACTERS}" / SOCKET)
        reason = ""
        for _ in range(_TRIES):
            path = None
            try:
                path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
                path.chmod(0o700)  # Whatever the umask says.
                self.path, self.socket_path = path, path / SOCKET
                self._lock = new_lock(path / LOCK, mark(path))
                return
            except OSError as error:
                reason = error.strerror or str(error)
                if path is not None:
                    path.rmdir()
        raise PcscError(f"no private folder can be had in {parent}: {reason}")

    def _take(self, socket_path: Path) -> None:
        self.socket_path = checked_socket_path(socket_path.absolute())
        self.path = _parent(self.socket_path.parent)
        words, mine = mark(self.socket_path), _made_for(self.socket_path)
        if len(set(mine)) < len(mine) or self.path / LOCK in mine:
            raise PcscError(f"{self.socket_path} is the name of another file of vsc: choose another one")
        old = old_lock(self.path / LOCK, refused=f"another vsc serves in {self.path}")
        left = _made_for(old[1]) if old else []
        try:
            for path in mine:
                clear(path, is_left_over=path in left)
            for path in left:
                with suppress(PcscError):  # It is somebody's by now, and in nobody's way.
                    clear(path, is_left_over=True)
            if old is None:
                self._lock = new_lock(self.path / LOCK, words)
            else:
                mark_anew(old[0], words)
                self._lock = old[0]
        except (OSError, PcscError) as error:
            if old is not None:
                os.close(old[0])
            if isinstance(error, OSError):
                raise PcscError(f"no socket can be made in {self.path}: {error.strerror}") from None
            raise

    def tree(self, name: str) -> Path:
        """Makes a folder in a fresh one, for a program's own use. name: one of `TREES`."""
        path = self.path / TREES[TREES.index(name)]
        path.mkdir(mode=0o700)
        return path

    def remove(self) -> None:
        """Removes what was made: a fresh folder, or the lock of one of somebody's choice. Not in a forked child."""
        if self._lock < 0:
            return
        if os.getpid() == self._pid:
            if self._is_fresh:
                _remove(self.path)
            elif is_same(self.path / LOCK, os.fstat(self._lock)):
                (self.path / LOCK).unlink()
        self.let_go()

    def let_go(self) -> None:
        """Closes the lock and leaves all where it is."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _made_for(socket_path: Path) -> list[Path]:
    """All sockets that are made for one of somebody's choice."""
    return [socket_path, socket_path.with_name(socket_path.name + HIDDEN), socket_path.with_name(CONTROL)]


_held: WeakSet[Folder] = WeakSet()


def _let_go_in_a_child() -> None:
    """The lock is the parent's: it must end with the parent, though a child lives on."""
    for folder in _held:
        folder.let_go()


os.register_at_fork(after_in_child=_let_go_in_a_child)


def remove_stale(base: Path | None = None) -> list[Path]:
    """Removes the folders of owners that were killed; returns them. Others' folders, and live ones, stay."""
    parents = [base] if base else [_runtime_folder(), Path(tempfile.gettempdir())]
    removed = []
    for parent in parents:
        for path in _fresh_folders(parent) if parent else ():
            if _is_removed(path):
                removed.append(path)
    return removed


def _fresh_folders(parent: Path) -> list[Path]:
    """What has a name as ours have it."""
    try:
        return [parent / name for name in sorted(os.listdir(parent)) if _FRESH_NAME.fullmatch(name)]
    except OSError:
        return []


def _is_removed(path: Path) -> bool:
    if not _is_private(path):
        return False
    try:
        lock = locked(path / LOCK)
    except OSError:
        return False
    try:
        return content(lock) == mark(path) and _remove(path)
    finally:
        os.close(lock)


def _remove(path: Path) -> bool:
    """Removes a fresh folder, its lock last; False, and nothing is removed, if there is anything in it that we never
    put there."""
    try:
        names = set(os.listdir(path))
    except OSError:
        return False
    if not all(_is_known(path / name) for name in names):
        return False
    for name in TREES:
        shutil.rmtree(path / name, ignore_errors=True)
    with suppress(OSError):
        for name in (*sorted(names - {LOCK, *TREES}), LOCK):
            (path / name).unlink(missing_ok=True)
        path.rmdir()
    return not path.exists()


def _is_known(path: Path) -> bool:
    kind = stat.S_IFMT(mode_of(path))
    expected = stat.S_IFREG if path.name == LOCK else stat.S_IFDIR if path.name in TREES else stat.S_IFSOCK
    return path.name in CONTENT and kind == expected


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
