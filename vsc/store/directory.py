"""Cards as files in one folder, safe against crashes and against two writers.

A name never becomes a path: the files of a card are called after the SHA-256 of its name, which is inside the image.

- Writing: a temporary file beside the image, written and synced, renamed over it, the folder synced. A crash leaves
  the old image or the new one.
- One writer: a lock (flock) on a file of its own, which the system gives back even after SIGKILL. Readers need none,
  because an image is replaced whole.
- Everything is 0600 in a 0700 folder: an image holds the card's secrets.
"""

import fcntl
import hashlib
import os
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from vsc.errors import CardExistsError, CardInUseError, CardNotFoundError, ImageError, VscError
from vsc.store.image import Image

MAX_NAME_CHARACTERS = 80


def check_name(name: str) -> str:
    """Returns a card's name in normal form; VscError if people could not tell it or type it."""
    name = unicodedata.normalize("NFC", name)
    printable = name.isprintable() and name == name.strip()
    if not name or len(name) > MAX_NAME_CHARACTERS or not printable or name.startswith("-"):
        raise VscError(
            f"a card name has 1 to {MAX_NAME_CHARACTERS} printable characters, no blank around it and no leading dash"
        )
    return name


class _OpenFile:
    def __init__(self, image: Image, path: Path) -> None:
        self._image = image
        self._path = path
        self._is_closed = False

    @property
    def image(self) -> Image:
        return self._image

    def save(self, image: Image) -> None:
        if self._is_closed:
            # The lock is given back: another process may have the card by now.
            raise ValueError(f"card {image.name!r} is closed")
        _write(self._path, bytes(image))
        self._image = image

    def close(self) -> None:
        self._is_closed = True


class DirectoryStore:
    """The cards in one folder; the folder is made when the first card is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def images(self) -> Iterator[Image | ImageError]:
        """Gives every card's image, or for an unreadable one the error that says why and which file."""
        for path in self._files():
            try:
                image = Image.parse(path.read_bytes())
                yield image if path == self._path(image.name) else ImageError(f"{path.name}: the file is misnamed")
            except FileNotFoundError:
                continue  # Destroyed since the folder was listed.
            except ImageError as error:
                yield ImageError(f"{path.name}: {error}")
            except OSError as error:
                yield ImageError(f"{path.name}: {error.strerror}")

    def _files(self) -> list[Path]:
        try:
            return sorted(path for path in self._folder.iterdir() if path.suffix == ".card")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise VscError(f"the folder {self._folder} cannot be read: {error.strerror}") from None

    def read(self, name: str) -> Image:
        name = check_name(name)
        try:
            image = Image.parse(self._path(name).read_bytes())
        except FileNotFoundError:
            raise CardNotFoundError(f"there is no card called {name!r}") from None
        except ImageError as error:
            raise ImageError(f"card {name!r}: {error}") from None
        except OSError as error:
            raise VscError(f"card {name!r} cannot be read: {error.strerror}") from None
        if image.name != name:
            raise ImageError(f"card {name!r}: the image is that of another card, {image.name!r}")
        return image

    def create(self, image: Image) -> None:
        name = check_name(image.name)
        self._make_folder()
        with self._locked(name):
            if self._path(name).exists():
                raise CardExistsError(f"there is a card called {name!r} already")
            try:
                _write(self._path(name), bytes(replace(image, name=name)))
            except OSError as error:
                raise VscError(f"card {name!r} cannot be written: {error.strerror}") from None

    @contextmanager
    def open(self, name: str) -> Iterator[_OpenFile]:
        name = check_name(name)
        self.read(name)
        with self._locked(name):
            # Once more: it may have changed before the lock was ours.
            opened = _OpenFile(self.read(name), self._path(name))
            try:
                yield opened
            finally:
                opened.close()

    def exists(self, name: str) -> bool:
        return self._path(check_name(name)).exists()

    def destroy(self, name: str) -> None:
        name = check_name(name)
        if not self._path(name).exists():
            raise CardNotFoundError(f"there is no card called {name!r}")
        with self._locked(name) as lock:
            self._path(name).unlink(missing_ok=True)
            self._path(name).with_suffix(".new").unlink(missing_ok=True)
            lock.unlink()
            _sync_folder(self._folder)

    def _path(self, name: str) -> Path:
        return self._folder / f"{hashlib.sha256(name.encode(errors='surrogatepass')).hexdigest()[:32]}.card"

    def _make_folder(self) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise VscError(f"the folder {self._folder} cannot be made: {error.strerror}") from None

    @contextmanager
    def _locked(self, name: str) -> Iterator[Path]:
        path = self._path(name).with_suffix(".lock")
        descriptor = _lock(path, name)
        try:
            yield path
        finally:
            os.close(descriptor)


def _lock(path: Path, name: str) -> int:
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise VscError(f"card {name!r} cannot be locked: {error.strerror}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise CardInUseError(f"card {name!r} is in use by another process") from None
        if _is_at(descriptor, path):
            return descriptor
        # The card was destroyed, and its lock with it, between our open and our lock.
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _write(path: Path, content: bytes) -> None:
    """Replaces a file: OSError leaves the old one, a crash leaves the old or the new one."""
    new = path.with_suffix(".new")
    # What a crash left there, or anybody put there, is not written to: neither its mode nor its target would be ours.
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
