"""The class byte (ISO/IEC 7816-4 section 5.4.1): logical channel, chaining bit, secure messaging bits.

    000c ssnn   first interindustry: channels 0 to 3, two bits of secure messaging
    01sc nnnn   further interindustry: channels 4 to 19, one bit of secure messaging
    100c ssnn   proprietary, read in the same way (GlobalPlatform Card Specification 2.3.1 section 11.1.4)
    11sc nnnn   proprietary, channels 4 to 19

20 to 3F is reserved, FF invalid. A proprietary class means something only to an application that says so in its rows.
"""

from dataclasses import dataclass
from enum import Flag, auto

from card_os.sw import SW, CardError

MAX_CHANNELS = 20


class Classes(Flag):
    """In which kind of class a command is known."""

    INTERINDUSTRY = auto()
    PROPRIETARY = auto()
    ANY = INTERINDUSTRY | PROPRIETARY


@dataclass(frozen=True, slots=True)
class ClassByte:
    """channel 0 to 19; chaining: not the last command of a chain; secure_messaging: any form of it indicated."""

    channel: int = 0
    chaining: bool = False
    secure_messaging: bool = False
    is_proprietary: bool = False

    @classmethod
    def parse(cls, cla: int) -> "ClassByte":
        """Reads a class byte; 6E00 for one that is reserved or invalid."""
        found = _TABLE[cla]
        if found is None:
            raise class_not_supported(cla)
        return found

    @classmethod
    def _read(cls, cla: int) -> "ClassByte | None":
        if cla == 0xFF or 0x20 <= cla < 0x40:
            return None
        if cla & 0x40:
            return cls(4 + (cla & 0x0F), bool(cla & 0x10), bool(cla & 0x20), cla >= 0x80)
        return cls(cla & 0x03, bool(cla & 0x10), bool(cla & 0x0C), cla >= 0x80)


# Every command has one, and there are 256 of them.
_TABLE = tuple(ClassByte._read(cla) for cla in range(256))


def class_not_supported(cla: int) -> CardError:
    """6E00: nobody here knows a command of this class."""
    return CardError(SW.CLA_NOT_SUPPORTED, f"class {cla:02X} is reserved or proprietary")
