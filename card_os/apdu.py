"""Command and response APDUs: the seven cases of ISO/IEC 7816-3 section 12.1.

A command is a header, perhaps data (Nc bytes, counted by Lc) and perhaps a wish for an answer (Ne bytes, coded by
Le). Lc and Le are both short (one byte) or both extended. Which of the seven cases a string of bytes is follows from
its length and its fifth byte alone; there is no ambiguity, and what fits no case is a wrong length (6700).
"""

from enum import Enum

from construct import Bytes, Const, Int8ub, Int16ub, Struct, this

from card_os.sw import SW, CardError
from card_os.value import value
from card_os.wire import Format

MAX_NC = 65_535
MAX_NE = 65_536

_HEADER = ("cla" / Int8ub, "ins" / Int8ub, "p1" / Int8ub, "p2" / Int8ub)
_EXTENDED = Const(b"\x00")


class Case(Enum):
    """The seven cases, each with its wire format (ISO/IEC 7816-3 section 12.1.3)."""

    CASE_1 = Format(Struct(*_HEADER))
    CASE_2S = Format(Struct(*_HEADER, "le" / Int8ub))
    CASE_3S = Format(Struct(*_HEADER, "lc" / Int8ub, "data" / Bytes(this.lc)))
    CASE_4S = Format(Struct(*_HEADER, "lc" / Int8ub, "data" / Bytes(this.lc), "le" / Int8ub))
    CASE_2E = Format(Struct(*_HEADER, _EXTENDED, "le" / Int16ub))
    CASE_3E = Format(Struct(*_HEADER, _EXTENDED, "lc" / Int16ub, "data" / Bytes(this.lc)))
    CASE_4E = Format(Struct(*_HEADER, _EXTENDED, "lc" / Int16ub, "data" / Bytes(this.lc), "le" / Int16ub))

    def __init__(self, form: Format) -> None:
        self.format = form
        self.has_data = "data" in form.names
        self.has_le = "le" in form.names
        self.is_extended = _EXTENDED in form.struct.subcons
        self.max_ne = MAX_NE if self.is_extended else 256

    @classmethod
    def of(cls, raw: bytes) -> "Case":
        """Tells which case `raw` is; 6700 if none."""
        body = len(raw) - 4
        if body < 0:
            raise CardError(SW.WRONG_LENGTH, f"a command has at least 4 bytes, this one has {len(raw)}")
        if body == 0:
            return _CASE_1
        if body == 1:
            return _CASE_2S
        lc = raw[4]
        if lc:
            if body - lc == 1:
                return _CASE_3S
            if body - lc == 2:
                return _CASE_4S
        elif body == 3:
            return _CASE_2E
        elif body > 3:
            nc = int.from_bytes(raw[5:7], "big")
            if nc and body - nc == 3:
                return _CASE_3E
            if nc and body - nc == 5:
                return _CASE_4E
        raise CardError(SW.WRONG_LENGTH, f"Lc does not fit a command of {len(raw)} bytes")


# Members of enumerations are slow to come by, and every command asks.
_CASE_1, _CASE_2S, _CASE_3S, _CASE_4S, _CASE_2E, _CASE_3E, _CASE_4E = Case


@value
class CommandApdu:
    """A command: four header bytes, `data` of 0 to 65 535 bytes, `ne` 0 (no Le) to 65 536 bytes wanted.

    extended: Lc and Le are in their long form. Raises ValueError for what no case can carry.
    """

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes = b""
    ne: int = 0
    extended: bool = False

    def __post_init__(self) -> None:
        if (self.cla | self.ins | self.p1 | self.p2) >> 8:  # too big or negative
            raise ValueError("CLA, INS, P1 and P2 are bytes")
        max_nc, max_ne = (MAX_NC, MAX_NE) if self.extended else (255, 256)
        if len(self.data) > max_nc or not 0 <= self.ne <= max_ne:
            raise ValueError(f"data up to {max_nc} and Ne up to {max_ne} bytes fit this form")
        if self.extended and not self.data and not self.ne:
            raise ValueError("case 1 has no extended form")

    @property
    def case(self) -> Case:
        """The case that this command is written in."""
        if not self.data and not self.ne:
            return _CASE_1
        if not self.data:
            return _CASE_2E if self.extended else _CASE_2S
        if not self.ne:
            return _CASE_3E if self.extended else _CASE_3S
        return _CASE_4E if self.extended else _CASE_4S

    @property
    def p1p2(self) -> int:
        return self.p1 << 8 | self.p2

    @property
    def effective_ne(self) -> int:
        """How many bytes to serve: real clients leave Le out and want the data all the same.

        Absent Le counts as 256, or 65 536 in case 3E (measured).
        """
        return self.ne or (MAX_NE if self.extended else 256)

    @classmethod
    def parse(cls, raw: bytes) -> "CommandApdu":
        """Parses one whole command; 6700 if the lengths fit no case."""
        case = Case.of(raw)
        fields = case.format.read(raw, 0)
        cla, ins, p1, p2 = fields[:4]
        data = fields[5] if case.has_data else b""
        # Before the last, which is the place behind the command.
        ne = (fields[-2] or case.max_ne) if case.has_le else 0
        return cls(cla, ins, p1, p2, data, ne, case.is_extended)

    def __bytes__(self) -> bytes:
        case = self.case
        values: dict[str, object] = {"cla": self.cla, "ins": self.ins, "p1": self.p1, "p2": self.p2}
        if case.has_data:
            values |= {"lc": len(self.data), "data": self.data}
        if case.has_le:
            values["le"] = self.ne & (0xFFFF if self.extended else 0xFF)
        return case.format.build(values)


@value
class ResponseApdu:
    """An answer: 0 to 65 536 bytes of data and the status word."""

    data: bytes = b""
    sw: int = SW.OK

    def __bytes__(self) -> bytes:
        return self.data + self.sw.to_bytes(2, "big")

    @classmethod
    def parse(cls, raw: bytes) -> "ResponseApdu":
        """Parses an answer of at least two bytes; ValueError for less."""
        if len(raw) < 2:
            raise ValueError("a response has at least the two bytes of the status word")
        return cls(raw[:-2], int.from_bytes(raw[-2:], "big"))
