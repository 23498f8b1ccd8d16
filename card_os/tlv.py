"""BER-TLV data objects (ISO/IEC 7816-4 section 5.2.2).

Tags are whole numbers as they read in hexadecimal (`0x5C`, `0x7F49`), one to three bytes. Lengths go to four
bytes; the minimal form is written, any definite form is read. A `Tlv` is a value: its bytes are `bytes(tlv)`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from construct import BytesInteger, Check, Computed, IfThenElse, Int8ub, Struct, this

from card_os.sw import SW, CardError
from card_os.value import value
from card_os.wire import Format, WireError

# The header of a data object: tag bytes, then the length in its short or long form.
HEADER = Format(
    Struct(
        "tag1" / Int8ub,
        "tag2" / IfThenElse((this.tag1 & 0x1F) == 0x1F, Int8ub, Computed(0)),
        "tag3" / IfThenElse((this.tag2 & 0x80) != 0, Int8ub, Computed(0)),
        Check(this.tag3 < 0x80),
        "length1" / Int8ub,
        Check(this.length1 <= 0x84),
        Check(this.length1 != 0x80),
        "length" / IfThenElse(this.length1 > 0x80, BytesInteger(this.length1 & 0x7F), Computed(this.length1)),
    )
)
"""Tag (1 to 3 bytes) and length (1 to 5 bytes) of a BER-TLV data object."""

TAG = Format(
    Struct(
        "tag1" / Int8ub,
        "tag2" / IfThenElse((this.tag1 & 0x1F) == 0x1F, Int8ub, Computed(0)),
        "tag3" / IfThenElse((this.tag2 & 0x80) != 0, Int8ub, Computed(0)),
        Check(this.tag3 < 0x80),
    )
)
"""A tag alone, as tag lists (5C) hold them."""


def _tag_number(tag1: int, tag2: int, tag3: int) -> int:
    if tag1 & 0x1F != 0x1F:
        return tag1
    return (tag1 << 8 | tag2) << 8 | tag3 if tag2 & 0x80 else tag1 << 8 | tag2


@lru_cache(maxsize=1024)
def tag_bytes(tag: int) -> bytes:
    """Returns the one to three bytes of a tag; WireError if `tag` is not one BER tag."""
    if tag < 0:
        raise WireError("a tag is not negative")
    raw = tag.to_bytes(max(1, (tag.bit_length() + 7) // 8), "big")
    TAG.parse(raw)
    return raw


def length_bytes(length: int) -> bytes:
    """Returns the shortest definite BER form of a length, 1 to 5 bytes."""
    if length < 0x80:
        return bytes([length])
    raw = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(raw)]) + raw


@value
class Tlv:
    """One data object: a tag and the bytes of its value."""

    tag: int
    value: bytes = b""

    def __bytes__(self) -> bytes:
        return tag_bytes(self.tag) + length_bytes(len(self.value)) + self.value

    @property
    def size(self) -> int:
        """Bytes of the whole object."""
        return len(tag_bytes(self.tag)) + len(length_bytes(len(self.value))) + len(self.value)

    @classmethod
    def parse_head(cls, raw: bytes) -> tuple["Tlv", bytes]:
        """Takes the first data object off `raw`; returns it and the rest. Raises WireError."""
        one, end = _object(raw, 0)
        return one, raw[end:]


def _object(raw: bytes, at: int) -> tuple[Tlv, int]:
    """The data object that begins at `at`, and where it ends."""
    tag1, tag2, tag3, _, length, start = HEADER.read(raw, at)
    end = start + length
    if end > len(raw):
        raise WireError(f"{length} bytes of value wanted, {len(raw) - start} left")
    return Tlv(_tag_number(tag1, tag2, tag3), raw[start:end]), end


def parse_all(raw: bytes) -> tuple[Tlv, ...]:
    """Parses a sequence of data objects with nothing left over. Raises WireError."""
    objects, at = [], 0
    while at < len(raw):
        one, at = _object(raw, at)
        objects.append(one)
    return tuple(objects)


def parse_tags(raw: bytes) -> tuple[int, ...]:
    """Parses the value of a tag list (5C): tags without lengths. Raises WireError."""
    tags, at = [], 0
    while at < len(raw):
        tag1, tag2, tag3, at = TAG.read(raw, at)
        tags.append(_tag_number(tag1, tag2, tag3))
    return tuple(tags)


@dataclass(frozen=True, slots=True)
class Template:
    """A constructed value: data objects in order, looked up by tag. Parsing errors are 6A80."""

    objects: tuple[Tlv, ...]

    @classmethod
    def parse(cls, raw: bytes, *, subject: str) -> "Template":
        """Parses the value of a constructed data object; `subject` names it in the reason."""
        try:
            return cls(parse_all(raw))
        except WireError as error:
            raise CardError(SW.WRONG_DATA, f"not BER-TLV: {error}", subject=subject) from None

    def __iter__(self) -> Iterator[Tlv]:
        return iter(self.objects)

    def get(self, tag: int) -> bytes | None:
        """Returns the value of the first object with this tag, or None."""
        return next((one.value for one in self.objects if one.tag == tag), None)

    def need(self, tag: int, *, subject: str) -> bytes:
        """Returns the value of the first object with this tag; 6A80 without one."""
        value = self.get(tag)
        if value is None:
            raise CardError(SW.WRONG_DATA, f"tag {tag:X} is missing", subject=subject)
        return value


def single(raw: bytes, tag: int, *, subject: str) -> bytes:
    """Returns the value of `raw`, which must be exactly one data object with this tag; else 6A80."""
    template = Template.parse(raw, subject=subject)
    if [one.tag for one in template] != [tag]:
        raise CardError(SW.WRONG_DATA, f"one object with tag {tag:X} expected", subject=subject)
    return template.objects[0].value


def join(objects: Iterable[Tlv]) -> bytes:
    """Returns the bytes of data objects one after another: the value of a constructed object."""
    return b"".join(bytes(one) for one in objects)
