"""Private keys: GENERATE ASYMMETRIC KEY PAIR, and PUT DATA with an extended header list, which imports one (OpenPGP
card 3.4, 7.2.14 and 4.4.3.12).
"""

from card_os.apdu import MAX_NC, CommandApdu
from card_os.apps.openpgp.algorithm import Attributes
from card_os.apps.openpgp.session import ADMIN, OPERATIONAL, OpenPgpSession, require_slot
from card_os.apps.openpgp.state import Slot, StoredKey
from card_os.apps.openpgp.wire import KEY_WORDS, TEMPLATES, Key, Origin, Tag
from card_os.command import Command
from card_os.curve25519 import Ed25519PrivateKey, X25519PrivateKey
from card_os.ec import CURVES, EcPrivateKey, field_bytes
from card_os.key import PrivateKey, public_objects
from card_os.key_kind import KeyKind
from card_os.rsa import RSA_BITS, RsaPrivateKey
from card_os.secret import Secret
from card_os.sw import SW, CardError
from card_os.tlv import Template, Tlv, join, parse_all
from card_os.wire import WireError

_E, _P, _Q, _N, _POINT = 0x91, 0x92, 0x93, 0x97, 0x99
_COMPRESSED = b"\x40"
"""Stands before points of curve 25519 in OpenPGP's own format, and before none on the card."""
_MAX_NUMBERS = 16


def _key_of(template: Tlv) -> Key | None:
    """Which key a control reference template names: by its tag, or by 84 in it."""
    key = TEMPLATES.get(template.tag)
    if key is None or not template.value:
        return key
    try:
        (reference,) = parse_all(template.value)
        return Key(reference.value[0]) if reference.tag == Tag.KEY_REFERENCE and len(reference.value) == 1 else None
    except (WireError, ValueError):
        return None


def _slot_of(session: OpenPgpSession, objects: tuple[Tlv, ...]) -> Slot:
    """The place that a control reference template names; 6A80 where that is none."""
    key = _key_of(objects[0]) if objects else None
    if key is None:
        raise CardError(SW.WRONG_DATA, "a control reference template B6, B8 or A4 is expected")
    return require_slot(session, key)


def _public(key: PrivateKey) -> bytes:
    return bytes(Tlv(Tag.PUBLIC_KEY, join(public_objects(key))))


# --- GENERATE ASYMMETRIC KEY PAIR


def _generate(session: OpenPgpSession, apdu: CommandApdu) -> bytes:
    """GENERATE with P1 80: a new key of the kind that the attributes say; returns the public key, 7F49."""
    slot = _only_slot(session, apdu)
    key = session.env.key(slot.attributes.kind)
    session.commit(session.state.with_key(slot.reference, StoredKey(key, Origin.GENERATED)))
    return _public(key)


def _read_public(session: OpenPgpSession, apdu: CommandApdu) -> bytes:
    """GENERATE with P1 81: the public key that there is."""
    slot = _only_slot(session, apdu)
    if slot.stored is None:
        raise CardError(SW.REFERENCE_NOT_FOUND, "there is no key", subject=slot.name)
    return _public(slot.stored.key)


def _only_slot(session: OpenPgpSession, apdu: CommandApdu) -> Slot:
    objects = Template.parse(apdu.data, subject="GENERATE").objects
    if len(objects) != 1:
        raise CardError(SW.WRONG_DATA, "one control reference template is expected", subject="GENERATE")
    return _slot_of(session, objects)


# --- import


def _import(session: OpenPgpSession, apdu: CommandApdu) -> bytes:
    """PUT DATA 3FFF: 4D { control reference template, 7F48 { tags and lengths }, 5F48 { their values } }."""
    subject = "key import"
    outer = Template.parse(apdu.data, subject=subject).objects
    if [one.tag for one in outer] != [Tag.EXTENDED_HEADER_LIST]:
        raise CardError(SW.WRONG_DATA, "4D is expected", subject=subject)
    objects = Template.parse(outer[0].value, subject=subject).objects
    slot = _slot_of(session, objects)
    if [one.tag for one in objects[1:]] != [Tag.KEY_TEMPLATE, Tag.KEY_DATA]:
        raise CardError(SW.WRONG_DATA, "7F48 and 5F48 are expected", subject=slot.name)
    try:
        key = _read(slot.attributes, _numbers(slot.attributes, objects[1].value, objects[2].value))
    except (WireError, ValueError):
        # What is wrong in particular would tell of the key.
        raise CardError(SW.WRONG_DATA, f"the data are no {slot.attributes.kind} key", subject=slot.name) from None
    session.commit(session.state.with_key(slot.reference, StoredKey(key, Origin.IMPORTED)))
    return b""


def _numbers(attributes: Attributes, template: bytes, data: bytes) -> dict[int, bytes]:
    """The values by their tags; ValueError where lengths and data do not fit."""
    lengths = _lengths(template)
    sizes = [size for _, size in lengths]
    if sum(sizes) != len(data):
        sizes = _halves(attributes, lengths, data)
    found = {}
    for (tag, _), size in zip(lengths, sizes, strict=True):
        found[tag], data = data[:size], data[size:]
    return found


