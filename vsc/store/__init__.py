"""Cards that last: where images are kept, and how one process at a time writes to a card.

`Store` is the small protocol that the rest of vsc uses. `sqlite.SqliteStore` keeps the cards of a folder in one
database; `memory.MemoryStore` keeps them as long as it lives, for tests.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from platformdirs import user_data_path

from vsc.errors import CardLocked, ImageError
from vsc.store.image import Image

__all__ = ["Image", "OpenCard", "Store", "default_home"]


class OpenCard(Protocol):
    """A card that this process, and no other, may change."""

    @property
    def image(self) -> Image: ...

    def save(self, image: Image) -> None:
        """Replaces the image; durable when this returns. OSError if it cannot be written; then the old one stands.

        OSError, too, if the stored card is not the one that this replaces. ValueError for an image of another name, and
        once the card is closed; VscError for a new label that is too long.
        """
        ...


class Store(Protocol):
    """Where cards are kept, by name."""

    def images(self) -> Iterator[Image | ImageError | CardLocked]:
        """Gives every card's image; for one that cannot be read, or not without a passphrase, the error."""
        ...

    def exists(self, name: str) -> bool: ...

    def read(self, name: str) -> Image:
        """Returns the image as it is now, whoever writes to it. CardNotFoundError, ImageError, CardLocked."""
        ...

    def create(self, image: Image) -> None:
        """Adds a new card. CardExistsError if there is one of that name; VscError if it is larger than cards are."""
        ...

    def open(self, name: str) -> AbstractContextManager[OpenCard]:
        """Opens a card for writing. CardInUseError if another process has it; else what `read` raises."""
        ...

    def destroy(self, name: str) -> None:
        """Deletes a card for good. CardNotFoundError, CardInUseError."""
        ...


def default_home(value: str | None) -> Path:
    """Returns the folder with the cards: `value` (of VSC_HOME) or the platform's folder for user data."""
    return Path(value) if value else user_data_path("virtual-smart-card", appauthor=False)
