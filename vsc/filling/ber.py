"""BER as files of keys and certificates have it (ITU-T X.690): DER, and the looser forms that some programs write.

Beside `card_os.tlv`, which reads what cards answer, this knows indefinite lengths and strings in pieces (8.1.3.6 and
8.7): Firefox and Java write a PFX so. Nothing is copied but what is asked for, and nesting has a bound, so a file of
any content is read in time that grows with its size.
"""

from dataclasses import dataclass
from enum import IntEnum

MAX_NESTING = 32
MAX_ELEMENTS = 50_000
"""In one value, those in them included where it takes to read them to find its end. A certificate has some hundred."""
_CONSTRUCTED = 0x20
_INDEFINITE = 0x80
_LONG_TAG = 0x1F
_MAX_LENGTH_BYTES = 4


class Type(IntEnum):
    """Tags of the universal types that are met here, constructed where they always are."""

    INTEGER = 0x02
    BIT_STRING = 0x03
    OCTET_STRING = 0x04
    OID = 0x06
    UTF8_STRING = 0x0C
    NUMERIC_STRING = 0x12
    PRINTABLE_STRING = 0x13
    TELETEX_STRING = 0x14
    IA5_STRING = 0x16
    UTC_TIME = 0x17
    GENERALIZED_TIME = 0x18
    VISIBLE_STRING = 0x1A
    UNIVERSAL_STRING = 0x1C
    BMP_STRING = 0x1E
    SEQUENCE = 0x30
    SET = 0x31


class BerError(ValueError):
    """Not BER, or not the structure that was expected."""


@dataclass(frozen=True, slots=True)
class Element:
    """One data value. raw: all its bytes; start and end: of its content in them."""

    tag: int
    raw: bytes
    start: int
    end: int

    @property
    def content(self) -> bytes:
        return self.raw[self.start : self.end]

    def children(self) -> tuple["Element", ...]:
        """What a constructed value consists of. BerError if it is primitive."""
        if not self.tag & _CONSTRUCTED:
            raise BerError(f"tag {self.tag:02X} is not constructed")
        found, at = [], self.start
        while at < self.end:
            one, at = _read(self.raw, at, self.end, 0)
            found.append(one)
            if len(found) > MAX_ELEMENTS:
                raise BerError(f"it has more than {MAX_ELEMENTS} parts")
        return tuple(found)

    def expect(self, tag: int) -> "Element":
        """Returns the element itself; BerError if it has another tag."""
        if self.tag != tag:
            raise BerError(f"tag {tag:02X} expected, not {self.tag:02X}")
        return self

    def sequence(self, least: int = 0) -> tuple["Element", ...]:
        """The elements of a SEQUENCE. BerError if it is none, or has fewer."""
        found = self.expect(Type.SEQUENCE).children()
        if len(found) < least:
            raise BerError(f"{least} elements expected, not {len(found)}")
        return found

    def inner(self) -> "Element":
        """The one element in an explicit tag."""
        found = self.children()
        if len(found) != 1:
            raise BerError(f"one element expected, not {len(found)}")
        return found[0]

    def octets(self, tag: int | None = None) -> bytes:
        """The bytes of a string, which may be in pieces. tag: the one it must have where it is in one; None: any."""
        if tag is not None and self.tag & ~_CONSTRUCTED != tag:
            raise BerError(f"tag {tag:02X} expected, not {self.tag:02X}")
        if not self.tag & _CONSTRUCTED:
            return self.content
        return b"".join(_pieces(self, 0))

    def number(self) -> int:
        """The value of an INTEGER."""
        return int.from_bytes(self.expect(Type.INTEGER).content, "big", signed=True)

    def oid(self) -> str:
        """An OBJECT IDENTIFIER in dots."""
        content = self.expect(Type.OID).content
        if not content or content[-1] & 0x80:
            raise BerError("an object identifier is cut off")
        numbers, value = [], 0
        for byte in content:
            value = value << 7 | byte & 0x7F
            if not byte & 0x80:
                numbers.append(value)
                value = 0
        first = min(numbers[0] // 40, 2)
        return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))


def first(raw: bytes) -> Element:
    """Returns the first data value of `raw`; what follows it is left alone, as OpenSSL does. BerError."""
    return _read(raw, 0, len(raw), 0)[0]


def _pieces(element: Element, nesting: int) -> list[bytes]:
    if nesting > MAX_NESTING:
        raise BerError("nested too deeply")
    found: list[bytes] = []
    for one in element.children():
        found += _pieces(one, nesting + 1) if one.tag & _CONSTRUCTED else [one.content]
    return found


def _read(raw: bytes, at: int, end: int, nesting: int) -> tuple[Element, int]:
    """Returns the value at `at`, and where the next one begins."""
    if nesting > MAX_NESTING:
        raise BerError("nested too deeply")
    if end - at < 2:
        raise BerError("cut off")
    tag, length, start = raw[at], raw[at + 1], at + 2
    if tag & _LONG_TAG == _LONG_TAG:
        raise BerError("a tag of several bytes")
    if length == _INDEFINITE:
        if not tag & _CONSTRUCTED:
            raise BerError("a primitive value of indefinite length")
        stop = _end_of_contents(raw, start, end, nesting)
        return _element(tag, raw, at, start, stop, stop + 2), stop + 2
    if length > _INDEFINITE:
        count = length & 0x7F
        if count > _MAX_LENGTH_BYTES or end - start < count:
            raise BerError("a length that cannot be")
        length, start = int.from_bytes(raw[start : start + count], "big"), start + count
    if length > end - start:
        raise BerError("cut off")
    return _element(tag, raw, at, start, start + length, start + length), start + length


def _end_of_contents(raw: bytes, at: int, end: int, nesting: int) -> int:
    while raw[at : at + 2] != b"\x00\x00":
        _, at = _read(raw, at, end, nesting + 1)
    if at + 2 > end:
        raise BerError("cut off")
    return at


def _element(tag: int, raw: bytes, at: int, start: int, stop: int, end: int) -> Element:
    return Element(tag, raw[at:end], start - at, stop - at)
