"""The folder of the cards: who may write to it, and how what is in it is opened.

Whoever may write to the folder, or to a file in it, may put cards of his own there, or have us write where he likes,
through a link. So a folder that others may write is refused, as ssh refuses such files, with the line that mends it. A
group that is the owner's alone, as distributions make one for each user, is not others: with umask 002 everything is
the group's to write. Root may write anyway.

Nothing in the folder is opened through a link. SQLite opens its files itself and would follow one; since nobody else
can put one there after the folder was looked at, they are looked at just before.
"""

import errno
import grp
import os
import pwd
import shlex
import stat
from pathlib import Path

from vsc.errors import VscError

_ACL = "system.posix_acl_access"


def check_private(folder: Path) -> None:
    """VscError, with what mends it, if others may write to the folder. One that is not there is nobody's."""
    try:
        itself, target = os.lstat(folder), os.stat(folder)
    except OSError:
        return  # Whoever opens something there will say what is wrong.
    if stat.S_ISLNK(itself.st_mode) and not _is_trusted(itself.st_uid):
        raise VscError(f"the folder {folder} is a link of another user's: set VSC_HOME to a folder of your own")
    mend = _what_mends(folder, target)
    if mend is not None:
        raise VscError(f"others may write to the folder {folder} and so to the cards: mend that with: {mend}")


def check_files(folder: Path, names: list[str]) -> None:
    """The same for the files of a database, which SQLite is going to open; those that are not there are good."""
    check_private(folder)
    for name in names:
        try:
            status = os.lstat(folder / name)
        except OSError:
            continue
        try:
            _check_file(folder / name, status)
        except OSError as error:
            raise VscError(f"the database {folder / name} cannot be used: {error.strerror}") from None


def open_file(folder: Path, name: str, flags: int) -> int:
    """Opens a file in the folder, 0600 if it is made; no link, and nothing else that is no file. OSError, VscError."""
    check_private(folder)
    try:
        # Not to wait for the other end of a pipe; to files it means nothing.
        safe = flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        descriptor = os.open(folder / name, safe, 0o600)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _link(folder / name) from None
        raise
    try:
        _check_file(folder / name, os.fstat(descriptor))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def read_file(folder: Path, name: str) -> bytes:
    """Returns what is in a file of the folder. OSError, VscError."""
    with os.fdopen(open_file(folder, name, os.O_RDONLY), "rb") as file:
        return file.read()


def replace_file(folder: Path, name: str, content: bytes) -> None:
    """Puts a new file in the place of one, whole or not at all. For one writer at a time. OSError, VscError."""
    new = f"{name}.new"
    (folder / new).unlink(missing_ok=True)
    with os.fdopen(open_file(folder, new, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
        file.write(content)
    (folder / new).replace(folder / name)


def sync_folder(folder: Path) -> None:
    """Makes what was added, renamed or removed in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_file(path: Path, status: os.stat_result) -> None:
    """OSError for what must not be used though it is there."""
    if stat.S_ISLNK(status.st_mode):
        raise _link(path)
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is no file")
    mend = _what_mends(path, status)
    if mend is not None:
        raise OSError(errno.EPERM, f"others may write to it: mend that with: {mend}")
    if status.st_nlink > 1:
        copy = shlex.join(["cp", "-p", str(path), f"{path}.copy"])
        move = shlex.join(["mv", f"{path}.copy", str(path)])
        raise OSError(errno.EMLINK, f"it has other names (hard links): mend that with: {copy} && {move}")


def _link(path: Path) -> OSError:
    mend = shlex.join(["rm", str(path)])
    return OSError(errno.ELOOP, f"it is a link, and none is followed here: mend that with: {mend}")


def _what_mends(path: Path, status: os.stat_result) -> str | None:
    """The command after which others cannot write there; None if they cannot."""
    if not _is_trusted(status.st_uid):
        return shlex.join(["chown", "-R", _user(), str(path)])
    if status.st_mode & stat.S_IWOTH:
        return shlex.join(["chmod", "go-w", str(path)])
    if status.st_mode & stat.S_IWGRP and _has_acl(path):
        # With one the group's bits are the most that anybody named in it may do.
        return shlex.join(["setfacl", "-b", str(path)])
    if status.st_mode & stat.S_IWGRP and not _is_private_group(status.st_gid, status.st_uid):
        return shlex.join(["chmod", "g-w", str(path)])
    return None


def _is_trusted(uid: int) -> bool:
    return uid in (0, os.geteuid())


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _has_acl(path: Path) -> bool:
    try:
        os.getxattr(path, _ACL)
    except OSError:
        return False
    return True


def _is_private_group(gid: int, uid: int) -> bool:
    """Tells whether the group is the user's own, called like the user, and nobody else's."""
    try:
        user, group = pwd.getpwuid(uid), grp.getgrgid(gid)
    except KeyError:
        return False
    is_own = user.pw_gid == gid and user.pw_name == group.gr_name and set(group.gr_mem) <= {user.pw_name}
    return is_own and all(one.pw_uid == uid for one in pwd.getpwall() if one.pw_gid == gid)
