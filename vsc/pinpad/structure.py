"""PIN_VERIFY_STRUCTURE and PIN_MODIFY_STRUCTURE of PC/SC part 10, as programs send them with SCardControl.

Byte-packed, numbers in the host's order. They hold a command without its PIN, and say how long the PIN may be and
where it goes; they never hold a PIN. Whatever part 10 does not define is refused with WireError.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from construct import (
    BitsInteger,
    BitStruct,
    Byte,
    Bytes,
    Const,
    Flag,
    GreedyBytes,
    Int16un,
    Int32un,
    Nibble,
    Prefixed,
    Struct,
)

from card_os.wire import Format, WireError

_HEAD = (
    "timeout_s" / Byte,  # bTimeOut
    "key_timeout_s" / Byte,  # bTimeOut2
    "format" / BitStruct("in_bytes" / Flag, "position" / Nibble, "is_right" / Flag, "type" / BitsInteger(2)),
    "block" / BitStruct("length_bits" / Nibble, "bytes" / Nibble),
    "length" / BitStruct("rfu" / Const(0, BitsInteger(3)), "in_bytes" / Flag, "position" / Nibble),
)
_LIMITS = ("digits" / Int16un,)  # wPINMaxExtraDigit: least << 8 | most
_MESSAGES = ("validation" / Byte, "messages" / Byte, "language" / Int16un)
_TAIL = ("prologue" / Bytes(3), "command" / Prefixed(Int32un, GreedyBytes))

VERIFY = Format(Struct(*_HEAD, *_LIMITS, *_MESSAGES, "indexes" / Bytes(1), *_TAIL))
MODIFY = Format(
    Struct(
        *_HEAD,
        "offset_current" / Byte,
        "offset_new" / Byte,
        *_LIMITS,
        "confirm" / BitStruct("rfu" / Const(0, BitsInteger(6)), "asks_current" / Flag, "asks_twice" / Flag),
        *_MESSAGES,
        "indexes" / Bytes(3),
        *_TAIL,
    )
)

_VALIDATIONS = range(1, 8)  # Any of: 1 the most digits are in, 2 the key that confirms, 4 time is up.
_VERIFY_MESSAGES = (0, 1, 0xFF)
_MODIFY_MESSAGES = (0, 1, 2, 3, 0xFF)


class PinType(IntEnum):
    """How a digit is written: 01, a half byte 1, or 31. The fourth value is not defined."""

    BINARY = 0
    BCD = 1
    ASCII = 2


@dataclass(frozen=True, slots=True)
class PinFormat:
    """Where a PIN goes in the data of a command: bmFormatString, bmPINBlockString and bmPINLengthFormat."""

    type: PinType
    position: int = 0
    """Of the PIN, in units."""
    in_bytes: bool = False
    """The unit: bytes or bits."""
    is_right: bool = False
    """Whether the PIN is at the end of its block."""
    block_bytes: int = 0
    """0: the block is as long as the PIN, or reaches to the end of the data."""
    length_bits: int = 0
    """How wide the PIN's length is; 0: it is not written."""
    length_position: int = 0
    length_in_bytes: bool = False

    @property
    def position_bits(self) -> int:
        return self.position * (8 if self.in_bytes else 1)

    @property
    def length_position_bits(self) -> int:
        return self.length_position * (8 if self.length_in_bytes else 1)

    @classmethod
    def _of(cls, raw: Any) -> "PinFormat":
        return cls(
            type=_pin_type(raw.format.type),
            position=raw.format.position,
            in_bytes=bool(raw.format.in_bytes),
            is_right=bool(raw.format.is_right),
            block_bytes=raw.block.bytes,
            length_bits=raw.block.length_bits,
            length_position=raw.length.position,
            length_in_bytes=bool(raw.length.in_bytes),
        )

    def _values(self) -> dict[str, Any]:
        return {
            "format": {
                "in_bytes": self.in_bytes,
                "position": self.position,
                "is_right": self.is_right,
                "type": int(self.type),
            },
            "block": {"length_bits": self.length_bits, "bytes": self.block_bytes},
            "length": {"rfu": 0, "in_bytes": self.length_in_bytes, "position": self.length_position},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PinVerify:
    """PIN_VERIFY_STRUCTURE: ask for a PIN, and send the command with it."""

    format: PinFormat
    min_digits: int
    max_digits: int
    command: bytes
    """The template: an APDU that lacks the PIN."""
    timeout_s: int = 0
    """Until the first key; 0: the reader's own."""
    key_timeout_s: int = 0
    """From the first key on; 0: the reader's own."""
    validation: int = 2
    messages: int = 0
    language: int = 0
    indexes: bytes = b"\0"
    prologue: bytes = bytes(3)

    @classmethod
    def parse(cls, raw: bytes) -> "PinVerify":
        """WireError when it is malformed or asks for what part 10 does not define."""
        return cls(**_common(VERIFY.parse(raw), _VERIFY_MESSAGES))

    def __bytes__(self) -> bytes:
        return VERIFY.build(_values(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class PinModify(PinVerify):
    """PIN_MODIFY_STRUCTURE: ask for the current PIN or not, for a new one once or twice, and send the command."""

    offset_current: int = 0
    """Where the block of the current PIN begins, in bytes."""
    offset_new: int = 0
    asks_current: bool = True
    asks_twice: bool = True
    indexes: bytes = b"\0\1\2"

    @classmethod
    def parse(cls, raw: bytes) -> "PinModify":
        """WireError when it is malformed or asks for what part 10 does not define."""
        parsed = MODIFY.parse(raw)
        return cls(
            **_common(parsed, _MODIFY_MESSAGES),
            offset_current=parsed.offset_current,
            offset_new=parsed.offset_new,
            asks_current=bool(parsed.confirm.asks_current),
            asks_twice=bool(parsed.confirm.asks_twice),
        )

    def __bytes__(self) -> bytes:
        confirm = {"rfu": 0, "asks_current": self.asks_current, "asks_twice": self.asks_twice}
        offsets = {"offset_current": self.offset_current, "offset_new": self.offset_new}
        return MODIFY.build(_values(self) | offsets | {"confirm": confirm})


def _pin_type(value: int) -> PinType:
    try:
        return PinType(value)
    except ValueError:
        raise WireError(f"no type of PIN is {value}") from None


def _common(parsed: Any, messages: tuple[int, ...]) -> dict[str, Any]:
    """What the two structures share, checked."""
    least, most = divmod(parsed.digits, 0x100)
    if most == 0 or least > most:
        raise WireError(f"no PIN has {least} to {most} digits")
    if parsed.validation not in _VALIDATIONS:
        raise WireError(f"no entry ends on condition {parsed.validation:#04x}")
    if parsed.messages not in messages:
        raise WireError(f"{parsed.messages} messages cannot be shown")
    plain = ("timeout_s", "key_timeout_s", "validation", "messages", "language", "indexes", "prologue", "command")
    values: dict[str, Any] = {name: parsed[name] for name in plain}
    return values | {"format": PinFormat._of(parsed), "min_digits": least, "max_digits": most}


def _values(value: PinVerify) -> dict[str, Any]:
    if not (0 <= value.min_digits <= 0xFF and 0 <= value.max_digits <= 0xFF):
        raise WireError("a PIN has at most 255 digits")
    return {
        "timeout_s": value.timeout_s,
        "key_timeout_s": value.key_timeout_s,
        "digits": value.min_digits << 8 | value.max_digits,
        "validation": value.validation,
        "messages": value.messages,
        "language": value.language,
        "indexes": value.indexes,
        "prologue": value.prologue,
        "command": value.command,
    } | value.format._values()
