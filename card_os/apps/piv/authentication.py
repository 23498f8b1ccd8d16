"""GENERAL AUTHENTICATE: every use of a key (SP 800-73-5 part 2, 3.2.4 and appendix A; piv.md section 6).

Which use it is follows from the key in P2 and from which objects of the template 7C are there and which are empty: an
empty one is what the host asks for. Key 9B proves the administrator, 04 opens a secure channel, the others compute.
"""

from cryptography.hazmat.primitives.constant_time import bytes_eq

from card_os import curve25519, ec, rsa
from card_os.apdu import MAX_NC, CommandApdu
from card_os.apps.piv.secure_messaging import SUITES, establish
from card_os.apps.piv.session import PivSession, require_pin, require_vci, rules_of
from card_os.apps.piv.state import AdminKey, Challenge, Slot
from card_os.apps.piv.touch import require_touch
from card_os.apps.piv.wire import (
    ALGORITHM_OF,
    ALGORITHMS,
    CIPHER_OF,
    CIPHERS,
    DEFAULT_CIPHER,
    RETIRED_KEYS,
    Key,
    PinPolicy,
    Tag,
    key_words,
)
from card_os.command import ANYBODY, Command
from card_os.curve25519 import Ed25519PrivateKey
from card_os.ec import EcPrivateKey
from card_os.key_kind import KeyKind
from card_os.rsa import RsaPrivateKey
from card_os.sw import SW, CardError
from card_os.tlv import Template, Tlv, single

_SUBJECT = "GENERAL AUTHENTICATE"
_OPEN_KEYS = (Key.CARD_AUTHENTICATION, Key.SECURE_MESSAGING)
"""Keys that may be used without contact outside a secure channel."""


def _general_authenticate(session: PivSession, apdu: CommandApdu) -> bytes:
    volatile = session.volatile
    # Both are good for one command, whatever becomes of it.
    challenge, volatile.challenge = volatile.challenge, None
    was_fresh, volatile.is_fresh = volatile.is_fresh, False
    if apdu.p2 not in _OPEN_KEYS:
        require_vci(session, subject=key_words(apdu.p2))
    if apdu.p2 == Key.ADMINISTRATION:
        return _answer(_administer(session, apdu, challenge))
    if apdu.p2 == Key.SECURE_MESSAGING:
        return _answer(_open_channel(session, apdu))
    slot = _slot(session, apdu)
    if slot.pin_policy != PinPolicy.NEVER:
        require_pin(session, subject=key_words(slot.reference))
    if slot.pin_policy == PinPolicy.ALWAYS and not was_fresh:
        raise CardError(
            SW.SECURITY_STATUS_NOT_SATISFIED,
            "each use wants a VERIFY just before",
            subject=key_words(slot.reference),
            missing="PIN",
        )
    template = _template(apdu)
    require_touch(session, slot.touch_policy, subject=key_words(slot.reference))
    return _answer([Tlv(Tag.RESPONSE, _compute(session, slot, template))])


def _answer(objects: list[Tlv]) -> bytes:
    return bytes(Tlv(Tag.DYNAMIC_AUTHENTICATION, b"".join(map(bytes, objects)))) if objects else b""


def _template(apdu: CommandApdu) -> Template:
    return Template.parse(single(apdu.data, Tag.DYNAMIC_AUTHENTICATION, subject=_SUBJECT), subject=_SUBJECT)


def _wrong_algorithm(apdu: CommandApdu) -> CardError:
    return CardError(SW.INCORRECT_P1P2, f"algorithm {apdu.p1:02X} is not that of the key", subject=key_words(apdu.p2))


# --- private keys


def _slot(session: PivSession, apdu: CommandApdu) -> Slot:
    slot = session.state.slot(apdu.p2) if apdu.p2 != Key.ATTESTATION else None
    if slot is None:
        known = apdu.p2 in (*RETIRED_KEYS, Key.AUTHENTICATION, Key.SIGNATURE, Key.MANAGEMENT, Key.CARD_AUTHENTICATION)
        sw = rules_of(session).no_key if known and apdu.p1 in ALGORITHMS else SW.INCORRECT_P1P2
        raise CardError(sw, "there is no key", subject=key_words(apdu.p2))
    if apdu.p1 != ALGORITHM_OF[slot.key.kind]:
        raise _wrong_algorithm(apdu)
    return slot


