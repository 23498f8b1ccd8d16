"""Commands in words from ISO/IEC 7816-4 alone: for cards that no table here knows, and for what tables do not say."""

from card_os.apdu import CommandApdu
from card_os.tlv import TAG, Tlv, parse_all, parse_tags
from card_os.wire import WireError
from card_os.words import byte_count, joined

NAMES = {
    0x04: "DEACTIVATE FILE",
    0x0E: "ERASE BINARY",
    0x20: "VERIFY",
    0x21: "VERIFY",
    0x22: "MANAGE SECURITY ENVIRONMENT",
    0x24: "CHANGE REFERENCE DATA",
    0x25: "CHANGE REFERENCE DATA",
    0x26: "DISABLE VERIFICATION REQUIREMENT",
    0x28: "ENABLE VERIFICATION REQUIREMENT",
    0x2A: "PERFORM SECURITY OPERATION",
    0x2C: "RESET RETRY COUNTER",
    0x2D: "RESET RETRY COUNTER",
    0x44: "ACTIVATE FILE",
    0x46: "GENERATE ASYMMETRIC KEY PAIR",
    0x47: "GENERATE ASYMMETRIC KEY PAIR",
    0x70: "MANAGE CHANNEL",
    0x82: "EXTERNAL AUTHENTICATE",
    0x84: "GET CHALLENGE",
    0x86: "GENERAL AUTHENTICATE",
    0x87: "GENERAL AUTHENTICATE",
    0x88: "INTERNAL AUTHENTICATE",
    0xA4: "SELECT",
    0xB0: "READ BINARY",
    0xB1: "READ BINARY",
    0xB2: "READ RECORD",
    0xC0: "GET RESPONSE",
    0xC2: "ENVELOPE",
    0xCA: "GET DATA",
    0xCB: "GET DATA",
    0xD0: "WRITE BINARY",
    0xD6: "UPDATE BINARY",
    0xD7: "UPDATE BINARY",
    0xDA: "PUT DATA",
    0xDB: "PUT DATA",
    0xDC: "UPDATE RECORD",
    0xE0: "CREATE FILE",
    0xE2: "APPEND RECORD",
    0xE4: "DELETE FILE",
    0xE6: "TERMINATE DF",
    0xFE: "TERMINATE CARD USAGE",
}
"""Instructions of the interindustry class (ISO/IEC 7816-4 table 4)."""

AIDS = {
    bytes.fromhex("A000000308"): "PIV",
    bytes.fromhex("D27600012401"): "OpenPGP",
    bytes.fromhex("A000000063504B43532D3135"): "PKCS#15",
    bytes.fromhex("A000000079"): "CAC",
    bytes.fromhex("A0000006472F0001"): "FIDO",
    bytes.fromhex("A000000527"): "YubiKey",
    bytes.fromhex("A000000151"): "GlobalPlatform",
}
"""Applications that hosts look for, by the first bytes of their AIDs."""

_REFERENCES = frozenset({0x20, 0x21, 0x24, 0x25, 0x26, 0x28, 0x2C, 0x2D})
_DATA_OBJECTS = frozenset({0xCB, 0xDB})
_MAX_TAGS = 6


def words(apdu: CommandApdu, hidden_bytes: int = 0) -> str:
    """P1-P2 where they are not 0000, what the data are, and how long."""
    size = len(apdu.data) + hidden_bytes
    length = byte_count(size) if size else ""
    if apdu.ins in _REFERENCES:
        return joined(f"reference {apdu.p2:02X}", length or "tries left?")
    if apdu.ins == 0xA4:
        return f"file {apdu.data.hex().upper()}" if apdu.data else ""
    if apdu.ins in _DATA_OBJECTS and apdu.data:
        what = _tag_list(apdu.data) if apdu.ins == 0xCB else _first_tag(apdu.data)
        return joined(f"{apdu.p1p2:04X} {what}".strip(), length if apdu.ins == 0xDB or not what else "")
    return joined(f"P1-P2 {apdu.p1p2:04X}" if apdu.p1p2 else "", length)


def answer_words(data: bytes) -> str:
    """The outermost tags of an answer, and its length."""
    if not data:
        return ""
    if len(data) > 3:
        try:
            tags = [f"{one.tag:X}" for one in parse_all(data)]
        except WireError:
            tags = []
        if tags and len(tags) <= _MAX_TAGS:
            return f"{' '.join(tags)}, {byte_count(len(data))}"
    return byte_count(len(data))


def aid_words(aid: bytes, *, in_full: bool = False) -> str:
    """The name of an application that hosts look for, or its AID in hexadecimal. in_full: both."""
    name = next((name for head, name in AIDS.items() if aid.startswith(head)), "")
    number = aid.hex().upper()
    return f"{name} {number}" if name and in_full else name or f"AID {number}" * bool(aid)


def _tag_list(raw: bytes) -> str:
    try:
        one, rest = Tlv.parse_head(raw)
        if one.tag != 0x5C or rest:
            return ""
        return " ".join(f"{tag:X}" for tag in parse_tags(one.value)[:_MAX_TAGS])
    except WireError:
        return ""


def _first_tag(raw: bytes) -> str:
    """The tag of the first object; the object may be cut off, as in the first part of a chain."""
    try:
        return f"{parse_tags(raw[: TAG.parse_head(raw)[1]])[0]:X}"
    except WireError:
        return ""
