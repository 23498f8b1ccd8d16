"""What is whole in a damaged database: read past SQLite, which gives up at the first page that makes no sense.

Every image says its name and has a checksum, so it can be told from anything else wherever it lies. Its beginning is
looked for on every page, of the database and of its log; what stands before it is the head of its row (SQLite's file
format, sections 1.5, 1.6 and 2.1), with the chain of pages that the rest is on. What comes out whole is a row, as it
was; of several the one with the highest revision. Nothing is written, and encrypted images need no passphrase.

Parts of large cards have no such beginning. They are what the heads of pages point at, and an image is whole with those
whose numbers it has, and whose digests are right; what parts an encrypted one needs, only the passphrase tells.
"""

import json
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from vsc.errors import ImageError, VscError
from vsc.store import image, seal
from vsc.store.connection import LOG
from vsc.store.database import FILE
from vsc.store.folder import read_file
from vsc.store.image import parse_versioned
from vsc.store.name import row_number
from vsc.store.parts import check_parts
from vsc.store.schema import Row

_BEGINNING = b'{\n "format": "virtual smart card image'
_MAX_HEAD_BYTES = 480
"""Before an image in its row: lengths, and the name, 80 characters of up to 4 bytes."""
_PAGE_BYTES = 4096
_LEAF = b"\x0d"
_MAX_IMAGE_BYTES = 2**30
_LOG_HEAD, _FRAME_HEAD = struct.Struct(">16x8s8x"), struct.Struct(">2I8s8x")
_INTEGER_BYTES = (0, 1, 2, 3, 4, 6, 8)


@dataclass
class Rescue:
    """rows: what is whole, by name. damaged: names of cards of which something was found, but nothing whole."""

    rows: dict[str, Row] = field(default_factory=dict)
    damaged: set[str] = field(default_factory=set)
    _parts: dict[int, dict[int, bytes]] = field(default_factory=dict)

    def parts_of(self, name: str) -> dict[int, bytes]:
        return self._parts.get(row_number(name), {})

    def add_part(self, number: int, card: int, raw: bytes) -> None:
        self._parts.setdefault(card, {})[number] = raw


def rescue(folder: Path) -> Rescue:
    """Reads what is whole in the database of a folder, which this process must not have open. VscError."""
    try:
        content = read_file(folder, FILE)
        log = read_file(folder, f"{FILE}{LOG}") if (folder / f"{FILE}{LOG}").exists() else b""
    except OSError as error:
        raise VscError(f"the database {folder / FILE} cannot be read: {error.strerror}") from None
    return rescue_rows(content, log)


def rescue_rows(content: bytes, log: bytes) -> Rescue:
    """The same of the bytes of a database and of its log."""
    found = Rescue()
    pages = [content[at : at + _PAGE_BYTES] for at in range(0, len(content), _PAGE_BYTES)]
    view = dict(enumerate(pages, 1))
    _look(found, view, list(view))
    for changed in _transactions(log):
        view.update(changed)
        _look(found, view, list(changed))
    found.damaged -= set(found.rows)
    return found


def _look(found: Rescue, view: dict[int, bytes], numbers: list[int]) -> None:
    for number in numbers:
        _look_for_parts(found, view, view[number], head=100 if number == 1 else 0)
    for number in numbers:
        page = view[number]
        at = page.find(_BEGINNING)
        while at >= 0:
            for row in _rows_before(view, page, at):
                row = replace(row, parts=found.parts_of(row.name))
                if not _is_whole(row):
                    found.damaged.add(row.name)
                    continue
                if row.name not in found.rows or found.rows[row.name].revision <= row.revision:
                    found.rows[row.name] = row
                break
            at = page.find(_BEGINNING, at + 1)


def _look_for_parts(found: Rescue, view: dict[int, bytes], page: bytes, *, head: int) -> None:
    """Takes the parts that are on a leaf of a table (section 1.6): a head of 8 bytes, then where each cell is."""
    if page[head : head + 1] != _LEAF:
        return
    count = int.from_bytes(page[head + 3 : head + 5], "big")
    for at in range(head + 8, min(head + 8 + 2 * count, _PAGE_BYTES - 1), 2):
        with suppress(IndexError, ValueError, KeyError):
            _take_part(found, view, page, int.from_bytes(page[at : at + 2], "big"))