def _compute(session: PivSession, slot: Slot, template: Template) -> bytes:
    """Signs or deciphers what 81 holds, or agrees on a secret with the point in 85; 82 must be there, empty."""
    given = {one.tag: one.value for one in template}
    response = given.pop(Tag.RESPONSE, None)
    if response != b"" or len(template.objects) != 2 or len(given) != 1:
        raise CardError(SW.WRONG_DATA, "82, empty, and 81 or 85 are expected", subject=_SUBJECT)
    ((tag, value),) = given.items()
    key, subject = slot.key, key_words(slot.reference)
    if tag == Tag.EXPONENTIATION and slot.reference in rules_of(session).agreeing:
        if isinstance(key, EcPrivateKey):
            return ec.agree(key, _uncompressed(key, value))
        if isinstance(key, curve25519.X25519PrivateKey):
            return curve25519.agree(key, value)
    if tag == Tag.CHALLENGE:
        if isinstance(key, RsaPrivateKey):
            return rsa.sign_raw(key, _exact(value, key.block_bytes, subject=subject), session.env.random_bytes)
        if isinstance(key, EcPrivateKey):
            if not 1 <= len(value) <= key.field_bytes:
                raise CardError(SW.WRONG_DATA, f"a digest has 1 to {key.field_bytes} bytes", subject=subject)
            return ec.sign(key, value)
        if isinstance(key, Ed25519PrivateKey):
            return curve25519.sign(key, value)
    raise CardError(SW.WRONG_DATA, f"a key of {key.kind} here does nothing with {tag:02X}", subject=subject)


def _exact(value: bytes, size: int, *, subject: str) -> bytes:
    if len(value) != size:
        raise CardError(SW.WRONG_DATA, f"{size} bytes are expected", subject=subject)
    return value


def _uncompressed(key: EcPrivateKey, point: bytes) -> bytes:
    if point[:1] != b"\x04" or len(point) != 1 + 2 * key.field_bytes:
        raise CardError(SW.WRONG_DATA, f"not an uncompressed point of {key.kind}", subject=_SUBJECT)
    return point


# --- the administrator


def _administer(session: PivSession, apdu: CommandApdu, challenge: Challenge | None) -> list[Tlv]:
    """Internal, external and mutual authentication with key 9B. Any failure ends an earlier proof."""
    admin, volatile = session.state.admin, session.volatile
    try:
        if apdu.p1 not in (DEFAULT_CIPHER, CIPHER_OF[admin.key.kind]):
            raise _wrong_algorithm(apdu)
        given = {one.tag: one.value for one in _template(apdu)}
        asked = {tag for tag, value in given.items() if not value}
        told = set(given) - asked
        if told:
            require_touch(session, admin.touch_policy, subject=key_words(apdu.p2))
        if told == {Tag.WITNESS, Tag.CHALLENGE} and asked <= {Tag.RESPONSE}:
            return _finish_mutual(session, admin, challenge, given[Tag.WITNESS], given[Tag.CHALLENGE])
        if told == {Tag.RESPONSE} and not asked:
            return _finish_external(session, admin, challenge, given[Tag.RESPONSE])
        if told == {Tag.CHALLENGE} and asked == {Tag.RESPONSE}:
            block = _exact(given[Tag.CHALLENGE], admin.key.block_bytes, subject=_SUBJECT)
            return [Tlv(Tag.RESPONSE, admin.key.encrypt_block(block))]
        if not told and asked in ({Tag.WITNESS}, {Tag.CHALLENGE}):
            return _begin(session, admin, is_witness=asked == {Tag.WITNESS})
        raise CardError(SW.WRONG_DATA, "these objects together are no authentication", subject=_SUBJECT)
    except CardError:
        volatile.is_admin = False
        raise


def _begin(session: PivSession, admin: AdminKey, *, is_witness: bool) -> list[Tlv]:
    session.volatile.is_admin = False
    value = session.env.random_bytes(admin.key.block_bytes)
    session.volatile.challenge = Challenge(value, is_witness)
    if is_witness:
        return [Tlv(Tag.WITNESS, admin.key.encrypt_block(value))]
    return [Tlv(Tag.CHALLENGE, value)]


