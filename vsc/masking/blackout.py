"""Bytes as people paste them: in hexadecimal, some of them blacked out.

    00 20 00 80 08 xx xx xx xx xx xx xx xx      00:A4:04:00      00CB3FFF05 …

Who sends a log to strangers paints over his serial number and his PIN: with `xx`, `**`, `??`, `##`, `__` or a black box
in place of a byte, or with `…` or `...` in place of any number of them.
"""

import re
from dataclasses import dataclass

_UNKNOWN = r"[xX]{2}|\*\*|\?\?|##|__|\u2588\u2588"
BYTE = rf"(?:[0-9a-fA-F]{{2}}|{_UNKNOWN})"
"""A byte, seen or not: a regular expression."""
ELLIPSIS = r"(?:\u2026|\.\.\.|\[\u2026\]|\[\.\.\.\])"
"""Any number of bytes that are not seen."""
_TOKEN = re.compile(rf"[\s:]*(?:({BYTE})|({ELLIPSIS}))[\s:]*")
_HEADER_AND_LC_BYTES = 5


@dataclass(frozen=True, slots=True)
class Dump:
    """Bytes of which some are not known. raw: 00 stands for these; unknown: their places; gap: where `…` is, if it is.

    A gap has no length yet: `filled` gives it one.
    """

    raw: bytes
    unknown: frozenset[int] = frozenset()
    gap: int | None = None

    def filled(self, more_bytes: int) -> "Dump":
        """The same with so many unknown bytes in the gap."""
        if self.gap is None:
            return self
        moved = {place + more_bytes * (place >= self.gap) for place in self.unknown}
        raw = self.raw[: self.gap] + bytes(more_bytes) + self.raw[self.gap :]
        return Dump(raw, frozenset(moved | set(range(self.gap, self.gap + more_bytes))))

    def as_command(self) -> "Dump":
        """The same with the gap as long as Lc says; of one byte where Lc does not say."""
        if self.gap is None:
            return self
        behind = len(self.raw) - self.gap
        missing = 1
        if self.gap >= _HEADER_AND_LC_BYTES and 4 not in self.unknown:
            # One 00 behind the gap is Le.
            missing = _HEADER_AND_LC_BYTES + self.raw[4] - len(self.raw) + (behind == 1 and not self.raw[-1])
        return self.filled(max(missing, 1))


def dump_of(words: str) -> Dump | None:
    """Reads `00 A4 xx`, `00:A4:**` or `00A4…`; None if that is no hexadecimal. Only one gap can be told."""
    try:
        return Dump(bytes.fromhex(words.replace(":", " ")))
    except ValueError:
        pass  # It is none, or not all of it can be seen.
    raw, unknown, gap, at = bytearray(), set(), None, 0
    words = words.strip()
    while at < len(words):
        token = _TOKEN.match(words, at)
        if token is None:
            return None
        at = token.end()
        if token[2]:
            if gap is not None:
                return None
            gap = len(raw)
            continue
        try:
            raw.append(int(token[1], 16))
        except ValueError:
            unknown.add(len(raw))
            raw.append(0)
    return Dump(bytes(raw), frozenset(unknown), gap)


def text(raw: bytes, unknown: frozenset[int]) -> str:
    """In hexadecimal, with `xx` for what is not known; `dump_of` reads it."""
    return "".join("xx" if place in unknown else f"{byte:02X}" for place, byte in enumerate(raw))
