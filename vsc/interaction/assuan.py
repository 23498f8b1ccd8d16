"""Assuan, the line protocol that pinentry speaks, as far as a client of pinentry needs it. No I/O here.

A line is a command or an answer of at most 1000 bytes, LF not counted: `SETDESC text`, `OK`, `ERR code text`,
`D data`, `S status`, `# remark`, `INQUIRE what`. In text, `%`, CR and LF are written as % and two hexadecimal digits.
"""

import re
from dataclasses import dataclass

MAX_LINE_BYTES = 1000
CANCELLED_CODES = frozenset({62, 99, 114, 198})
"""Of libgpg-error, all said by a person or by a pinentry that waited in vain: TIMEOUT, CANCELED, NOT_CONFIRMED and
FULLY_CANCELED."""

_CODE_MASK = 0xFFFF
_ESCAPED = re.compile(rb"%([0-9A-Fa-f]{2})")
_TO_ESCAPE = re.compile(rb"[%\r\n]")


class AssuanError(ValueError):
    """A line that is none."""


@dataclass(frozen=True, slots=True)
class Line:
    """What came: the word in front, and what follows it, unescaped in a `D` line."""

    word: str
    rest: bytes

    @property
    def error_code(self) -> int | None:
        """For ERR: the code without the part that says which program it comes from. None: it has no number."""
        number = self.rest.partition(b" ")[0]
        return int(number) & _CODE_MASK if number.isdigit() else None

    def __repr__(self) -> str:
        return f"<Line {self.word}>"  # A D line holds the PIN.


def command(word: str, text: str = "") -> bytes:
    """Builds a line, LF included. Text that is too long is cut, between characters, and ends with three dots."""
    if not text:
        return word.encode() + b"\n"
    room = MAX_LINE_BYTES - len(word) - 1
    characters = [escape(char) for char in text]
    if sum(map(len, characters)) > room:
        characters = [*_first(characters, room - 3), b"..."]
    return word.encode() + b" " + b"".join(characters) + b"\n"


def _first(characters: list[bytes], room: int) -> list[bytes]:
    used = 0
    for count, char in enumerate(characters):
        used += len(char)
        if used > room:
            return characters[:count]
    return characters


def escape(text: str) -> bytes:
    """Writes text as it may stand in a line."""
    return _TO_ESCAPE.sub(lambda match: b"%%%02X" % match.group()[0], text.encode(errors="replace"))


def unescape(raw: bytes) -> bytes:
    """Reads what stands in a line; AssuanError for a `%` that begins no escape."""
    if b"%" in _ESCAPED.sub(b"", raw):
        raise AssuanError("a line has a % that escapes nothing")
    return _ESCAPED.sub(lambda match: bytes.fromhex(match.group(1).decode()), raw)


def parse(raw: bytes) -> Line:
    """Parses a line, LF included; AssuanError for one that is cut off, too long or without a word."""
    if not raw.endswith(b"\n") or len(raw) > MAX_LINE_BYTES + 2:
        raise AssuanError("a line is cut off or too long")
    word, _, rest = raw.rstrip(b"\r\n").partition(b" ")
    if not word or not word.isascii():
        raise AssuanError("a line has no word")
    return Line(word.decode(), unescape(rest) if word == b"D" else rest)