def _finish_external(session: PivSession, admin: AdminKey, challenge: Challenge | None, response: bytes) -> list[Tlv]:
    if challenge is None or challenge.is_witness:
        raise CardError(SW.CONDITIONS_NOT_SATISFIED, "no challenge is open", subject=_SUBJECT)
    _prove(session, bytes_eq(admin.key.encrypt_block(challenge.value), response))
    return []


def _finish_mutual(
    session: PivSession, admin: AdminKey, challenge: Challenge | None, witness: bytes, host: bytes
) -> list[Tlv]:
    if challenge is None or not challenge.is_witness:
        raise CardError(SW.CONDITIONS_NOT_SATISFIED, "no witness is open", subject=_SUBJECT)
    _exact(host, admin.key.block_bytes, subject=_SUBJECT)
    _prove(session, bytes_eq(challenge.value, witness))
    return [Tlv(Tag.RESPONSE, admin.key.encrypt_block(host))]


def _prove(session: PivSession, is_right: bool) -> None:
    if not is_right:
        raise CardError(SW.SECURITY_STATUS_NOT_SATISFIED, "wrong response", subject=key_words(Key.ADMINISTRATION))
    session.volatile.is_admin = True


# --- the secure channel


def _open_channel(session: PivSession, apdu: CommandApdu) -> list[Tlv]:
    """Key establishment: a new session in place of an older one. What PINs proved stays."""
    volatile, certificate = session.volatile, session.state.sm
    volatile.channel = None
    if certificate is None or apdu.p1 != SUITES[certificate.key.kind].algorithm:
        raise CardError(SW.INCORRECT_P1P2, "there is no such key", subject=key_words(apdu.p2))
    given = {one.tag: one.value for one in _template(apdu)}
    if given.get(Tag.RESPONSE) != b"" or set(given) != {Tag.CHALLENGE, Tag.RESPONSE}:
        raise CardError(SW.WRONG_DATA, "81 and 82, empty, are expected", subject=_SUBJECT)
    nonce = session.env.random_bytes(SUITES[certificate.key.kind].nonce_bytes)
    answer, volatile.channel = establish(certificate.key, certificate.cvc, given[Tag.CHALLENGE], nonce)
    return [Tlv(Tag.RESPONSE, answer)]


# --- the row


def _words(apdu: CommandApdu, _: int) -> str:
    kind: KeyKind | str = ALGORITHMS.get(apdu.p1) or CIPHERS.get(apdu.p1) or f"algorithm {apdu.p1:02X}"
    return f"{key_words(apdu.p2)}, {kind}"


def _sample(text: str) -> bytes:
    inner = bytes.fromhex(text)
    return bytes(Tlv(Tag.DYNAMIC_AUTHENTICATION, inner))


GENERAL_AUTHENTICATE = Command(
    "GENERAL AUTHENTICATE",
    range(0x10000),
    range(1, MAX_NC + 1),
    ANYBODY,
    _general_authenticate,
    "SP 800-73-5 part 2, 3.2.4",
    chaining=True,
    refusals={
        SW.SECURITY_STATUS_NOT_SATISFIED: "the PIN, a touch or contact is missing, or a response is wrong",
        SW.CONDITIONS_NOT_SATISFIED: "no challenge or witness is open",
        SW.WRONG_DATA: "the template or a value in it does not fit the key; on a YubiKey also: there is no key",
        SW.INCORRECT_P1P2: "there is no such key, or it is of another algorithm",
    },
    words=_words,
    samples=(
        *((p1p2, _sample("8000")) for p1p2 in (0x039B, 0x009B)),
        (0x039B, _sample("8100")),
        (0x039B, _sample("8208" + "00" * 8)),
        (0x039B, _sample("8008" + "00" * 8 + "8108" + "00" * 8)),
        (0x039B, _sample("82008108" + "00" * 8)),
        *((p1p2, _sample("82008120" + "11" * 32)) for p1p2 in (0x119A, 0x119C, 0x119E, 0x1182)),
        (0x079C, _sample("8200818201000001" + "FF" * 253 + "00")),
        (0x119D, _sample("8200854104" + "11" * 64)),
        (0x2704, _sample("814A0000000000000000" + "0004" + "11" * 64 + "8200")),
    ),
    is_tlv=True,
)
