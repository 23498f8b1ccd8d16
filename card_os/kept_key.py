"""The library's key object, kept beside the card's numbers for as long as they live.

OpenSSL prepares a key object at its first use (Montgomery forms, blinding): as dear as an RSA-2048 signature, dearer
than one on P-256. A card's key is a value, and what is kept here is no part of it: not compared, shown, copied or
stored.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

L = TypeVar("L")


class KeepsLibraryKey(Generic[L]):
    """The place for it, below a frozen dataclass with slots, which copies and pickles its own fields only."""

    __slots__ = ("_library_key",)
    _library_key: L

    def _kept(self, make: Callable[[], L]) -> L:
        """Returns what `make` made when it was first called for this object."""
        try:
            return self._library_key
        except AttributeError:
            made = make()
            object.__setattr__(self, "_library_key", made)
            return made
