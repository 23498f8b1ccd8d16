"""The cards of a folder in one SQLite database: the store for everybody.

- A change is one transaction. It is durable before `save` returns, as far as was asked for (`Durability`).
- One writer a card: a lock of its own for each (`vsc.store.lock`). Cards do not wait for each other.
- A card can be encrypted (`vsc.store.seal`): with a passphrase new cards are, and old ones are opened as they are.
- Card files of version 0.1 in the same folder are cards, too. `take_over` moves them into the database.

Nothing here opens the database file but SQLite: to close any other descriptor of it would drop SQLite's locks.
"""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from vsc.errors import CardExistsError, CardLocked, CardNotFoundError, ImageError, VscError
from vsc.store.database import FAILURES, Database, Durability, as_os_error, sync_folder
from vsc.store.image import Image
from vsc.store.instances import Instances
from vsc.store.legacy import CardFiles
from vsc.store.lock import TAKING_OVER, card_lock, folder_lock
from vsc.store.name import check_name
from vsc.store.seal import DEFAULT_COST, Encode, new_seal, unseal
from vsc.store.settings import Passphrase, asked_once

_READ = "SELECT image FROM card WHERE name = ?"
_ADD = "INSERT INTO card (name, image) VALUES (?, ?)"
_CHANGE = "UPDATE card SET image = ? WHERE name = ?"
_REMOVE = "DELETE FROM card WHERE name = ?"
_LIST = "SELECT name, image FROM card ORDER BY name"


class _OpenRow:
    """A card whose lock is ours, and the connection that its changes go through."""

    def __init__(self, image: Image, encode: Encode, connection: sqlite3.Connection) -> None:
        self._image = image
        self._encode = encode
        self._connection = connection
        self._is_closed = False

    @property
    def image(self) -> Image:
        return self._image

    def save(self, image: Image) -> None:
        if self._is_closed:
            # The lock is given back: another process may have the card by now.
            raise ValueError(f"card {self._image.name!r} is closed")
        if image.name != self._image.name:
            raise ValueError(f"that is not an image of card {self._image.name!r}")
        try:
            changed = self._connection.execute(_CHANGE, (self._encode(image), self._image.name)).rowcount
        except FAILURES as error:
            raise as_os_error(error) from error
        if changed != 1:
            raise OSError(errno.ENOENT, "the card is no longer in the database")
        self._image = image

    def close(self) -> None:
        self._is_closed = True
        self._connection.close()


