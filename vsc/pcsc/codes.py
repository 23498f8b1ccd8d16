"""The numbers of pcsc-lite: commands, return codes, modes, state bits.

Values from pcsc-lite's `winscard_msg.h` (commands), `pcsclite.h` (everything else) and `reader.h` (attributes, control
codes). Some differ from Windows': UNSUPPORTED_FEATURE is 0x8010001F here and 0x80100022 there.
"""

from enum import IntEnum, IntFlag

MAX_READERS_OLD = 16
"""What a client up to protocol 4:5 has room for."""
MAX_NAME_BYTES = 128
"""Of a reader, its NUL included."""
MAX_ATR_BYTES = 33
MAX_ATTRIBUTE_BYTES = 264
MAX_PAYLOAD_BYTES = 65_548
"""Of TRANSMIT and CONTROL, either way: an extended APDU with all its lengths (4 + 3 + 65536 + 3 + 2)."""
MAX_HANDLE = 0x7FFF_FFFF

PROTOCOL_MAJOR = 4
OLDEST_MINOR = 4
NEWEST_MINOR = 6


class Command(IntEnum):
    """What a client asks. Three more codes (LIST_READERS, GET_STATUS_CHANGE, CANCEL_TRANSACTION) are never sent."""

    ESTABLISH_CONTEXT = 0x01
    RELEASE_CONTEXT = 0x02
    CONNECT = 0x04
    RECONNECT = 0x05
    DISCONNECT = 0x06
    BEGIN_TRANSACTION = 0x07
    END_TRANSACTION = 0x08
    TRANSMIT = 0x09
    CONTROL = 0x0A
    STATUS = 0x0B
    CANCEL = 0x0D
    GET_ATTRIB = 0x0F
    SET_ATTRIB = 0x10
    VERSION = 0x11
    GET_READERS_STATE = 0x12
    WAIT_READER_STATE_CHANGE = 0x13
    STOP_WAITING_READER_STATE_CHANGE = 0x14
    GET_READER_EVENTS = 0x15
    GET_READERS_STATE_SIZE = 0x16
    GET_READERS_STATE_ARRAY = 0x17


class ReturnCode(IntEnum):
    """What a reply says in `rv`."""

    SUCCESS = 0
    CANCELLED = 0x8010_0002
    INVALID_HANDLE = 0x8010_0003
    NO_MEMORY = 0x8010_0006
    INSUFFICIENT_BUFFER = 0x8010_0008
    UNKNOWN_READER = 0x8010_0009
    SHARING_VIOLATION = 0x8010_000B
    NO_SMARTCARD = 0x8010_000C
    PROTO_MISMATCH = 0x8010_000F
    INVALID_VALUE = 0x8010_0011
    NOT_TRANSACTED = 0x8010_0016
    READER_UNAVAILABLE = 0x8010_0017
    SERVICE_STOPPED = 0x8010_001E
    UNSUPPORTED_FEATURE = 0x8010_001F
    UNRESPONSIVE_CARD = 0x8010_0066
    UNPOWERED_CARD = 0x8010_0067
    RESET_CARD = 0x8010_0068
    REMOVED_CARD = 0x8010_0069


class Scope(IntEnum):
    USER = 0
    TERMINAL = 1
    SYSTEM = 2
    GLOBAL = 3


class ShareMode(IntEnum):
    EXCLUSIVE = 1
    SHARED = 2
    DIRECT = 3


class Disposition(IntEnum):
    """What to do with the card at the end; also the `initialization` of RECONNECT."""

    LEAVE = 0
    RESET = 1
    UNPOWER = 2
    EJECT = 3


class Protocol(IntFlag):
    """T15 is no protocol to talk: it shows that an ATR has global interface bytes."""

    UNDEFINED = 0
    T0 = 1
    T1 = 2
    RAW = 4
    T15 = 8
    ANY_OLD = 0x1000


class ReaderStateBit(IntFlag):
    UNKNOWN = 0x01
    ABSENT = 0x02
    PRESENT = 0x04
    SWALLOWED = 0x08
    POWERED = 0x10
    NEGOTIABLE = 0x20


EMPTY = ReaderStateBit.ABSENT
CARD_UP = ReaderStateBit.PRESENT | ReaderStateBit.POWERED | ReaderStateBit.NEGOTIABLE
CARD_MUTE = ReaderStateBit.PRESENT | ReaderStateBit.SWALLOWED
CARD_OFF = ReaderStateBit.PRESENT
FAILING = ReaderStateBit.UNKNOWN

SHARED_BY_NOBODY = 0
SHARED_BY_ONE = 1
EXCLUSIVE = -1
"""In `sharing`: how many handles a reader has, or this."""


class Attribute(IntEnum):
    """class << 16 | tag. Those that the driver of CCID readers knows, and the two that pcscd answers itself."""

    VENDOR_NAME = 0x0001_0100
    VENDOR_IFD_VERSION = 0x0001_0102
    VENDOR_IFD_SERIAL_NO = 0x0001_0103
    CHANNEL_ID = 0x0002_0110
    ICC_PRESENCE = 0x0009_0300
    ICC_INTERFACE_STATUS = 0x0009_0301
    ATR_STRING = 0x0009_0303
    MAXINPUT = 0x0007_A007
    FRIENDLY_NAME = 0x7FFF_0003
    SYSTEM_NAME = 0x7FFF_0004
