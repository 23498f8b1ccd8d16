"""Numbers of the OpenPGP card's wire formats: instructions, passwords, data objects, places for keys.

The specification is the "Functional Specification of the OpenPGP application on ISO Smart Card Operating Systems",
version 3.4.1, here "OpenPGP card 3.4". What only YubiKeys have is marked so.
"""

from enum import IntEnum

from construct import Bytes, Int16ub, Int32ub, Struct

from card_os.wire import Format

PREFIX = bytes.fromhex("D27600012401")
"""RID of FSF Europe and the application; version, manufacturer and serial number follow (4.2.1)."""

FULL_AID = Format(
    Struct("prefix" / Bytes(6), "version" / Int16ub, "manufacturer" / Int16ub, "serial" / Int32ub, "rfu" / Bytes(2))
)


def full_aid(version: int, manufacturer: int, serial: int) -> bytes:
    """The 16 bytes by which hosts know this very card. version: BCD, 0304 for 3.4."""
    values = {"prefix": PREFIX, "version": version, "manufacturer": manufacturer, "serial": serial, "rfu": bytes(2)}
    return FULL_AID.build(values)


class Ins(IntEnum):
    """Instructions (chapter 7); those from F1 on are Yubico's."""

    VERIFY = 0x20
    MANAGE_SECURITY_ENVIRONMENT = 0x22
    CHANGE_REFERENCE_DATA = 0x24
    PERFORM_SECURITY_OPERATION = 0x2A
    RESET_RETRY_COUNTER = 0x2C
    ACTIVATE_FILE = 0x44
    GENERATE_ASYMMETRIC_KEY_PAIR = 0x47
    GET_CHALLENGE = 0x84
    INTERNAL_AUTHENTICATE = 0x88
    SELECT = 0xA4
    SELECT_DATA = 0xA5
    GET_DATA = 0xCA
    GET_NEXT_DATA = 0xCC
    PUT_DATA = 0xDA
    PUT_DATA_ODD = 0xDB
    TERMINATE_DF = 0xE6
    GET_VERSION = 0xF1
    SET_PIN_RETRIES = 0xF2
    GET_ATTESTATION = 0xFB


class Password(IntEnum):
    """What VERIFY proves: PW1 has two states for one secret (4.3.1)."""

    SIGNING = 0x81
    """PW1 for PSO: COMPUTE DIGITAL SIGNATURE."""
    USER = 0x82
    """PW1 for everything else."""
    ADMIN = 0x83
    """PW3."""


PASSWORD_WORDS = {
    Password.SIGNING: "PIN (81, signing)",
    Password.USER: "PIN (82)",
    Password.ADMIN: "admin PIN",
}


def password_words(reference: int) -> str:
    """The password that a P2 names."""
    return next((words for one, words in PASSWORD_WORDS.items() if one == reference), f"password {reference:02X}")


class Key(IntEnum):
    """Places for private keys, by the reference in 84 of a control reference template (7.2.14); 81 is Yubico's."""

    SIGNATURE = 0x01
    DECRYPTION = 0x02
    AUTHENTICATION = 0x03
    ATTESTATION = 0x81


KEY_WORDS = {
    Key.SIGNATURE: "key SIG",
    Key.DECRYPTION: "key DEC",
    Key.AUTHENTICATION: "key AUT",
    Key.ATTESTATION: "key ATT",
}
TEMPLATES = {0xB6: Key.SIGNATURE, 0xB8: Key.DECRYPTION, 0xA4: Key.AUTHENTICATION}
"""Control reference templates, which name a key by their tag."""


class Origin(IntEnum):
    """Where a private key was made (key information, DE)."""

    GENERATED = 0x01
    IMPORTED = 0x02


class Touch(IntEnum):
    """User interaction flag: whether a key wants a touch (4.4.3.6); the last two are Yubico's."""

    OFF = 0x00
    ON = 0x01
    FIXED = 0x02
    CACHED = 0x03
    CACHED_FIXED = 0x04


