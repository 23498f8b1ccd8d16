"""What a command asks for, in whatever form: short or extended, in one piece or a chain, with whichever Le."""

from dataclasses import dataclass, replace
from typing import NamedTuple, Self

from card_os.apdu import CommandApdu
from card_os.sw import SW, CardError
from vsc.masking.command import MaskedCommand, agree

GET_RESPONSE = 0xC0
_CHAINING = 0x10
_PROPRIETARY = 0x80
_FURTHER_CHANNELS = 0x40


class Header(NamedTuple):
    """CLA without the bit for chaining, INS, P1, P2."""

    cla: int
    ins: int
    p1: int
    p2: int


@dataclass(frozen=True, slots=True)
class Ask:
    """A command without its form. data: what may be seen of it; hidden_bytes: how much more there is.

    ne: how many bytes are wanted, 0 if there is no Le; is_extended, is_part (of a chain, and not its last): the form it
    came in; unknown: the places of data that a log has blacked out.
    """

    header: Header
    data: bytes = b""
    hidden_bytes: int = 0
    ne: int = 0
    is_extended: bool = False
    is_part: bool = False
    unknown: frozenset[int] = frozenset()

    @classmethod
    def of(cls, command: MaskedCommand) -> Self:
        """Any bytes are some command: what fits no case has all behind its header for data."""
        raw = command.visible
        cla, ins, p1, p2 = raw[:4].ljust(4, b"\0")
        is_part = cla < _PROPRIETARY and bool(cla & _CHAINING)
        header = Header(cla & ~_CHAINING if is_part else cla, ins, p1, p2)
        if command.hidden_bytes:
            return cls(header, b"", _hidden_data_bytes(command), is_extended=len(raw) > 5, is_part=is_part)
        try:
            apdu = CommandApdu.parse(raw)
        except CardError:
            return cls(header, raw[4:], is_part=is_part)
        unknown: frozenset[int] = frozenset()
        if command.unknown:
            start = 7 if apdu.extended else 5
            unknown = frozenset(place - start for place in command.unknown if 0 <= place - start < len(apdu.data))
        return cls(header, apdu.data, 0, apdu.ne, apdu.extended, is_part, unknown)

    @property
    def key(self) -> tuple[Header, bytes, int]:
        """The same for all forms of one command."""
        return self.header, self.data, self.hidden_bytes

    def matches(self, other: "Ask") -> bool:
        """Whether both may be one command, in whatever forms."""
        return self.key == other.key or (
            (self.header, len(self.data), self.hidden_bytes) == (other.header, len(other.data), other.hidden_bytes)
            and agree(self.data, other.data, self.unknown | other.unknown)
        )

    @property
    def data_bytes(self) -> int:
        return len(self.data) + self.hidden_bytes

    @property
    def channel(self) -> int:
        """The logical channel (ISO/IEC 7816-4 section 5.4.1)."""
        cla = self.header.cla
        if cla < _PROPRIETARY and cla & _FURTHER_CHANNELS:
            return 4 + (cla & 0x0F)
        return cla & 0x03

    @property
    def max_answer_bytes(self) -> int:
        """How many bytes of an answer it takes; no Le counts as the most there can be."""
        return self.ne or (65_536 if self.is_extended else 256)

    def after(self, parts: "Ask | None") -> "Ask":
        """The whole command of which this is the last piece, or one more."""
        if parts is None:
            return self
        unknown = parts.unknown | {place + len(parts.data) for place in self.unknown}
        hidden = parts.hidden_bytes + self.hidden_bytes
        return replace(self, data=parts.data + self.data, hidden_bytes=hidden, unknown=unknown)


def _hidden_data_bytes(command: MaskedCommand) -> int:
    """Of a masked command: Lc if it can be seen, else all that is hidden (there may be an Le in it)."""
    raw = command.visible
    if len(raw) == 5:
        return raw[4]
    return int.from_bytes(raw[5:7], "big") if len(raw) == 7 else command.hidden_bytes


def sw_of(response: bytes) -> int:
    """The status word; 0 if there was no answer."""
    return int.from_bytes(response[-2:], "big") if len(response) >= 2 else 0


def is_success(sw: int) -> bool:
    """Also 61xx, and the warnings that come with data (62xx)."""
    return sw == SW.OK or sw >> 8 in (0x61, 0x62)
