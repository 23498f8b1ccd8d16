"""The cards of a folder in one SQLite database: the store for everybody.

- A change is one transaction. It is durable before `save` returns, as far as was asked for (`Durability`).
- One writer a card: a lock of its own for each (`vsc.store.lock`). Cards do not wait for each other.
- A card can be encrypted (`vsc.store.seal`): with a passphrase new cards are, and old ones are opened as they are.
- Card files of version 0.1 in the same folder are cards, too. `take_over` moves them into the database.

Nothing here opens the database file but SQLite: to close any other descriptor of it would drop SQLite's locks.
"""

import errno
import secrets
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

from vsc.errors import CardExistsError, CardInClear, CardLocked, CardNotFoundError, CardRewound, ImageError, VscError
from vsc.store import schema
from vsc.store.connection import Writing
from vsc.store.database import FAILURES, Database, Durability, as_os_error
from vsc.store.folder import sync_folder
from vsc.store.image import Image, check_label
from vsc.store.instances import Instances
from vsc.store.legacy import CardFiles
from vsc.store.lock import TAKING_OVER, Hold, card_lock, folder_lock, witness_of
from vsc.store.name import check_name
from vsc.store.parts import Splitter
from vsc.store.schema import Row
from vsc.store.seal import DEFAULT_COST, Encode, InClear, is_sealed, new_seal, unseal
from vsc.store.settings import Passphrase, asked_once

_FIRST_REVISION_BITS = 40


