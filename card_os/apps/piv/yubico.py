"""Yubico's commands about the card as a whole: version, serial number, metadata, the management key, retries, reset
(piv.md section 8)."""

from dataclasses import replace

from card_os.apdu import MAX_NC, CommandApdu
from card_os.apps.piv.containers import ATTESTATION_CERTIFICATE
from card_os.apps.piv.session import ADMIN, ADMIN_AND_PIN, PivSession, rules_of
from card_os.apps.piv.state import (
    DEFAULT_ADMIN_KEY,
    DEFAULT_PIN,
    DEFAULT_PUK,
    DEFAULT_TRIES,
    AdminKey,
    PivState,
    PivVolatile,
    Slot,
)
from card_os.apps.piv.wire import (
    ALGORITHM_OF,
    CIPHER_OF,
    CIPHERS,
    Key,
    Reference,
    Tag,
    TouchPolicy,
    key_words,
    pin_words,
)
from card_os.command import ANYBODY, Command
from card_os.key import public_objects
from card_os.pin import Pin
from card_os.secret import Secret
from card_os.sw import SW, CardError
from card_os.symmetric import KEY_BYTES, SymmetricKey
from card_os.tlv import Tlv, join

_ALGORITHM, _POLICY, _ORIGIN, _PUBLIC_KEY, _IS_DEFAULT, _RETRIES = range(1, 7)
_PIN_ALGORITHM = 0xFF
_TOUCH_OF_P2 = {0xFF: TouchPolicy.NEVER, 0xFE: TouchPolicy.ALWAYS, 0xFD: TouchPolicy.CACHED}


def _version(session: PivSession, apdu: CommandApdu) -> bytes:
    """GET VERSION: three bytes."""
    yubico = rules_of(session).yubico
    assert yubico is not None
    return bytes(yubico.version)


def _serial(session: PivSession, apdu: CommandApdu) -> bytes:
    """GET SERIAL: four bytes, big-endian."""
    return session.state.serial.to_bytes(4, "big")


def _metadata(session: PivSession, apdu: CommandApdu) -> bytes:
    """GET METADATA: what anybody may know of a PIN, of the management key or of a slot that has a key."""
    state, reference = session.state, apdu.p2
    if reference == Reference.PIN:
        return _pin_metadata(state.pin, DEFAULT_PIN)
    if reference == Reference.PUK:
        return _pin_metadata(state.puk, DEFAULT_PUK)
    if reference == Key.ADMINISTRATION:
        return _admin_metadata(state.admin)
    slot = state.slot(reference)
    if slot is None:
        raise CardError(SW.REFERENCE_NOT_FOUND, "there is nothing", subject=key_words(reference))
    return _slot_metadata(slot)


def _pin_metadata(pin: Pin, default: bytes) -> bytes:
    is_default = pin.value is not None and pin.value.matches(default)
    return join(
        [
            Tlv(_ALGORITHM, bytes([_PIN_ALGORITHM])),
            Tlv(_IS_DEFAULT, bytes([is_default])),
            Tlv(_RETRIES, bytes([pin.try_limit, pin.tries_left])),
        ]
    )


def _admin_metadata(admin: AdminKey) -> bytes:
    return join(
        [
            Tlv(_ALGORITHM, bytes([CIPHER_OF[admin.key.kind]])),
            Tlv(_POLICY, bytes([0, admin.touch_policy])),
            Tlv(_IS_DEFAULT, bytes([admin.is_default])),
        ]
    )


def _slot_metadata(slot: Slot) -> bytes:
    return join(
        [
            Tlv(_ALGORITHM, bytes([ALGORITHM_OF[slot.key.kind]])),
            Tlv(_POLICY, bytes([slot.pin_policy, slot.touch_policy])),
            Tlv(_ORIGIN, bytes([slot.origin])),
            Tlv(_PUBLIC_KEY, join(public_objects(slot.key))),
        ]
    )


def _set_management_key(session: PivSession, apdu: CommandApdu) -> bytes:
    """SET MANAGEMENT KEY: algorithm, 9B, length and key; P2 says when it wants a touch."""
    subject, data = "SET MANAGEMENT KEY", apdu.data
    kind = CIPHERS.get(data[0])
    if kind is None or kind not in rules_of(session).ciphers:
        raise CardError(SW.WRONG_DATA, f"algorithm {data[0]:02X} is unknown", subject=subject)
    if data[1:3] != bytes([Key.ADMINISTRATION, KEY_BYTES[kind]]) or len(data) != 3 + KEY_BYTES[kind]:
        raise CardError(SW.WRONG_DATA, f"9B, {KEY_BYTES[kind]:02X} and the key are expected", subject=subject)
    admin = AdminKey(SymmetricKey.of(kind, data[3:]), _TOUCH_OF_P2[apdu.p2])
    session.commit(replace(session.state, admin=admin))
    for other in session.others():
        other.is_admin = False
    return b""


