"""The SQLite database of a folder with cards: made whole, opened with care, and its errors in words.

The journal is a write-ahead log (WAL). A commit then costs one sync instead of three or four, whoever reads never
holds up who writes, and a log that is not synced (`Durability.PROCESS`) can lose its end to a power cut, but cannot
damage the cards of others: with a rollback journal that would be so. What a log needs is a second and a third file
while the database is open; both have the modes of the first. Where they cannot be made, because folder or file system
are read-only, nobody can write either, and the database is read as it is.

The database is made under another name and renamed when it is whole. So an empty file, which SQLite takes for a good
database, is damage here.
"""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path

from vsc.errors import ImageError, VscError
from vsc.store import schema
from vsc.store.connection import FILES, LOG, Connection, Writing, connect
from vsc.store.folder import check_files, sync_folder
from vsc.store.lock import MAKING, folder_lock

FILE = "cards.db"
APPLICATION_ID = 0x76736344
"""PRAGMA application_id: whose database this is. In ASCII: vscD."""
BUSY_S = 60.0

_NEW_FILE = "cards.new"
_BESIDE = (*FILES, "-journal")

FAILURES = (sqlite3.Error, UnicodeDecodeError)
"""What SQLite raises; the second where a damaged text stands in its message."""

_ERRNO = {
    sqlite3.SQLITE_FULL: errno.ENOSPC,
    sqlite3.SQLITE_READONLY: errno.EROFS,
    sqlite3.SQLITE_BUSY: errno.EBUSY,
    sqlite3.SQLITE_PERM: errno.EACCES,
    sqlite3.SQLITE_CANTOPEN: errno.EACCES,
}


class Durability(Enum):
    """What a change survives once it is acknowledged."""

    POWER_LOSS = "power-loss"
    """Anything: it was synced to the disk."""
    PROCESS = "process"
    """The end of the process, SIGKILL too; a power cut or a crash of the system may undo the last changes."""


_SYNCHRONOUS = {Durability.POWER_LOSS: "FULL", Durability.PROCESS: "NORMAL"}


def _code(error: Exception) -> int:
    """The primary result code."""
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)) & 0xFF


def as_os_error(error: Exception) -> OSError:
    """Returns what the system would have said: a card answers 6581 to it."""
    number = _ERRNO.get(_code(error), errno.EIO)
    return OSError(number, os.strerror(number))


class Database:
    """The database in a folder, made when something is first written."""

    def __init__(self, folder: Path, durability: Durability) -> None:
        self._folder = folder
        self._path = folder / FILE
        self._durability = durability

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection | None]:
        """Opens it to read, or gives None if there is none. Makes nothing. ImageError, VscError."""
        if not self._is_there():
            yield None
            return
        try:
            connection = self._open()
        except FAILURES as error:
            connection = self._open_as_it_is(error)
        try:
            yield connection
        finally:
            connection.close()

    def writing(self, *, durability: Durability | None = None) -> Writing:
        """Opens it to write; makes it if there is none. The caller closes it. ImageError, VscError.

        A database of an older version is made one of this.
        """
        if not self._is_there():
            self._make()
        try:
            connection = self._open()
        except FAILURES as error:
            raise self.failure(error) from None
        try:
            connection.execute(f"PRAGMA synchronous = {_SYNCHRONOUS[durability or self._durability]}")
            # What a card held must not stay in pages that are free.
            connection.execute("PRAGMA secure_delete = ON")
            # Nothing is written into a damaged database: that could destroy what is left.
            schema.check_whole(connection)
            schema.upgrade(connection)
            return Writing(connection, self._path)
        except BaseException as error:
            connection.close()
            if isinstance(error, FAILURES):
                raise self.failure(error) from None
            if isinstance(error, OSError):
                raise VscError(f"the database {self._path} was removed or replaced just now") from None
            raise

    def failure(self, error: Exception) -> VscError:
        """Says in a sentence why the database cannot be used."""
        code = _code(error)
        if code == sqlite3.SQLITE_NOTADB:
            return ImageError(f"{self._path} is not a database: it is damaged, or not the cards of vsc")
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR):
            return ImageError(f"the database {self._path} is damaged")
        if code == sqlite3.SQLITE_BUSY:
            return VscError(f"the database {self._path} is kept locked by another program")
        return VscError(f"the database {self._path} cannot be used: {self._reason(error)}")

    def _reason(self, error: Exception) -> str | None:
        """What the system would have said: SQLite does not tell why it could not make the files beside the database."""
        with suppress(OSError):
            disk = os.statvfs(self._folder)
            if _code(error) == sqlite3.SQLITE_CANTOPEN and disk.f_flag & os.ST_RDONLY:
                return os.strerror(errno.EROFS)
            if _code(error) == sqlite3.SQLITE_IOERR and disk.f_bavail == 0:
                return os.strerror(errno.ENOSPC)
        return as_os_error(error).strerror

    def _is_there(self) -> bool:
        check_files(self._folder, [f"{FILE}{end}" for end in _BESIDE])
        try:
            self._path.stat()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise VscError(f"the folder {self._folder} cannot be read: {error.strerror}") from None
        return True

    def _open(self, how: str = "mode=rw") -> Connection:
        """Opens what is there. Not mode=ro: whoever comes first after a crash repairs, even to read."""
        try:
            connection = connect(self._path, how, BUSY_S)
        except OSError as error:
            raise VscError(f"the database {self._path} cannot be used: {error.strerror}") from None
        try:
            connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
            self._check_ours(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _open_as_it_is(self, error: Exception) -> Connection:
        """Opens it where a log cannot be made: nobody can write there, so it does not change while it is read."""
        can_write = os.access(self._folder, os.W_OK)
        if can_write or _code(error) not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            raise self.failure(error) from None
        log = Path(f"{self._path}{LOG}")
        if log.exists() and log.stat().st_size:
            raise VscError(f"the database {self._path} was not closed, and cannot be repaired in a read-only folder")
        try:
            return self._open("immutable=1")
        except FAILURES as second:
            raise self.failure(second) from None

    def _check_ours(self, connection: sqlite3.Connection) -> None:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        version = schema.version_of(connection)
        if application != APPLICATION_ID:
            raise ImageError(f"{self._path} is not a database of vsc, or was cut off")
        if version > schema.VERSION:
            raise ImageError(
                f"the database {self._path} has version {version}; this vsc reads up to {schema.VERSION}: "
                "use a newer one"
            )

    def _make(self) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with folder_lock(self._folder, MAKING):
                if not self._is_there():
                    self._make_file()
        except FAILURES as error:
            raise VscError(f"the database {self._path} cannot be made: {as_os_error(error).strerror}") from None
        except OSError as error:
            raise VscError(f"the folder {self._folder} cannot be made or written: {error.strerror}") from None

    def _make_file(self) -> None:
        new = self._folder / _NEW_FILE
        try:
            self._remove_new()
            os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            connection = sqlite3.connect(new, isolation_level=None)
            try:
                connection.execute("PRAGMA synchronous = EXTRA")
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {schema.VERSION}")
                connection.execute(schema.TABLE)
                connection.execute(schema.PART_TABLE)
                connection.execute("PRAGMA journal_mode = WAL")
            finally:
                connection.close()
            new.replace(self._path)
        except BaseException:
            with suppress(OSError):
                self._remove_new()
            raise
        sync_folder(self._folder)

    def _remove_new(self) -> None:
        for end in _BESIDE:
            Path(f"{self._folder / _NEW_FILE}{end}").unlink(missing_ok=True)
