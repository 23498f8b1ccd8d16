"""GENERATE ASYMMETRIC KEY PAIR (SP 800-73-5 part 2, 3.3.1), and Yubico's commands for private keys: import, move,
delete (piv.md section 8)."""

from card_os.apdu import MAX_NC, CommandApdu
from card_os.apps.piv.rules import SLOTS
from card_os.apps.piv.session import ADMIN, PivSession, rules_of
from card_os.apps.piv.state import Origin, Slot
from card_os.apps.piv.wire import (
    ALGORITHMS,
    DEFAULT_POLICY,
    Key,
    PinPolicy,
    Tag,
    TouchPolicy,
    key_words,
)
from card_os.command import Command
from card_os.curve25519 import Ed25519PrivateKey, X25519PrivateKey
from card_os.ec import CURVES, EcPrivateKey
from card_os.key import PrivateKey, public_objects
from card_os.key_kind import KeyKind
from card_os.rsa import RSA_BITS, RsaPrivateKey
from card_os.secret import Secret
from card_os.sw import SW, CardError
from card_os.tlv import Template, Tlv, join, single

_EXPONENT = b"\x01\x00\x01"
_DELETES = 0xFF


def _check_place(session: PivSession, reference: int, kind: KeyKind) -> None:
    """Refuses a slot that is none (6A86) and a kind of key that this card has not there (6A80)."""
    rules = rules_of(session)
    _check_slot(session, reference)
    if (reference == Key.ATTESTATION and kind not in rules.kinds) or not rules.allows(reference, kind):
        raise CardError(SW.WRONG_DATA, f"no {kind} key can be here", subject=key_words(reference))


def _check_slot(session: PivSession, reference: int) -> None:
    own = (Key.ATTESTATION,) if rules_of(session).yubico else ()
    if reference not in (*SLOTS, *own):
        raise CardError(SW.INCORRECT_P1P2, "no such slot", subject=key_words(reference))


def _kind(number: int, *, subject: str) -> KeyKind:
    kind = ALGORITHMS.get(number)
    if kind is None:
        raise CardError(SW.WRONG_DATA, f"algorithm {number:02X} is unknown", subject=subject)
    return kind


def _one_byte(value: bytes | None, *, subject: str) -> int:
    if value is not None and len(value) != 1:
        raise CardError(SW.WRONG_DATA, "one byte is expected", subject=subject)
    return value[0] if value else DEFAULT_POLICY


def _policies(session: PivSession, reference: int, template: Template) -> tuple[PinPolicy, TouchPolicy]:
    """What AA and AB say of a new key; where they are missing, and for 00, the default of the slot."""
    pin = _one_byte(template.get(Tag.PIN_POLICY), subject="PIN policy")
    touch = _one_byte(template.get(Tag.TOUCH_POLICY), subject="touch policy")
    if (pin or touch) and rules_of(session).yubico is None:
        raise CardError(SW.WRONG_DATA, "this card knows no policies", subject=key_words(reference))
    try:
        return (
            PinPolicy(pin) if pin else rules_of(session).default_pin_policy(reference),
            TouchPolicy(touch) if touch else TouchPolicy.NEVER,
        )
    except ValueError as error:
        raise CardError(SW.WRONG_DATA, str(error), subject=key_words(reference)) from None


def _generate(session: PivSession, apdu: CommandApdu) -> bytes:
    """GENERATE: AC { 80 algorithm, [81 exponent], [AA, AB] }; returns the public key, 7F49."""
    subject, reference = "GENERATE", apdu.p2
    _check_slot(session, reference)
    template = Template.parse(single(apdu.data, Tag.ALGORITHMS, subject=subject), subject=subject)
    number = template.need(Tag.ALGORITHM, subject=subject)
    kind = _kind(_one_byte(number, subject=subject), subject=subject)
    exponent = template.get(0x81)
    if exponent is not None and (kind not in RSA_BITS or exponent.lstrip(b"\x00") != _EXPONENT):
        raise CardError(SW.WRONG_DATA, "the public exponent is 65537", subject=subject)
    if any(one.tag not in (Tag.ALGORITHM, 0x81, Tag.PIN_POLICY, Tag.TOUCH_POLICY) for one in template):
        raise CardError(SW.WRONG_DATA, "80, 81, AA and AB are known", subject=subject)
    _check_place(session, reference, kind)
    policies = _policies(session, reference, template)
    key = session.env.key(kind)
    session.commit(session.state.with_slot(Slot(reference, key, Origin.GENERATED, *policies)))
    return bytes(Tlv(Tag.PUBLIC_KEY, join(public_objects(key))))


# --- Yubico's


def _import(session: PivSession, apdu: CommandApdu) -> bytes:
    """IMPORT KEY: the numbers of a private key, each as long as its field, then [AA], [AB]."""
    subject, reference = "IMPORT KEY", apdu.p2
    kind = ALGORITHMS.get(apdu.p1)
    if kind is None:
        raise CardError(SW.INCORRECT_P1P2, f"algorithm {apdu.p1:02X} is unknown", subject=subject)
    _check_place(session, reference, kind)
    try:
        template = Template.parse(apdu.data, subject=subject)
        key = _read(kind, {one.tag: one.value for one in template})
    except (CardError, ValueError):
        # What is wrong in particular would tell of the key.
        raise CardError(SW.WRONG_DATA, f"the data are no {kind} key", subject=key_words(reference)) from None
    policies = _policies(session, reference, template)
    session.commit(session.state.with_slot(Slot(reference, key, Origin.IMPORTED, *policies)))
    return b""