class _OpenRow:
    """A card whose lock is ours, and the connection that its changes go through.

    Every change says which revision it replaces, and is refused if that is not there: then somebody else holds the
    card, too, and has changed it.
    """

    def __init__(
        self, image: Image, encode: Encode, splitter: Splitter, revision: int, writing: Writing, hold: Hold
    ) -> None:
        self._image = image
        self._encode = encode
        self._splitter = splitter
        self._revision = revision
        # Where changes were undone behind our back their numbers stay taken: no two states of a card have the same.
        self._last = max(revision, hold.witness())
        self._writing = writing
        self._hold = hold
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
        if image.label != self._image.label:
            check_label(image.label)
        self._writing.check_ours()
        new = self._last + 1
        try:
            self._writing.check_if_written()
            written = self._splitter.split(image)
            changed = schema.change(
                self._writing.sql,
                image.name,
                self._encode.wrap(written.image),
                replaces=self._revision,
                revision=new,
                added={number: self._encode.wrap_part(number, part) for number, part in written.added.items()},
                gone=written.gone,
            )
        except FAILURES as error:
            raise as_os_error(error) from error
        if not changed:
            raise OSError(errno.ESTALE, "the stored card is not the one that was opened: somebody else changed it")
        self._splitter.accept(written)
        self._writing.check_in_place()
        self._hold.bear_witness(new)
        self._image, self._revision, self._last = image, new, new

    def close(self) -> None:
        self._is_closed = True


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
        yield from self._row_images(rows.values())
        for path, image in files:
            if not isinstance(image, Image) or image.name not in rows:
                if isinstance(image, Image):
                    self._warn_of_clear(image.name)
                yield image
            elif not self._is_same(image, rows[image.name]):
                yield ImageError(f"{path.name}: there is another card {image.name!r}: the file is left as it is")

    def exists(self, name: str) -> bool:
        name = check_name(name)
        return self._files.exists(name) or self._row(name) is not None

    def read(self, name: str) -> Image:
        return self._read(check_name(name))[0]

    def create(self, image: Image) -> None:
        name = check_name(image.name)
        image.check_bounds()
        writing = self._database.writing()
        try:
            with card_lock(self._folder, name) as hold:
                if self.exists(name):
                    raise CardExistsError(f"there is a card called {name!r} already")
                encode = self._new_encode(name)
                self._add(writing, hold, name, encode(replace(image, name=name)))
        finally:
            writing.close()

    def add_row(self, row: Row) -> None:
        """Adds a card as another database had it, with its revision, encrypted or not. CardExistsError, VscError."""
        name = check_name(row.name)
        writing = self._database.writing()
        try:
            with card_lock(self._folder, name) as hold:
                if self.exists(name):
                    raise CardExistsError(f"there is a card called {name!r} already")
                self._add(writing, hold, name, row.raw, revision=row.revision or None, parts=row.parts)
        finally:
            writing.close()

    @contextmanager
    def open(self, name: str) -> Iterator[_OpenRow]:
        name = check_name(name)
        if not self.exists(name):
            # Says why, and makes no lock for a card that is not there.
            self.read(name)
        with card_lock(self._folder, name) as hold:
            if self._files.exists(name):
                self._take_over(name, hold)
            # The database may be of an older version until it is opened to be written.
            writing = self._database.writing()
            try:
                image, encode, row = self._read(name)
                revision, parts = (0, {}) if row is None else (row.revision, row.parts)
                plain = {number: partial(encode.open_part, number, raw) for number, raw in parts.items()}
                opened = _OpenRow(image, encode, Splitter(name, set(parts), plain), revision, writing, hold)
                try:
                    yield opened
                finally:
                    opened.close()
            finally:
                writing.close()

    def destroy(self, name: str) -> None:
        name = check_name(name)
        if not self.exists(name):
            raise CardNotFoundError(f"there is no card called {name!r}", name=name)
        with card_lock(self._folder, name) as hold:
            Instances(self._folder, self.exists).check()
            if self._row(name) is not None:
                self._remove(name)
            try:
                self._files.remove(name)
                hold.path.unlink()
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
                        with suppress(VscError), card_lock(self._folder, image.name, waits=False) as hold:
                            self._take_over(image.name, hold)

    def _take_over(self, name: str, hold: Hold) -> None:
        """Moves one card, whose lock is ours. ImageError, VscError; then the file stays."""
        image = self._files.read(name)
        if image is None:
            return
        row = self._row(name)
        if row is None:
            writing = self._database.writing(durability=Durability.POWER_LOSS)
            try:
                self._add(writing, hold, name, bytes(image))
            finally:
                writing.close()
        elif not self._is_same(image, row):
            raise ImageError(f"card {name!r}: {self._files.path(name).name} is another one of that name: move it away")
        try:
            self._files.remove(name)
            sync_folder(self._folder)
        except OSError as error:
            raise VscError(f"card {name!r} cannot be taken over: {error.strerror}") from None

    def _is_same(self, image: Image, row: Row) -> bool:
        try:
            return unseal(row.raw, image.name, None, row.parts)[0] == image
        except (ImageError, CardLocked):
            return False

    def _read(self, name: str) -> tuple[Image, Encode, Row | None]:
        """Image, what makes the next bytes of it, and its row, unless it is still a file."""
        # The file first, for the same reason as above; but the database knows better if it has the card.
        file_error: VscError | None = None
        try:
            image = self._files.read(name)
        except VscError as error:
            image, file_error = None, error
        row = self._row(name)
        if row is not None:
            found = self._unsealed(row)
            self._warn_if_rewound(row)
            return *found, row
        if file_error is not None:
            raise file_error
        if image is None:
            raise CardNotFoundError(f"there is no card called {name!r}", name=name)
        self._warn_of_clear(name)
        return image, InClear(), None

    def _unsealed(self, row: Row) -> tuple[Image, Encode]:
        try:
            found = unseal(row.raw, row.name, self._passphrase, row.parts)
        except ImageError as error:
            raise ImageError(f"card {row.name!r}: {error}") from None
        if not is_sealed(row.raw):
            self._warn_of_clear(row.name)
        return found

    def _warn_of_clear(self, name: str) -> None:
        if self._passphrase is not None:
            warnings.warn(
                f"card {name!r} is not encrypted, though there is a passphrase: if it was once, this image was put "
                "in its place; if it never was, export, destroy and import it to encrypt it",
                CardInClear,
                stacklevel=2,
            )

    def _row(self, name: str) -> Row | None:
        with self._database.reading() as connection:
            if connection is None:
                return None
            try:
                # One moment: a row and the parts that belong to it.
                with schema.transaction(connection, "DEFERRED"):
                    return schema.read(connection, name)
            except FAILURES as error:
                raise self._database.failure(error) from None

    def _rows(self) -> dict[str, Row]:
        with self._database.reading() as connection:
            if connection is None:
                return {}
            try:
                with schema.transaction(connection, "DEFERRED"):
                    return {row.name: row for row in sorted(schema.rows(connection), key=lambda row: row.name)}
            except FAILURES as error:
                raise self._database.failure(error) from None

    def _row_images(self, rows: Iterable[Row]) -> Iterator[Image | ImageError | CardLocked]:
        for row in rows:
            self._warn_if_rewound(row)
            try:
                image, _ = self._unsealed(row)
                yield image if not row.is_misplaced else ImageError(f"card {row.name!r}: its row is damaged")
            except (ImageError, CardLocked) as error:
                yield error

    def _warn_if_rewound(self, row: Row) -> None:
        """Warns if the lock file knows of more changes than the database."""
        witnessed = witness_of(self._folder, row.name)
        if row.revision >= witnessed:
            return
        # If the card is in use, it may only have been changed since the row was read.
        again = self._row(row.name)
        if again is not None and 0 <= again.revision < witnessed:
            warnings.warn(
                f"card {row.name!r} lacks its last {witnessed - again.revision} changes: the database's log was "
                "damaged, an older database put back, or the power lost before changes that need not be durable were "
                "written. Tries may have come back, and keys may be gone",
                CardRewound,
                stacklevel=2,
            )

    def _new_encode(self, name: str) -> Encode:
        if self._passphrase is None:
            return InClear()
        return new_seal(name, self._passphrase(), cost=self._scrypt_cost)

    def _add(
        self,
        writing: Writing,
        hold: Hold,
        name: str,
        raw: bytes,
        *,
        revision: int | None = None,
        parts: Mapping[int, bytes] = MappingProxyType({}),
    ) -> None:
        """revision: the first one; None: a new one. parts: those of the image, if it has some already."""
        if revision is None:
            # Not 1: whoever still holds a card of this name that was here before must not take this one for it. And
            # above what the lock file says, if that card went with an older database that was put back.
            revision = hold.witness() + 1 + secrets.randbits(_FIRST_REVISION_BITS)
        try:
            schema.add(writing.sql, name, raw, revision=revision, parts=parts)
            writing.check_in_place()
        except FAILURES as error:
            raise VscError(f"card {name!r} cannot be written: {as_os_error(error).strerror}") from None
        except OSError as error:
            raise VscError(f"card {name!r} cannot be written: {error.strerror}") from None
        hold.bear_witness(revision)

    def _remove(self, name: str) -> None:
        writing = self._database.writing()
        try:
            schema.remove(writing.sql, name)
            # The log still holds what the card was. If this fails, the last one to close the database removes it.
            with suppress(*FAILURES):
                writing.sql.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            writing.check_in_place()
        except FAILURES as error:
            raise VscError(f"card {name!r} cannot be deleted: {as_os_error(error).strerror}") from None
        except OSError as error:
            raise VscError(f"card {name!r} cannot be deleted: {error.strerror}") from None
        finally:
            writing.close()