class Tag(IntEnum):
    """Data objects (4.4.1), and tags inside them."""

    AID = 0x4F
    NAME = 0x5B
    LOGIN = 0x5E
    LANGUAGE = 0x5F2D
    SEX = 0x5F35
    URL = 0x5F50
    HISTORICAL_BYTES = 0x5F52
    CARDHOLDER = 0x65
    APPLICATION = 0x6E
    DISCRETIONARY = 0x73
    SECURITY_SUPPORT = 0x7A
    CERTIFICATE = 0x7F21
    EXTENDED_LENGTH = 0x7F66
    FEATURES = 0x7F74
    SIGNATURE_COUNTER = 0x93
    EXTENDED_CAPABILITIES = 0xC0
    PASSWORD_STATUS = 0xC4
    FINGERPRINTS = 0xC5
    CA_FINGERPRINTS = 0xC6
    CREATION_TIMES = 0xCD
    RESETTING_CODE = 0xD3
    AES_KEY = 0xD5
    KEY_INFORMATION = 0xDE
    KDF = 0xF9
    ALGORITHMS = 0xFA
    ATTESTATION_CERTIFICATE = 0xFC
    PRIVATE_1 = 0x0101
    PRIVATE_2 = 0x0102
    PRIVATE_3 = 0x0103
    PRIVATE_4 = 0x0104
    EXTENDED_HEADER_LIST = 0x4D
    """What a private key comes in (4.4.3.12)."""
    KEY_TEMPLATE = 0x7F48
    KEY_DATA = 0x5F48
    PUBLIC_KEY = 0x7F49
    POINT = 0x86
    CIPHER = 0xA6
    KEY_REFERENCE = 0x84
    PRIVATE_KEY_REFERENCE = 0x83
    TAG_LIST = 0x5C


ATTRIBUTES = {Key.SIGNATURE: 0xC1, Key.DECRYPTION: 0xC2, Key.AUTHENTICATION: 0xC3, Key.ATTESTATION: 0xDA}
FINGERPRINT = {Key.SIGNATURE: 0xC7, Key.DECRYPTION: 0xC8, Key.AUTHENTICATION: 0xC9, Key.ATTESTATION: 0xDB}
CA_FINGERPRINT = {Key.SIGNATURE: 0xCA, Key.DECRYPTION: 0xCB, Key.AUTHENTICATION: 0xCC, Key.ATTESTATION: 0xDC}
CREATED = {Key.SIGNATURE: 0xCE, Key.DECRYPTION: 0xCF, Key.AUTHENTICATION: 0xD0, Key.ATTESTATION: 0xDD}
TOUCH = {Key.SIGNATURE: 0xD6, Key.DECRYPTION: 0xD7, Key.AUTHENTICATION: 0xD8, Key.ATTESTATION: 0xD9}
"""Data objects of each key."""

OCCURRENCES = (Key.AUTHENTICATION, Key.DECRYPTION, Key.SIGNATURE)
"""Whose certificate an occurrence of 7F21 is."""
FINGERPRINT_BYTES = 20
TIME_BYTES = 4
BUTTON = 0x20
"""Touches are given by a button: the second byte of a user interaction flag, and general features."""

OBJECT_WORDS: dict[int, str] = {
    Tag.AID: "AID",
    Tag.NAME: "name",
    Tag.LOGIN: "login data",
    Tag.LANGUAGE: "language",
    Tag.SEX: "sex",
    Tag.URL: "URL",
    Tag.HISTORICAL_BYTES: "historical bytes",
    Tag.CARDHOLDER: "cardholder data",
    Tag.APPLICATION: "application data",
    Tag.DISCRETIONARY: "discretionary data",
    Tag.SECURITY_SUPPORT: "security support",
    Tag.CERTIFICATE: "certificate",
    Tag.EXTENDED_LENGTH: "extended length",
    Tag.FEATURES: "general features",
    Tag.SIGNATURE_COUNTER: "signature counter",
    Tag.EXTENDED_CAPABILITIES: "extended capabilities",
    Tag.PASSWORD_STATUS: "PW status",
    Tag.FINGERPRINTS: "fingerprints",
    Tag.CA_FINGERPRINTS: "CA fingerprints",
    Tag.CREATION_TIMES: "creation times",
    Tag.RESETTING_CODE: "resetting code",
    Tag.AES_KEY: "AES key",
    Tag.KEY_INFORMATION: "key information",
    Tag.KDF: "KDF",
    Tag.ALGORITHMS: "algorithm information",
    Tag.ATTESTATION_CERTIFICATE: "certificate of key ATT",
    **{Tag.PRIVATE_1 + number: f"private use {number + 1}" for number in range(4)},
    **{tag: f"attributes of {KEY_WORDS[key]}" for key, tag in ATTRIBUTES.items()},
    **{tag: f"fingerprint of {KEY_WORDS[key]}" for key, tag in FINGERPRINT.items()},
    **{tag: f"CA fingerprint {number}" for number, tag in enumerate(CA_FINGERPRINT.values(), 1)},
    **{tag: f"creation time of {KEY_WORDS[key]}" for key, tag in CREATED.items()},
    **{tag: f"user interaction of {KEY_WORDS[key]}" for key, tag in TOUCH.items()},
}


def object_words(tag: int) -> str:
    """`C4 (PW status)`; of a tag that nobody knows the number alone."""
    number = f"{tag:04X}" if tag > 0xFF else f"{tag:02X}"
    return f"{number} ({OBJECT_WORDS[tag]})" if tag in OBJECT_WORDS else number
