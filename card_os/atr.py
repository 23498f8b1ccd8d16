"""The answer to reset (ISO/IEC 7816-3 section 8).

TS, then T0 whose low half counts the historical bytes, then groups of interface bytes TAi TBi TCi TDi. The high half
of T0, and of each TDi, says which of the next group's bytes are there; the low half of TDi is a protocol number T.
TCK, the XOR of all from T0, closes it, unless only T=0 is offered.
"""

from dataclasses import dataclass
from functools import reduce
from operator import xor

from construct import Bytes, Check, Computed, IfThenElse, Int8ub, Struct, this

from card_os.wire import Format, WireError

MAX_BYTES = 33

HEAD = Format(
    Struct("ts" / Int8ub, Check((this.ts == 0x3B) | (this.ts == 0x3F)), "t0" / Int8ub),
)
"""TS and T0."""

_ABSENT = Computed(-1)
GROUP = Format(
    Struct(
        "y" / Int8ub,
        "ta" / IfThenElse((this.y & 0x10) != 0, Int8ub, _ABSENT),
        "tb" / IfThenElse((this.y & 0x20) != 0, Int8ub, _ABSENT),
        "tc" / IfThenElse((this.y & 0x40) != 0, Int8ub, _ABSENT),
        "td" / IfThenElse((this.y & 0x80) != 0, Int8ub, _ABSENT),
    )
)
"""The presence byte (T0 or the TD before) and the interface bytes it announces; -1 stands for an absent one."""

TAIL = Format(Struct("length" / Int8ub, "historical" / Bytes(this.length & 0x0F)))
"""T0, for its low half, and the historical bytes."""


@dataclass(frozen=True, slots=True)
class Interface:
    """One group of interface bytes. `protocol` is the T of the TD that announced it; None for the first group."""

    ta: int | None = None
    tb: int | None = None
    tc: int | None = None
    protocol: int | None = None


@dataclass(frozen=True, slots=True)
class Atr:
    """An answer to reset as a value: `bytes(atr)` builds it with its TCK, `Atr.parse` reads one."""

    interface: tuple[Interface, ...] = (Interface(),)
    historical: bytes = b""
    ts: int = 0x3B

    def __post_init__(self) -> None:
        first, *others = self.interface
        if self.ts not in (0x3B, 0x3F):
            raise WireError("TS is 3B or 3F")
        if first.protocol is not None or any(group.protocol is None for group in others):
            raise WireError("the first group has no protocol, every other group has one")
        if any(group.protocol not in range(16) for group in others):
            raise WireError("a protocol number is 0 to 15")
        if len(self.historical) > 15:
            raise WireError("at most 15 historical bytes")
        if len(bytes(self)) > MAX_BYTES:
            raise WireError(f"at most {MAX_BYTES} bytes")

    @property
    def protocols(self) -> tuple[int, ...]:
        """The protocols offered, in order; T=0 if none is named. T=15 is no protocol."""
        named = [group.protocol for group in self.interface[1:] if group.protocol not in (None, 15)]
        return tuple(dict.fromkeys(t for t in named if t is not None)) or (0,)

    @property
    def has_tck(self) -> bool:
        """TCK is absent only if T=0 alone is indicated (7816-3 section 8.2.5)."""
        return any(group.protocol != 0 for group in self.interface[1:])

    def __bytes__(self) -> bytes:
        body = b""
        low = len(self.historical)
        for index, group in enumerate(self.interface):
            last = index == len(self.interface) - 1
            present = [byte for byte in (group.ta, group.tb, group.tc) if byte is not None]
            y = (
                (group.ta is not None) * 0x10
                | (group.tb is not None) * 0x20
                | (group.tc is not None) * 0x40
                | (not last) * 0x80
            )
            body += bytes([y | low, *present])
            if not last:
                low = self.interface[index + 1].protocol or 0
        body += self.historical
        if self.has_tck:
            body += bytes([reduce(xor, body)])
        return bytes([self.ts]) + body

    @classmethod
    def parse(cls, raw: bytes) -> "Atr":
        """Parses a whole answer to reset; WireError if a byte is missing, left over or the TCK is wrong."""
        head, offset = HEAD.parse_head(raw)
        groups: list[Interface] = []
        protocol: int | None = None
        presence_at = 1
        while True:  # Each turn takes a byte of the ATR at least.
            group, used = GROUP.parse_head(raw[presence_at:])
            ta, tb, tc = (None if byte < 0 else byte for byte in (group.ta, group.tb, group.tc))
            groups.append(Interface(ta, tb, tc, protocol))
            offset = presence_at + used
            if group.td < 0:
                break
            presence_at, protocol = offset - 1, group.td & 0x0F
        tail, _ = TAIL.parse_head(bytes([head.t0]) + raw[offset:])
        atr = cls(tuple(groups), tail.historical, head.ts)
        if bytes(atr) != raw:
            raise WireError("TCK is wrong or bytes are left over")
        return atr