class SqliteStore:
    """The cards in a folder, which is made when the first card is.

    durability: what a change survives. passphrase: new cards are encrypted with it, encrypted ones opened; bytes, or
    what is called, once, when it is needed. scrypt_cost: for new cards; it is kept with each.
    """

    def __init__(
        self,
        folder: Path,
        *,
        durability: Durability = Durability.POWER_LOSS,
        passphrase: Passphrase = None,
        scrypt_cost: int = DEFAULT_COST,
    ) -> None:
        self._folder = folder
        self._database = Database(folder, durability)
        self._files = CardFiles(folder)
        self._passphrase = asked_once(passphrase)
        self._scrypt_cost = scrypt_cost

    @property
    def folder(self) -> Path:
        """Where the cards are: two objects with the same folder keep the same cards."""
        return self._folder

    def images(self) -> Iterator[Image | ImageError | CardLocked]:
        """Gives every card's image; for one that cannot be read, or not without a passphrase, the error."""
        # Files first: one that is taken over in between is in the database by then.
        files = list(self._files.images())
        rows = self._rows()
        yield from self._row_images(rows)
        for path, image in files:
            if not isinstance(image, Image) or image.name not in rows:
                yield image
            elif not self._is_same(image, rows[image.name]):
                yield ImageError(f"{path.name}: there is another card {image.name!r}: the file is left as it is")

    def exists(self, name: str) -> bool:
        name = check_name(name)
        return self._files.exists(name) or self._raw(name) is not None

    def read(self, name: str) -> Image:
        image, _ = self._read(check_name(name))
        return image

    def create(self, image: Image) -> None:
        name = check_name(image.name)
        connection = self._database.writing()
        try:
            with card_lock(self._folder, name):
                if self.exists(name):
                    raise CardExistsError(f"there is a card called {name!r} already")
                encode = self._new_encode(name)
                self._add(connection, name, encode(replace(image, name=name)))
        finally:
            connection.close()

    @contextmanager
    def open(self, name: str) -> Iterator[_OpenRow]:
        name = check_name(name)
        if not self.exists(name):
            # Says why, and makes no lock for a card that is not there.
            self.read(name)
        with card_lock(self._folder, name):
            if self._files.exists(name):
                self._take_over(name)
            image, encode = self._read(name)
            opened = _OpenRow(image, encode, self._database.writing())
            try:
                yield opened
            finally:
                opened.close()

    def destroy(self, name: str) -> None:
        name = check_name(name)
        if not self.exists(name):
            raise CardNotFoundError(f"there is no card called {name!r}")
        with card_lock(self._folder, name) as lock:
            Instances(self._folder, self.exists).check()
            if self._raw(name) is not None:
                self._remove(name)
            try:
                self._files.remove(name)
                lock.unlink()
                sync_folder(self._folder)
            except OSError as error:
                raise VscError(f"card {name!r} cannot be deleted: {error.strerror}") from None
            Instances(self._folder, self.exists).forget(name)

    def take_over(self) -> None:
        """Moves the card files of version 0.1 into the database, each removed once it is durably there.

        What cannot be moved (damaged, in use, a folder or disk that takes nothing) stays, is read where it is, and is
        tried again when it is opened and the next time. Safe against SIGKILL at any point, and from several processes.
        """
        with suppress(VscError, OSError):
            if not self._files.paths():
                return
            with folder_lock(self._folder, TAKING_OVER):
                for _, image in self._files.images():
                    if isinstance(image, Image):
                        with suppress(VscError), card_lock(self._folder, image.name, waits=False):
                            self._take_over(image.name)

    def _take_over(self, name: str) -> None:
        """Moves one card, whose lock is ours. ImageError, VscError; then the file stays."""
        image = self._files.read(name)
        if image is None:
            return
        raw = self._raw(name)
        if raw is None:
            connection = self._database.writing(durability=Durability.POWER_LOSS)
            try:
                self._add(connection, name, bytes(image))
            finally:
                connection.close()
        elif not self._is_same(image, raw):
            raise ImageError(f"card {name!r}: {self._files.path(name).name} is another one of that name: move it away")
        try:
            self._files.remove(name)
            sync_folder(self._folder)
        except OSError as error:
            raise VscError(f"card {name!r} cannot be taken over: {error.strerror}") from None

    def _is_same(self, image: Image, raw: bytes) -> bool:
        try:
            return unseal(raw, image.name, None)[0] == image
        except (ImageError, CardLocked):
            return False

    def _read(self, name: str) -> tuple[Image, Encode]:
        # The file first, for the same reason as above; but the database knows better if it has the card.
        file_error: VscError | None = None
        try:
            image = self._files.read(name)
        except VscError as error:
            image, file_error = None, error
        raw = self._raw(name)
        if raw is not None:
            try:
                return unseal(raw, name, self._passphrase)
            except ImageError as error:
                raise ImageError(f"card {name!r}: {error}") from None
        if file_error is not None:
            raise file_error
        if image is None:
            raise CardNotFoundError(f"there is no card called {name!r}")
        return image, bytes

    def _raw(self, name: str) -> bytes | None:
        with self._database.reading() as connection:
            if connection is None:
                return None
            try:
                row = connection.execute(_READ, (name,)).fetchone()
            except FAILURES as error:
                raise self._database.failure(error) from None
            return None if row is None else _bytes(row[0])

    def _rows(self) -> dict[str, bytes]:
        with self._database.reading() as connection:
            if connection is None:
                return {}
            try:
                return {name: _bytes(raw) for name, raw in connection.execute(_LIST)}
            except FAILURES as error:
                raise self._database.failure(error) from None

    def _row_images(self, rows: dict[str, bytes]) -> Iterator[Image | ImageError | CardLocked]:
        for name, raw in rows.items():
            try:
                yield unseal(raw, name, self._passphrase)[0]
            except ImageError as error:
                yield ImageError(f"card {name!r}: {error}")
            except CardLocked as error:
                yield error

    def _new_encode(self, name: str) -> Encode:
        if self._passphrase is None:
            return bytes
        return new_seal(name, self._passphrase(), cost=self._scrypt_cost)

    def _add(self, connection: sqlite3.Connection, name: str, raw: bytes) -> None:
        try:
            connection.execute(_ADD, (name, raw))
        except FAILURES as error:
            raise VscError(f"card {name!r} cannot be written: {as_os_error(error).strerror}") from None

    def _remove(self, name: str) -> None:
        connection = self._database.writing()
        try:
            connection.execute(_REMOVE, (name,))
            # The log still holds what the card was. If this fails, the last one to close the database removes it.
            with suppress(*FAILURES):
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except FAILURES as error:
            raise VscError(f"card {name!r} cannot be deleted: {as_os_error(error).strerror}") from None
        finally:
            connection.close()


def _bytes(raw: object) -> bytes:
    """What somebody put there by hand may be of another type; as an image it will be refused."""
    return raw if isinstance(raw, bytes) else str(raw).encode(errors="replace")
