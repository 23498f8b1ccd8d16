"""A large card in parts: rows of their own for what changes alone, so that a change costs what it changes.

The states of applications say which pieces these are (`Application.pieces`). The image has, where a part belongs, its
number and a digest of its bytes, so the image is whole only with the very parts that were written with it. A number
belongs to one content for ever: parts are added and removed, never changed, in the transaction that writes the image.
A small card is one row: that is cheaper than several.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from card_os.schema import Group, Known, Part, Piece
from vsc.errors import ImageError
from vsc.store.image import FindPart, Image
from vsc.store.name import part_numbers

MIN_IMAGE_BYTES = 16_384
"""A card whose states have fewer bytes is one row."""
_NUMBER_DIGITS, _DIGEST_BYTES = 16, 16


def finder(stored: Mapping[int, bytes], opened: Callable[[int, bytes], bytes]) -> FindPart:
    """Finds parts among rows by number. opened: makes the bytes of a part of those of its row; ImageError."""

    def find(reference: str) -> bytes:
        try:
            number, digest = int(reference[:_NUMBER_DIGITS], 16), reference[_NUMBER_DIGITS:]
            raw = opened(number, stored[number])
        except (ValueError, KeyError):
            raise ImageError("the image is damaged: a part of it is missing") from None
        if _digest(raw) != digest:
            raise ImageError("the image is damaged: the checksum of a part does not match")
        return raw

    return find


def check_parts(content: Mapping[str, object], stored: Mapping[int, bytes]) -> None:
    """ImageError if the content of an image in clear has a part that is not among these."""
    find = finder(stored, lambda number, raw: raw)
    states = content.get("applications")
    for state in states.values() if isinstance(states, dict) else ():
        for reference in state[1::2] if isinstance(state, list) else ():
            find(reference)


Kept = dict[int, tuple[object, str]]
"""By identity: a value that has a part, and what the image says of that."""
Groups = dict[int, tuple[Group, list[str], Kept]]
"""By identity: what the image says of a group, and the parts in it."""


@dataclass(slots=True)
class Written:
    """image: its bytes before they are sealed. added: new parts by number. gone: those that are no more."""

    image: bytes = b""
    added: dict[int, bytes] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    kept: Kept = field(default_factory=dict)
    groups: Groups = field(default_factory=dict)


@dataclass(slots=True)
class Splitter:
    """Cuts the images of one card into parts, and knows which of them are stored.

    stored: numbers of the parts that are there. plain: gives their bytes, to be found again at the first change.
    """

    name: str
    stored: set[int]
    plain: Mapping[int, Callable[[], bytes]]
    _known: Known = field(default_factory=Known)
    _kept: Kept = field(default_factory=dict)
    _groups: Groups = field(default_factory=dict)
    _by_digest: dict[str, str] | None = None

    def split(self, image: Image) -> Written:
        """What is to be written for an image; it counts as stored once `accept` was called with it."""
        self._known.turn()
        pieces = [
            application.pieces(image.persistent.state(application.aid), self._known)
            for application in image.profile.applications
        ]
        size = sum(len(piece) if isinstance(piece, bytes) else piece.size for one in pieces for piece in one)
        written = Written()
        encoded = [self._words(one, written, written.kept) for one in pieces] if size >= MIN_IMAGE_BYTES else []
        if not written.kept:
            whole = [b"".join(map(_bytes, one)).hex() for one in pieces]
            return Written(image.written(whole), gone=set(self.stored))
        written.image = image.written(encoded)
        if written.kept.keys() != self._kept.keys():
            written.gone = self.stored - {int(words[:_NUMBER_DIGITS], 16) for _, words in written.kept.values()}
        return written

    def accept(self, written: Written) -> None:
        self.stored = self.stored - written.gone | set(written.added)
        self._kept, self._groups = written.kept, written.groups
        self._by_digest = {}

    def _words(self, pieces: Iterable[Piece], written: Written, kept: Kept) -> list[str]:
        """What the image says of them: bytes and parts in turns."""
        found = [""]
        for piece in pieces:
            if isinstance(piece, bytes):
                found[-1] += piece.hex()
            elif isinstance(piece, Part):
                found += [self._part_words(piece, written, kept), ""]
            else:
                first, *rest = self._group_words(piece, written, kept)
                found[-1] += first
                found += rest
        return found

    def _group_words(self, group: Group, written: Written, kept: Kept) -> list[str]:
        found = self._groups.get(id(group))
        if found is None:
            own: Kept = {}
            found = group, self._words(group.pieces, written, own), own
        written.groups[id(group)] = found
        kept.update(found[2])
        return found[1]

    def _part_words(self, piece: Part, written: Written, kept: Kept) -> str:
        """A part that is not stored yet is added."""
        found = self._kept.get(id(piece.value)) or written.kept.get(id(piece.value)) or kept.get(id(piece.value))
        if found is None:
            raw = piece.encode()
            digest = _digest(raw)
            words = self._stored_words(digest)
            if words is None:
                number = self._new_number(written)
                written.added[number] = raw
                words = f"{number:0{_NUMBER_DIGITS}X}{digest}"
            found = piece.value, words
        kept[id(piece.value)] = found
        return found[1]

    def _stored_words(self, digest: str) -> str | None:
        """Where a part lies that was stored before this process had the card."""
        if self._by_digest is None:
            digests = {number: _digest(plain()) for number, plain in self.plain.items()}
            self._by_digest = {one: f"{number:0{_NUMBER_DIGITS}X}{one}" for number, one in digests.items()}
            self.plain = {}
        return self._by_digest.get(digest)

    def _new_number(self, written: Written) -> int:
        numbers = part_numbers(self.name)
        while True:  # Of 2^31 numbers a card has a few thousand.
            number = numbers[secrets.randbelow(len(numbers))]
            if number not in self.stored and number not in written.added:
                return number


def _bytes(piece: Piece) -> bytes:
    if isinstance(piece, Group):
        return b"".join(map(_bytes, piece.pieces))
    return piece.encode() if isinstance(piece, Part) else piece


def _digest(raw: bytes) -> str:
    return sha256(raw).hexdigest()[: 2 * _DIGEST_BYTES]