def _take_part(found: Rescue, view: dict[int, bytes], page: bytes, start: int) -> None:
    length, at = _varint(page, start)
    number, head_at = _varint(page, at)
    head_length, at = _varint(page, head_at)
    # Number (kept elsewhere), card, bytes.
    types = [_varint(page, at)]
    while types[-1][1] < head_at + head_length:
        types.append(_varint(page, types[-1][1]))
    if len(types) != 3 or types[0][0] != 0 or types[2][0] < 12 or types[2][0] % 2 or length > _MAX_IMAGE_BYTES:
        return
    payload = _payload(view, page, head_at, length)
    card_end = head_length + _INTEGER_BYTES[types[1][0]]
    raw = payload[card_end:]
    if len(raw) == (types[2][0] - 12) // 2:
        found.add_part(number, int.from_bytes(payload[head_length:card_end], "big"), raw)


def _transactions(log: bytes) -> Iterator[dict[int, bytes]]:
    """Gives the pages that each committed transaction wrote; a frame that says another log's number is passed over."""
    if len(log) < _LOG_HEAD.size:
        return
    (salt,) = _LOG_HEAD.unpack_from(log)
    pages: dict[int, bytes] = {}
    for at in range(_LOG_HEAD.size, len(log) - _FRAME_HEAD.size - _PAGE_BYTES + 1, _FRAME_HEAD.size + _PAGE_BYTES):
        number, size_after_commit, own_salt = _FRAME_HEAD.unpack_from(log, at)
        if own_salt == salt:
            pages[number] = log[at + _FRAME_HEAD.size :][:_PAGE_BYTES]
            if size_after_commit:
                yield pages
                pages = {}


def _rows_before(view: dict[int, bytes], page: bytes, image_at: int) -> Iterator[Row]:
    """Gives what could be a row whose image begins there: nearly always one."""
    for start in range(image_at - 1, max(image_at - _MAX_HEAD_BYTES, 0), -1):
        try:
            row = _row(view, page, start, image_at)
        except (IndexError, ValueError, KeyError):
            continue
        if row is not None:
            yield row


def _row(view: dict[int, bytes], page: bytes, start: int, image_at: int) -> Row | None:
    """Reads a cell of a table: its length, its number, its head and what the head says is in it."""
    length, at = _varint(page, start)
    _, head_at = _varint(page, at)
    head_length, at = _varint(page, head_at)
    types = []
    while at < head_at + head_length:
        one, at = _varint(page, at)
        types.append(one)
    # Number (kept elsewhere), name, revision unless it is version 1, image.
    if len(types) not in (3, 4) or types[0] != 0 or at != head_at + head_length or length > _MAX_IMAGE_BYTES:
        return None
    name_type, image_type = types[1], types[-1]
    revision_bytes = _INTEGER_BYTES[types[2]] if len(types) == 4 else 0
    if name_type < 13 or not name_type % 2 or image_type < 12 or image_type % 2:
        return None
    name_bytes, image_bytes = (name_type - 13) // 2, (image_type - 12) // 2
    revision_at = head_length + name_bytes
    content_at = revision_at + revision_bytes
    if head_at + content_at != image_at or content_at + image_bytes != length:
        return None
    payload = _payload(view, page, head_at, length)
    revision = int.from_bytes(payload[revision_at:content_at], "big")
    return Row(payload[head_length:revision_at].decode(), revision, payload[content_at:])


def _payload(view: dict[int, bytes], page: bytes, at: int, length: int) -> bytes:
    """What lies on the page, and the rest from the chain of overflow pages (section 1.6)."""
    most, least = _PAGE_BYTES - 35, (_PAGE_BYTES - 12) * 32 // 255 - 23
    local = length
    if length > most:
        local = least + (length - least) % (_PAGE_BYTES - 4)
        local = least if local > most else local
    parts = [page[at : at + local]]
    missing = length - local
    following = page[at + local : at + local + 4]
    while missing > 0:
        further = view[int.from_bytes(following, "big")]
        following, part = further[:4], further[4:][:missing]
        if not part:
            raise ValueError("the chain ends early")
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _varint(page: bytes, at: int) -> tuple[int, int]:
    """Section 1.6: 1 to 9 bytes, seven bits each, eight in the ninth; returns the number and where it ends."""
    value = 0
    for place in range(at, at + 8):
        value = value << 7 | page[place] & 0x7F
        if page[place] < 0x80:
            return value, place + 1
    return value << 8 | page[at + 8], at + 9


def _is_whole(row: Row) -> bool:
    kind, version = (seal.FORMAT, seal.VERSION) if seal.is_sealed(row.raw) else (image.FORMAT, image.VERSION)
    try:
        content = parse_versioned(row.raw, kind, version)
        if kind == image.FORMAT:
            check_parts(content, row.parts)
        return bool(content.get("name") == row.name)
    except (ImageError, json.JSONDecodeError):
        return False
