"""Numbers of the GIDS wire formats: instructions, tags, algorithm references and operations of access rules.

Sections are those of the Generic Identity Device Specification 2.0 ("GIDS").
"""

from enum import IntEnum, IntFlag

from card_os.key_kind import KeyKind

AID = bytes.fromhex("A000000397425446590201")
"""Full AID: revision 02, application byte 01 (GIDS section 12.15.5; measured: gids.md 1.1)."""


class Ins(IntEnum):
    """Instructions of the application (GIDS section 12)."""

    VERIFY = 0x20
    MANAGE_SECURITY_ENVIRONMENT = 0x22
    CHANGE_REFERENCE_DATA = 0x24
    PERFORM_SECURITY_OPERATION = 0x2A
    RESET_RETRY_COUNTER = 0x2C
    ACTIVATE_FILE = 0x44
    GENERATE_ASYMMETRIC_KEY_PAIR = 0x47
    GENERAL_AUTHENTICATE = 0x87
    INTERNAL_AUTHENTICATE = 0x88
    SELECT = 0xA4
    GET_DATA = 0xCB
    PUT_DATA = 0xDB
    CREATE_FILE = 0xE0
    DELETE_FILE = 0xE4
    TERMINATE_DF = 0xE6


class Tag(IntEnum):
    """Tags of data objects, in files and in command data."""

    AID = 0x4F
    TAG_LIST = 0x5C
    APPLICATION_TEMPLATE = 0x61
    FCP = 0x62
    FMD = 0x64
    EXTENDED_HEADER = 0x70
    DISCRETIONARY = 0x73
    DYNAMIC_AUTHENTICATION = 0x7C
    FILE_DESCRIPTOR = 0x82
    FILE_ID = 0x83
    DF_NAME = 0x84
    LIFE_CYCLE = 0x8A
    ACCESS_RULE = 0x8C
    KEY_TEMPLATE = 0xA5
    CRYPTOGRAPHIC_MECHANISM = 0xAC
    PIN_USAGE_POLICY = 0x5F2F
    PUBLIC_KEY = 0x7F49
    MEMORY = 0x7F65
    EXTENDED_LENGTH = 0x7F66
    GLOBAL_PIN_STATUS = 0x7F71
    PIN_STATUS = 0x7F72
    PUK_STATUS = 0x7F73
    PIN_POLICY = 0xDF7E
    """Ours: the PIN policy in EF A012 (gids.md 7.3); hosts allocate their tags from DF20 upward."""


class Crt(IntEnum):
    """Control reference templates (GIDS section 8)."""

    AUTHENTICATION = 0xA4
    SIGNATURE = 0xB6
    CONFIDENTIALITY = 0xB8


class Reference(IntEnum):
    """Reference data, P2 of the PIN commands (GIDS section 12.17)."""

    GLOBAL_PIN = 0x00
    PIN = 0x80
    PUK = 0x81
    LOGOUT = 0x82


class FileDescriptor(IntEnum):
    """First byte of tag 82 (GIDS tables 12 and 13)."""

    KEY_FILE = 0x18
    DF = 0x38
    DATA_FILE = 0x39


class EfId(IntEnum):
    """File identifiers that the application itself knows."""

    NONE = 0x0000
    EF_DIR = 0x2F00
    EF_ATR = 0x2F01
    MF = 0x3F00
    ADF = 0x3FFF
    ADMIN_WRITE = 0xA012
    RESERVED = 0xFFFF


class DfOperation(IntFlag):
    """Bits of the access mode byte in the rule of the application DF (GIDS section 2.5.1)."""

    TERMINATE = 0x20
    CREATE_FILE = 0x02
    DELETE_FILE = 0x01


class FileOperation(IntFlag):
    """Bits of the access mode byte in the rule of a file; the first two are for key files (GIDS section 2.5.1)."""

    GENERATE = 0x08
    USE_KEY = 0x04
    PUT = 0x02
    GET = 0x01


ADMIN_KEY_ID = 0x80
KEY_FILES = range(0xB080, 0xB100)
"""File identifiers of key files; the low byte is the key id (OpenSC goes beyond GIDS' 9E)."""

THREE_KEY_3DES = 0x02
RSA_BITS = {0x6: 1024, 0x7: 2048, 0x8: 3072, 0x9: 4096}
EC_KINDS = {0xC: KeyKind.P256, 0xD: KeyKind.P384, 0xE: KeyKind.P521}
KINDS = {number: KeyKind(f"RSA-{bits}") for number, bits in RSA_BITS.items()} | EC_KINDS
"""What the low half of an algorithm reference says of a key (GIDS section 8)."""
UNSUPPORTED_ALGORITHMS = frozenset({0x01, 0x03, 0x04, 0x05, 0xA, 0xB})
"""Known to GIDS but not to this card: two-key 3DES, AES, P-192, P-224."""


class Padding(IntEnum):
    """High half of an algorithm reference under B6 and B8 (GIDS section 8.2 and 8.3)."""

    DECIPHER_RAW = 0x0
    SIGN_AS_IS = 0x1
    DECIPHER_PKCS1 = 0x4
    SIGN_PKCS1 = 0x5
    DECIPHER_OAEP = 0x8


USAGE_VERIFY = 0x80
"""Usage qualifier (tag 95): external or mutual authentication."""
USAGE_COMPUTE = 0x40
"""Usage qualifier (tag 95): compute, decipher, internal authentication."""

MAX_OBJECTS = 100
MAX_OBJECT_BYTES = 16 * 1024
MAX_FILES = 64
"""Capacity: GIDS section 15.1 asks for 100 objects a file and 16 kB an object."""