def _read(kind: KeyKind, values: dict[int, bytes]) -> PrivateKey:
    """Makes a key of the objects 01 to 08; ValueError where they are none."""
    numbers = {tag: value for tag, value in values.items() if tag not in (Tag.PIN_POLICY, Tag.TOUCH_POLICY)}
    if kind in RSA_BITS:
        if set(numbers) != {1, 2, 3, 4, 5} or any(len(one) * 16 > RSA_BITS[kind] for one in numbers.values()):
            raise ValueError("the five numbers of an RSA key, each half its size, are expected")
        p, q, dp, dq, qinv = (int.from_bytes(numbers[tag], "big") for tag in range(1, 6))
        key = RsaPrivateKey.from_primes(p, q)
        if key.bits != RSA_BITS[kind] or (dp, dq, qinv) != (key.dp, key.dq, key.qinv):
            raise ValueError("the numbers do not belong together")
        return key
    tag = 0x06 if kind in CURVES else 0x07 if kind == KeyKind.ED25519 else 0x08
    if set(numbers) != {tag}:
        raise ValueError(f"{tag:02X} is expected")
    if kind in CURVES:
        return EcPrivateKey.parse(kind, numbers[tag])
    raw = Secret(numbers[tag])
    return Ed25519PrivateKey(raw) if kind == KeyKind.ED25519 else X25519PrivateKey(raw)


def _move(session: PivSession, apdu: CommandApdu) -> bytes:
    """MOVE KEY: P1 is the new slot, FF deletes the key; the certificate stays where it is."""
    to, reference = apdu.p1, apdu.p2
    _check_slot(session, reference)
    slot = session.state.slot(reference)
    if slot is None:
        raise CardError(SW.REFERENCE_NOT_FOUND, "there is no key", subject=key_words(reference))
    if to == _DELETES:
        session.commit(session.state.without_slot(reference))
        return b""
    _check_slot(session, to)
    if Key.ATTESTATION in (to, reference):
        raise CardError(SW.INCORRECT_P1P2, "the attestation key stays where it is", subject=key_words(reference))
    if not rules_of(session).allows(to, slot.key.kind):
        raise CardError(SW.WRONG_DATA, f"no {slot.key.kind} key can be here", subject=key_words(to))
    if session.state.slot(to) is not None:
        raise CardError(SW.CONDITIONS_NOT_SATISFIED, "there is a key already", subject=key_words(to))
    moved = Slot(to, slot.key, slot.origin, slot.pin_policy, slot.touch_policy)
    session.commit(session.state.without_slot(reference).with_slot(moved))
    return b""


# --- rows


def _words(apdu: CommandApdu, _: int) -> str:
    return key_words(apdu.p2)


def _move_words(apdu: CommandApdu, _: int) -> str:
    return f"{key_words(apdu.p2)}, " + ("delete" if apdu.p1 == _DELETES else f"to {apdu.p1:02X}")


_NO_SLOT = "there is no such slot"

GENERATE = Command(
    "GENERATE ASYMMETRIC KEY PAIR",
    range(0x0100),
    range(1, MAX_NC + 1),
    ADMIN,
    _generate,
    "SP 800-73-5 part 2, 3.3.1",
    chaining=True,
    changes=True,
    refusals={SW.WRONG_DATA: "the algorithm or a policy is none of this slot", SW.INCORRECT_P1P2: _NO_SLOT},
    words=_words,
    samples=tuple((reference, bytes.fromhex("AC03800111")) for reference in (0x9A, 0x9C, 0x9D, 0x9E, 0x82)),
    is_tlv=True,
)

IMPORT_KEY = Command(
    "IMPORT KEY",
    range(0x10000),
    range(1, MAX_NC + 1),
    ADMIN,
    _import,
    "YubiKey manual, PIV: import asymmetric key",
    chaining=True,
    changes=True,
    refusals={
        SW.WRONG_DATA: "the data are no such key, or a policy is none of this slot",
        SW.INCORRECT_P1P2: "there is no such slot or algorithm",
    },
    words=_words,
    hides=range(0x10000),
    samples=tuple((0x1100 | to, b"\x06\x20" + b"\x11" * 32) for to in (0x9A, 0x9C, 0x9D, 0x9E)),
)

MOVE_KEY = Command(
    "MOVE KEY",
    range(0x10000),
    range(1),
    ADMIN,
    _move,
    "YubiKey manual, PIV: move key",
    changes=True,
    refusals={
        SW.REFERENCE_NOT_FOUND: "there is no key",
        SW.CONDITIONS_NOT_SATISFIED: "there is a key already where it should go",
        SW.WRONG_DATA: "no such key can be there",
        SW.INCORRECT_P1P2: _NO_SLOT,
    },
    words=_move_words,
    samples=((0x829A, b""), (0xFF9A, b"")),
)
