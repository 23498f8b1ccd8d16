"""Cards in memory, for tests: the contract of `vsc.store.Store`, and nothing on any disk.

A child made by fork has a copy of them all, in which nobody else would find a change: a card that was opened before is
its parent's (6581), and one that it opens itself is its own.
"""

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from vsc.errors import CardExistsError, CardInUseError, CardLocked, CardNotFoundError, ImageError
from vsc.store.image import Image, check_label
from vsc.store.name import check_name


class _OpenImage:
    def __init__(self, images: dict[str, Image], name: str) -> None:
        self._images = images
        self._name = name
        self._is_closed = False
        self._pid = os.getpid()

    @property
    def image(self) -> Image:
        return self._images[self._name]

    def save(self, image: Image) -> None:
        if self._is_closed:
            raise ValueError(f"card {self._name!r} is closed")
        if image.name != self._name:
            raise ValueError(f"that is not an image of card {self._name!r}")
        if image.label != self.image.label:
            check_label(image.label)
        if os.getpid() != self._pid:
            raise PermissionError(errno.EPERM, "this process was forked while the card was open")
        self._images[self._name] = image

    def close(self) -> None:
        self._is_closed = True


class MemoryStore:
    """Cards that live as long as this object. Safe to use from several threads."""

    def __init__(self) -> None:
        self._images: dict[str, Image] = {}
        self._in_use: set[str] = set()
        self._lock = threading.Lock()

    def images(self) -> Iterator[Image | ImageError | CardLocked]:
        with self._lock:
            return iter([self._images[name] for name in sorted(self._images)])

    def exists(self, name: str) -> bool:
        return check_name(name) in self._images

    def read(self, name: str) -> Image:
        try:
            return self._images[check_name(name)]
        except KeyError:
            raise CardNotFoundError(f"there is no card called {check_name(name)!r}", name=name) from None

    def create(self, image: Image) -> None:
        name = check_name(image.name)
        image.check_bounds()
        with self._lock:
            if name in self._images:
                raise CardExistsError(f"there is a card called {name!r} already")
            self._images[name] = replace(image, name=name)

    @contextmanager
    def open(self, name: str) -> Iterator[_OpenImage]:
        name = check_name(name)
        with self._lock:
            self._check_free(name)
            self._in_use.add(name)
        opened = _OpenImage(self._images, name)
        try:
            yield opened
        finally:
            opened.close()
            with self._lock:
                self._in_use.discard(name)

    def destroy(self, name: str) -> None:
        name = check_name(name)
        with self._lock:
            self._check_free(name)
            del self._images[name]

    def _check_free(self, name: str) -> None:
        if name not in self._images:
            raise CardNotFoundError(f"there is no card called {name!r}", name=name)
        if name in self._in_use:
            raise CardInUseError(f"card {name!r} is in use by another process")