def _lengths(template: bytes) -> list[tuple[int, int]]:
    """Tags and lengths, one after another, without values; a length of any form."""
    found: list[tuple[int, int]] = []
    while template:
        tag, head, rest = template[0], template[1:2], template[2:]
        if not head or head[0] > 0x83 or head[0] == 0x80 or len(found) == _MAX_NUMBERS:
            raise WireError("not tags and lengths")
        count = head[0] & 0x7F if head[0] > 0x80 else 0
        if len(rest) < count:
            raise WireError("a length is missing")
        found.append((tag, int.from_bytes(rest[:count], "big") if count else head[0]))
        template = rest[count:]
    return found


def _halves(attributes: Attributes, lengths: list[tuple[int, int]], data: bytes) -> list[int]:
    """Where e, p and q end whatever lengths are said of p and q: johnnycanencrypt gives those of the modulus, and
    YubiKeys do not look (openpgp.md section 7.3)."""
    if attributes.kind not in RSA_BITS or [tag for tag, _ in lengths] != [_E, _P, _Q]:
        raise WireError("lengths and data do not fit")
    half = RSA_BITS[attributes.kind] // 16
    return [len(data) - 2 * half, half, half]


def _read(attributes: Attributes, numbers: dict[int, bytes]) -> PrivateKey:
    """Makes a key; ValueError where the numbers are none of this kind."""
    if attributes.kind in RSA_BITS:
        return _read_rsa(attributes, numbers)
    if not {_P} <= set(numbers) <= {_P, _POINT}:
        raise ValueError("92 is expected, and 99 perhaps")
    kind = attributes.kind
    size = field_bytes(kind) if kind in CURVES else 32
    # GnuPG leaves out leading zeros, or has one too many.
    raw = numbers[_P].lstrip(b"\0").rjust(size, b"\0")
    key: PrivateKey
    if kind in CURVES:
        key = EcPrivateKey.parse(kind, raw)
    elif kind == KeyKind.ED25519:
        key = Ed25519PrivateKey(Secret(raw))
    else:
        # DEVIATION: big-endian, as every client sends it; RFC 7748 has it the other way round.
        key = X25519PrivateKey(Secret(raw[::-1]))
    if _POINT in numbers and numbers[_POINT].removeprefix(_COMPRESSED if len(key.point) == 32 else b"") != key.point:
        raise ValueError("scalar and point do not belong together")
    return key


def _read_rsa(attributes: Attributes, numbers: dict[int, bytes]) -> RsaPrivateKey:
    bits = RSA_BITS[attributes.kind]
    if not {_E, _P, _Q} <= set(numbers):
        raise ValueError("91, 92 and 93 are expected")
    e, p, q = (int.from_bytes(numbers[tag], "big") for tag in (_E, _P, _Q))
    # Bounds for what the check of a key takes: primes of half its size, and the length of e in the attributes.
    if any(one.bit_length() != bits // 2 for one in (p, q)) or e.bit_length() > 8 * attributes.exponent_bytes:
        raise ValueError("primes of half the size are expected")
    key = RsaPrivateKey.from_primes(p, q, e)
    if key.bits != bits or (_N in numbers and int.from_bytes(numbers[_N], "big") != key.n):
        raise ValueError("the numbers do not belong together")
    return key


# --- rows


def _words(apdu: CommandApdu, hidden_bytes: int) -> str:
    try:
        objects = parse_all(apdu.data)
    except WireError:
        return ""
    key = _key_of(objects[0]) if objects else None
    return KEY_WORDS[key] if key is not None else ""


_DATA = tuple(bytes(Tlv(tag)) for tag in TEMPLATES)
_SPEC = "OpenPGP card 3.4, 7.2.14"
_NO_KEY = "there is no such key"

GENERATE = (
    Command(
        "GENERATE ASYMMETRIC KEY PAIR",
        range(0x8000, 0x8001),
        range(1, MAX_NC + 1),
        ADMIN,
        _generate,
        _SPEC,
        changes=True,
        refusals={SW.WRONG_DATA: "no key is named", SW.REFERENCE_NOT_FOUND: _NO_KEY},
        words=_words,
        samples=tuple((0x8000, data) for data in _DATA),
        is_tlv=True,
    ),
    Command(
        "READ PUBLIC KEY",
        range(0x8100, 0x8101),
        range(1, MAX_NC + 1),
        OPERATIONAL,
        _read_public,
        _SPEC,
        refusals={SW.WRONG_DATA: "no key is named", SW.REFERENCE_NOT_FOUND: _NO_KEY},
        words=_words,
        samples=tuple((0x8100, data) for data in _DATA),
        is_tlv=True,
    ),
)

_SEED = bytes(range(1, 33))
IMPORT_KEY = Command(
    "IMPORT KEY",
    range(0x3FFF, 0x4000),
    range(1, MAX_NC + 1),
    ADMIN,
    _import,
    "OpenPGP card 3.4, 4.4.3.12",
    chaining=True,
    changes=True,
    refusals={
        SW.WRONG_DATA: "the data are no key of the kind that the attributes say",
        SW.REFERENCE_NOT_FOUND: _NO_KEY,
    },
    hides=frozenset({0x3FFF}),  # Under other P1-P2 it is another command: PUT DATA of GIDS, say.
    samples=tuple((0x3FFF, bytes.fromhex("4D2A") + data + bytes.fromhex("7F480292205F4820") + _SEED) for data in _DATA),
    is_tlv=True,
)
