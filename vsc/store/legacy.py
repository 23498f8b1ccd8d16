"""The card files of version 0.1: one JSON image a card in VSC_HOME, called after the SHA-256 of its name.

They are read where they are, and taken over into the database one by one (`vsc.store.sqlite`). Nothing writes them.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from vsc.errors import ImageError, VscError
from vsc.store.folder import check_private, read_file
from vsc.store.image import Image
from vsc.store.name import check_name, file_stem

_SUFFIX = ".card"
_CRASH_SUFFIX = ".new"


class CardFiles:
    """The card files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def paths(self) -> list[Path]:
        """Returns the files in order; VscError if the folder cannot be read, or others may write to it."""
        check_private(self._folder)
        try:
            return sorted(path for path in self._folder.iterdir() if path.suffix == _SUFFIX)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise VscError(f"the folder {self._folder} cannot be read: {error.strerror}") from None

    def path(self, name: str) -> Path:
        return self._folder / f"{file_stem(name)}{_SUFFIX}"

    def exists(self, name: str) -> bool:
        check_private(self._folder)
        try:
            self.path(name).lstat()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise VscError(f"the folder {self._folder} cannot be read: {error.strerror}") from None
        return True

    def read(self, name: str) -> Image | None:
        """Returns the card's image, None without a file. ImageError, naming the card; VscError."""
        try:
            image = Image.parse(read_file(self._folder, self.path(name).name))
        except FileNotFoundError:
            return None
        except ImageError as error:
            raise ImageError(f"card {name!r}: {error}") from None
        except OSError as error:
            raise VscError(f"card {name!r} cannot be read: {error.strerror}") from None
        if image.name != name:
            raise ImageError(f"card {name!r}: the image is that of another card, {image.name!r}")
        return image

    def images(self) -> Iterator[tuple[Path, Image | ImageError]]:
        """Gives every file and its image, or the error that says why it has none and which file it is."""
        for path in self.paths():
            try:
                image = Image.parse(read_file(self._folder, path.name))
                if not self._is_named_after(path, image):
                    raise ImageError("the file is misnamed")
                yield path, image
            except FileNotFoundError:
                continue  # Taken over, or destroyed, since the folder was listed.
            except ImageError as error:
                yield path, ImageError(f"{path.name}: {error}")
            except OSError as error:
                yield path, ImageError(f"{path.name}: {error.strerror}")

    def remove(self, name: str) -> bool:
        """Removes a card's file, and what a crash left beside it; tells whether there was anything."""
        found = False
        for path in (self.path(name), self.path(name).with_suffix(_CRASH_SUFFIX)):
            found = found or os.path.lexists(path)
            path.unlink(missing_ok=True)
        return found

    def _is_named_after(self, path: Path, image: Image) -> bool:
        try:
            return path == self.path(check_name(image.name))
        except VscError:
            return False
