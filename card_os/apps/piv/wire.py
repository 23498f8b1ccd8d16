"""Numbers of the PIV wire formats: instructions, key and PIN references, algorithm identifiers, tags.

Sections "part 1" and "part 2" in this package are those of SP 800-73-5; algorithm identifiers are those of SP 800-78-5
section 6.2. What only YubiKeys have is marked so; piv.md is the shared reference.
"""

from enum import IntEnum

from card_os.key_kind import KeyKind

AID = bytes.fromhex("A000000308000010000100")
"""Full AID, version 01 00; hosts select by any prefix from the 5 bytes of NIST's RID (part 1, 2.2)."""
RID = AID[:5]
PIX = AID[5:]


class Ins(IntEnum):
    """Instructions; those from F6 on are Yubico's (piv.md section 8)."""

    VERIFY = 0x20
    CHANGE_REFERENCE_DATA = 0x24
    RESET_RETRY_COUNTER = 0x2C
    GENERATE_ASYMMETRIC_KEY_PAIR = 0x47
    GENERAL_AUTHENTICATE = 0x87
    GET_DATA = 0xCB
    PUT_DATA = 0xDB
    MOVE_KEY = 0xF6
    GET_METADATA = 0xF7
    GET_SERIAL = 0xF8
    ATTEST = 0xF9
    SET_RETRIES = 0xFA
    RESET = 0xFB
    GET_VERSION = 0xFD
    IMPORT_KEY = 0xFE
    SET_MANAGEMENT_KEY = 0xFF


class Reference(IntEnum):
    """Reference data: PINs (part 1, table 4)."""

    GLOBAL_PIN = 0x00
    PIN = 0x80
    PUK = 0x81
    PAIRING_CODE = 0x98


class Key(IntEnum):
    """Key references (part 1, table 5); retired key management keys are 82 to 95. F9 is Yubico's."""

    SECURE_MESSAGING = 0x04
    AUTHENTICATION = 0x9A
    ADMINISTRATION = 0x9B
    SIGNATURE = 0x9C
    MANAGEMENT = 0x9D
    CARD_AUTHENTICATION = 0x9E
    ATTESTATION = 0xF9


RETIRED_KEYS = range(0x82, 0x96)

_KEY_WORDS = {
    Key.SECURE_MESSAGING: "secure messaging key",
    Key.AUTHENTICATION: "authentication key",
    Key.ADMINISTRATION: "management key",
    Key.SIGNATURE: "signature key",
    Key.MANAGEMENT: "key management key",
    Key.CARD_AUTHENTICATION: "card authentication key",
    Key.ATTESTATION: "attestation key",
}


def is_wrapped(cla: int) -> bool:
    """Whether a command of this class comes under secure messaging."""
    return cla < 0x20 and bool(cla & 0x0C)


def key_words(reference: int) -> str:
    """Names a key: `signature key 9C`, `retired key 82`."""
    if reference in RETIRED_KEYS:
        return f"retired key {reference:02X}"
    return (
        f"{_KEY_WORDS.get(Key(reference), 'key')} {reference:02X}" if reference in list(Key) else f"key {reference:02X}"
    )


def pin_words(reference: int) -> str:
    """Names a PIN: `PIN`, `PUK`."""
    words = {
        Reference.GLOBAL_PIN: "global PIN",
        Reference.PIN: "PIN",
        Reference.PUK: "PUK",
        Reference.PAIRING_CODE: "pairing code",
    }
    return words.get(Reference(reference), "PIN") if reference in list(Reference) else f"reference {reference:02X}"


ALGORITHMS: dict[int, KeyKind] = {
    0x05: KeyKind.RSA_3072,
    0x06: KeyKind.RSA_1024,
    0x07: KeyKind.RSA_2048,
    0x11: KeyKind.P256,
    0x14: KeyKind.P384,
    0x16: KeyKind.RSA_4096,
    0xE0: KeyKind.ED25519,
    0xE1: KeyKind.X25519,
}
"""Identifiers of asymmetric algorithms; 16, E0 and E1 are Yubico's."""
ALGORITHM_OF = {kind: number for number, kind in ALGORITHMS.items()}

CIPHERS: dict[int, KeyKind] = {
    0x03: KeyKind.TDES,
    0x08: KeyKind.AES_128,
    0x0A: KeyKind.AES_192,
    0x0C: KeyKind.AES_256,
}
"""Identifiers of the ciphers of key 9B; 00 stands for whichever it has."""
CIPHER_OF = {kind: number for number, kind in CIPHERS.items()}
DEFAULT_CIPHER = 0x00


class Tag(IntEnum):
    """Data objects of commands and answers."""

    APPLICATION_PROPERTIES = 0x61
    AID = 0x4F
    AUTHORITY = 0x79
    LABEL = 0x50
    ALGORITHMS = 0xAC
    ALGORITHM = 0x80
    OBJECT_IDENTIFIER = 0x06
    TAG_LIST = 0x5C
    DATA = 0x53
    DISCOVERY = 0x7E
    BIT_GROUP = 0x7F61
    PIN_USAGE_POLICY = 0x5F2F
    PAIRING_CODE = 0x99
    PUBLIC_KEY = 0x7F49
    CARD_CERTIFICATE = 0x7F21
    DYNAMIC_AUTHENTICATION = 0x7C
    WITNESS = 0x80
    CHALLENGE = 0x81
    RESPONSE = 0x82
    EXPONENTIATION = 0x85
    PIN_POLICY = 0xAA
    TOUCH_POLICY = 0xAB


class PinPolicy(IntEnum):
    """When a private key wants the PIN. Numbers are Yubico's (tag AA); NIST's rules are three of them."""

    NEVER = 0x01
    ONCE = 0x02
    ALWAYS = 0x03


class TouchPolicy(IntEnum):
    """When a key wants a touch (Yubico, tag AB)."""

    NEVER = 0x01
    ALWAYS = 0x02
    CACHED = 0x03


DEFAULT_POLICY = 0x00
"""On import and generation: what the slot has where nobody says."""


class UsagePolicy(IntEnum):
    """Bits of the first byte of the PIN usage policy (part 1, 3.3.2)."""

    PIN = 0x40
    GLOBAL_PIN = 0x20
    BIOMETRY = 0x10
    VCI = 0x08
    VCI_WITHOUT_PAIRING_CODE = 0x04
