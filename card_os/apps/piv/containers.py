"""The data objects of a PIV card: their tags, how much each holds at least, and who may read it.

Spec: SP 800-73-5 part 1, tables 2, 3 and 8; piv.md section 3. Writing is always the administrator's. Objects that a
host asks for by another tag do not exist, but Yubico's cards take any from 5F0000 to 5FFFFF.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from card_os.apps.piv.wire import RETIRED_KEYS, Key, Tag


@dataclass(frozen=True, slots=True)
class Container:
    """tag, name; needs_pin: to be read on any interface; is_open: contactless without a secure channel too."""

    tag: int
    name: str
    needs_pin: bool = False
    is_open: bool = False


CHUID, CCC, KEY_HISTORY, SM_SIGNER = 0x5FC102, 0x5FC107, 0x5FC10C, 0x5FC122
PAIRING_CODE_DATA = 0x5FC123
ATTESTATION_CERTIFICATE = 0x5FFF01

CERTIFICATES: Mapping[int, int] = {
    Key.AUTHENTICATION: 0x5FC105,
    Key.SIGNATURE: 0x5FC10A,
    Key.MANAGEMENT: 0x5FC10B,
    Key.CARD_AUTHENTICATION: 0x5FC101,
    **{key: 0x5FC10D + number for number, key in enumerate(RETIRED_KEYS)},
    Key.ATTESTATION: ATTESTATION_CERTIFICATE,
}
"""Where the certificate of a key stands, by key reference."""

CONTAINERS: Mapping[int, Container] = {
    one.tag: one
    for one in (
        Container(CCC, "card capability container"),
        Container(CHUID, "CHUID", is_open=True),
        Container(0x5FC105, "certificate 9A"),
        Container(0x5FC103, "fingerprints", needs_pin=True),
        Container(0x5FC106, "security object"),
        Container(0x5FC108, "facial image", needs_pin=True),
        Container(0x5FC101, "certificate 9E", is_open=True),
        Container(0x5FC10A, "certificate 9C"),
        Container(0x5FC10B, "certificate 9D"),
        Container(0x5FC109, "printed information", needs_pin=True),
        Container(Tag.DISCOVERY, "discovery object", is_open=True),
        Container(KEY_HISTORY, "key history"),
        *(Container(0x5FC10D + n, f"certificate {key:02X}") for n, key in enumerate(RETIRED_KEYS)),
        Container(0x5FC121, "iris images", needs_pin=True),
        Container(Tag.BIT_GROUP, "biometric information templates", is_open=True),
        Container(SM_SIGNER, "secure messaging signer", is_open=True),
        Container(PAIRING_CODE_DATA, "pairing code", needs_pin=True),
    )
}
"""NIST's objects, by tag."""

BARE = frozenset({int(Tag.DISCOVERY), int(Tag.BIT_GROUP)})
"""Objects that are read and written as they are; all others are in a 53."""


def container_words(tag: int) -> str:
    """Names an object: `CHUID`, `object 5FFF00`."""
    found = CONTAINERS.get(tag)
    return found.name if found else f"object {tag:X}"
