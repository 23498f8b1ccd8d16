"""The class byte (ISO/IEC 7816-4 section 5.4.1): logical channel, chaining bit, secure messaging bits.

    000c ssnn   first interindustry: channels 0 to 3, two bits of secure messaging
    01sc nnnn   further interindustry: channels 4 to 19, one bit of secure messaging

20 to 3F is reserved, FF invalid, 80 to FE proprietary: this card knows no command there.
"""

from dataclasses import dataclass

from card_os.sw import SW, CardError

MAX_CHANNELS = 20


@dataclass(frozen=True, slots=True)
class ClassByte:
    """channel 0 to 19; chaining: not the last command of a chain; secure_messaging: any form of it indicated."""

    channel: int = 0
    chaining: bool = False
    secure_messaging: bool = False

    @classmethod
    def parse(cls, cla: int) -> "ClassByte":
        """Reads a class byte; 6E00 for a class that this card does not know."""
        if cla < 0x20:
            return cls(cla & 0x03, bool(cla & 0x10), bool(cla & 0x0C))
        if 0x40 <= cla < 0x80:
            return cls(4 + (cla & 0x0F), bool(cla & 0x10), bool(cla & 0x20))
        raise CardError(SW.CLA_NOT_SUPPORTED, f"class {cla:02X} is reserved or proprietary")
