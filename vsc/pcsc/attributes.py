"""What SCardGetAttrib tells of a reader: what the driver of CCID readers tells, so that programs that ask find it.

Numbers are 32 bits in the byte order of the host, as drivers give them.
"""

import sys
import zlib

from vsc.pcsc.codes import Attribute
from vsc.pcsc.slot import Slot

_IFD_VERSION = 0x0100_0000
"""0xMMmmbbbb: 1.0, of no change that a program would have to know of."""
_VENDOR_DEFINED_CHANNEL = 0x00F0_0000
"""The channel's type, above the channel's number (PC/SC part 3): no serial line, no USB."""
_MAX_APDU_BYTES = 4 + 3 + 65_535 + 2
"""Of a command with extended length."""


def attribute_of(slot: Slot, attribute: int) -> bytes | None:
    """The value of an attribute (class << 16 | tag); None: it is not known."""
    match attribute:
        case Attribute.ATR_STRING:
            return slot.atr
        case Attribute.VENDOR_NAME:
            return b"vsc"
        case Attribute.FRIENDLY_NAME | Attribute.SYSTEM_NAME:
            return slot.name + b"\0"
        case Attribute.VENDOR_IFD_VERSION:
            return _number(_IFD_VERSION)
        case Attribute.VENDOR_IFD_SERIAL_NO:
            return f"VSC{_checksum(slot):08X}".encode()
        case Attribute.CHANNEL_ID:
            return _number(_VENDOR_DEFINED_CHANNEL | _checksum(slot) & 0xFFFF)
        case Attribute.MAXINPUT:
            return _number(_MAX_APDU_BYTES)
        case Attribute.ICC_PRESENCE:
            return b"\x02" if slot.is_present else b"\0"  # 1 would be: not yet swallowed.
        case Attribute.ICC_INTERFACE_STATUS:
            return bytes([slot.reader.is_powered])
    return None


def _checksum(slot: Slot) -> int:
    """The same for a reader of one name in every run: programs keep what they know of a reader by its serial."""
    return zlib.crc32(slot.name)


def _number(value: int) -> bytes:
    return value.to_bytes(4, sys.byteorder)
