"""Making the state of a new PIV card: what an issuer does before the card is handed out (piv.md section 3).

Certificates come ready-made: to sign one takes a clock, and the card has none.
"""

from dataclasses import replace

from card_os.apps.piv.containers import ATTESTATION_CERTIFICATE, CCC, CHUID, PAIRING_CODE_DATA, SM_SIGNER
from card_os.apps.piv.state import (
    DEFAULT_ADMIN_KEY,
    DEFAULT_PIN,
    DEFAULT_PUK,
    DEFAULT_TRIES,
    PIN_BYTES,
    AdminKey,
    CardCertificate,
    Origin,
    PivState,
    Slot,
)
from card_os.apps.piv.wire import AID, Key, PinPolicy, Tag, UsagePolicy
from card_os.key import PrivateKey
from card_os.key_kind import KeyKind
from card_os.pin import Pin
from card_os.secret import Secret
from card_os.symmetric import SymmetricKey
from card_os.tlv import Tlv, join

FASC_N = bytes.fromhex("D4E739DA739CED39CE739D836858210842108421C84210C3EB")
"""9999-9999-999999-0-1-0000000000-3-0000-1: of a card that no agency has issued, so the GUID identifies it."""
EXPIRY = b"20491231"
GUID_BYTES = 16
CARD_ID_PREFIX = bytes.fromhex("A000000116FF02")
"""Card identifier of a CCC: the RID of GSC-IS, a manufacturer number and the kind of card; 14 free bytes follow."""

_FASC_N, _GUID, _EXPIRY, _SIGNATURE, _END = 0x30, 0x34, 0x35, 0x3E, 0xFE
_CERTIFICATE, _CERTIFICATE_INFO = 0x70, 0x71


def chuid(guid: bytes) -> bytes:
    """The content of the CHUID: FASC-N, GUID (16 bytes), expiration date, an empty signature."""
    objects = [(_FASC_N, FASC_N), (_GUID, guid), (_EXPIRY, EXPIRY), (_SIGNATURE, b""), (_END, b"")]
    return join(Tlv(tag, value) for tag, value in objects)


def capability_container(unique: bytes) -> bytes:
    """The content of the CCC: card identifier with 14 bytes of its own, and data model 10."""
    card_id = CARD_ID_PREFIX + unique
    values = {0xF0: card_id, 0xF1: b"\x21", 0xF2: b"\x21", 0xF3: b"", 0xF4: b"\x00", 0xF5: b"\x10"}
    empty = dict.fromkeys((246, 247, 250, 251, 252, 253, _END), b"")
    return join(Tlv(tag, value) for tag, value in (values | empty).items())


def discovery(policy: int = UsagePolicy.PIN, preference: int = 0x00) -> bytes:
    """The value of the discovery object: full AID and PIN usage policy."""
    return join([Tlv(Tag.AID, AID), Tlv(Tag.PIN_USAGE_POLICY, bytes([policy, preference]))])


def key_history(on_card: int, off_card: int = 0) -> bytes:
    """The content of the key history: how many retired certificates there are on the card and elsewhere."""
    return join([Tlv(0xC1, bytes([on_card])), Tlv(0xC2, bytes([off_card])), Tlv(_END)])


def certificate(der: bytes, more: bytes = b"") -> bytes:
    """The content of a certificate object, not compressed. more: data objects before the end (an intermediate CVC)."""
    return bytes(Tlv(_CERTIFICATE, der)) + bytes(Tlv(_CERTIFICATE_INFO, b"\x00")) + more + bytes(Tlv(_END))


def pairing_code_data(code: bytes) -> bytes:
    """The content of the pairing code object: eight digits."""
    return join([Tlv(Tag.PAIRING_CODE, code), Tlv(_END)])


def padded(pin: bytes) -> bytes:
    """A PIN as it goes over the wire: filled up with FF to 8 bytes."""
    return pin.ljust(PIN_BYTES, b"\xff")


def new_pin(value: bytes, tries: int = DEFAULT_TRIES) -> Pin:
    return Pin(Secret(padded(value)), tries, tries)


def personalised(
    *,
    pin: Pin | None = None,
    puk: Pin | None = None,
    admin: SymmetricKey | None = None,
    global_pin: Pin | None = None,
    guid: bytes | None = None,
    policy: int = UsagePolicy.PIN,
    preference: int = 0x00,
    serial: int = 0,
) -> PivState:
    """Returns a card with PINs, management key and a discovery object; with a `guid`, 16 bytes, also CHUID and CCC."""
    state = PivState(
        pin=pin or new_pin(DEFAULT_PIN),
        puk=puk or new_pin(DEFAULT_PUK),
        admin=AdminKey(admin or SymmetricKey.of(KeyKind.TDES, DEFAULT_ADMIN_KEY)),
        global_pin=global_pin,
        serial=serial,
    ).with_object(Tag.DISCOVERY, discovery(policy, preference))
    if guid is None:
        return state
    return state.with_object(CHUID, chuid(guid)).with_object(CCC, capability_container(guid[:14]))


def with_attestation(state: PivState, key: PrivateKey, der: bytes) -> PivState:
    """Adds the card's own CA: its key, and its certificate in DER."""
    slot = Slot(Key.ATTESTATION, key, Origin.IMPORTED, PinPolicy.ALWAYS)
    return state.with_slot(slot).with_object(ATTESTATION_CERTIFICATE, certificate(der))


def with_secure_messaging(state: PivState, card: CardCertificate, signer: bytes, code: bytes | None = None) -> PivState:
    """Adds key 04 with its CVC and the content of 5FC122; code: of pairing, eight digits."""
    state = replace(state, sm=card).with_object(SM_SIGNER, signer)
    return state if code is None else state.with_object(PAIRING_CODE_DATA, pairing_code_data(code))