def _set_retries(session: PivSession, apdu: CommandApdu) -> bytes:
    """SET PIN RETRIES: how many tries PIN (P1) and PUK (P2) have; both become the default values."""
    try:
        pin = Pin(Secret(DEFAULT_PIN), apdu.p1, apdu.p1)
        puk = Pin(Secret(DEFAULT_PUK), apdu.p2, apdu.p2)
    except ValueError as error:
        raise CardError(SW.INCORRECT_P1P2, str(error), subject="SET PIN RETRIES") from None
    session.commit(replace(session.state, pin=pin, puk=puk))
    for volatile in (session.volatile, *session.others()):
        volatile.verified.discard(Reference.PIN)
    return b""


def _reset(session: PivSession, apdu: CommandApdu) -> bytes:
    """RESET: everything as it came from the factory but the attestation key, once PIN and PUK are blocked."""
    state = session.state
    for reference in (Reference.PIN, Reference.PUK):
        pin = state.pin_of(reference)
        if pin is None or not pin.is_blocked:
            raise CardError(SW.CONDITIONS_NOT_SATISFIED, "is not blocked", subject=pin_words(reference))
    session.commit(as_new(session, state))
    for volatile in (session.volatile, *session.others()):
        _forget(volatile)
    return b""


def as_new(session: PivSession, state: PivState) -> PivState:
    """What a reset leaves of a state."""
    admin = AdminKey(SymmetricKey.of(rules_of(session).default_cipher, DEFAULT_ADMIN_KEY))
    return replace(
        state,
        pin=Pin(Secret(DEFAULT_PIN), DEFAULT_TRIES, DEFAULT_TRIES),
        puk=Pin(Secret(DEFAULT_PUK), DEFAULT_TRIES, DEFAULT_TRIES),
        admin=admin,
        objects=tuple(one for one in state.objects if one.tag in (ATTESTATION_CERTIFICATE, Tag.DISCOVERY)),
        slots=tuple(one for one in state.slots if one.reference == Key.ATTESTATION),
    )


def _forget(volatile: PivVolatile) -> None:
    volatile.verified.clear()
    volatile.is_admin, volatile.is_fresh, volatile.challenge = False, False, None


# --- rows


def _reference_words(apdu: CommandApdu, _: int) -> str:
    return pin_words(apdu.p2) if apdu.p2 in (Reference.PIN, Reference.PUK) else key_words(apdu.p2)


def _version_words(apdu: CommandApdu, data: bytes) -> str:
    return ".".join(map(str, data)) if len(data) == 3 else ""


def _serial_words(apdu: CommandApdu, data: bytes) -> str:
    return str(int.from_bytes(data, "big")) if len(data) == 4 else ""


_MANUAL = "YubiKey manual, PIV: "
_NOTHING = range(1)

GET_VERSION = Command(
    "GET VERSION",
    _NOTHING,
    _NOTHING,
    ANYBODY,
    _version,
    _MANUAL + "get version",
    answer_words=_version_words,
    samples=((0, b""),),
)
GET_SERIAL = Command(
    "GET SERIAL",
    _NOTHING,
    _NOTHING,
    ANYBODY,
    _serial,
    _MANUAL + "get serial number",
    answer_words=_serial_words,
    samples=((0, b""),),
)
GET_METADATA = Command(
    "GET METADATA",
    range(0x100),
    _NOTHING,
    ANYBODY,
    _metadata,
    _MANUAL + "get metadata",
    refusals={SW.REFERENCE_NOT_FOUND: "there is no such key, or no key in the slot"},
    words=_reference_words,
    samples=tuple((reference, b"") for reference in (0x80, 0x81, 0x9B, 0x9A, 0x96)),
)
SET_MANAGEMENT_KEY = Command(
    "SET MANAGEMENT KEY",
    frozenset(0xFF00 | p2 for p2 in _TOUCH_OF_P2),
    range(1, MAX_NC + 1),
    ADMIN,
    _set_management_key,
    _MANUAL + "set management key",
    changes=True,
    refusals={SW.WRONG_DATA: "the data are no key of an algorithm that this card has"},
    hides=range(0x10000),
    samples=((0xFFFF, bytes.fromhex("039B18") + DEFAULT_ADMIN_KEY),),
)
SET_RETRIES = Command(
    "SET PIN RETRIES",
    range(0x10000),
    _NOTHING,
    ADMIN_AND_PIN,
    _set_retries,
    _MANUAL + "set PIN retries",
    changes=True,
    renews=True,
    refusals={SW.INCORRECT_P1P2: "that is no number of tries"},
    samples=((0x0304, b""),),
)
RESET = Command(
    "RESET APPLICATION",
    _NOTHING,
    _NOTHING,
    ANYBODY,
    _reset,
    _MANUAL + "reset the PIV application",
    changes=True,
    renews=True,
    refusals={SW.CONDITIONS_NOT_SATISFIED: "the PIN or the PUK is not blocked"},
    samples=((0, b""),),
)
