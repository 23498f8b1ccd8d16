"""Keys: generated, imported, and their public halves read back (GIDS sections 12.5, 12.8, 12.13)."""

from collections.abc import Iterator
from contextlib import contextmanager

from card_os.access import Right
from card_os.admin import KEY_BYTES, AdminKey, key_check_value
from card_os.apdu import CommandApdu
from card_os.apps.gids import gate
from card_os.apps.gids.session import GidsSession, find_key_file, key_id_byte, one_byte, require, withdraw_elsewhere
from card_os.apps.gids.state import KeyFile, PrivateKey
from card_os.apps.gids.wire import EC_KINDS, KINDS, THREE_KEY_3DES, FileOperation, Tag
from card_os.command import Command
from card_os.ec import EcPrivateKey
from card_os.key import public_objects
from card_os.rsa import RsaPrivateKey
from card_os.sw import SW, CardError
from card_os.tlv import Template, Tlv, join, single
from card_os.wire import WireError
from card_os.words import either, inside, joined, value

# OpenSC sends the check value of the default key whatever the key is (gids.md 5.8); Windows sends the right one.
OPENSC_CHECK_VALUE = bytes.fromhex("B073DC")

# The value of A5 in a request for a public key: tag 7F49, all of it.
_WHOLE_PUBLIC_KEY = bytes.fromhex("7F4980")

_SYMMETRIC, _RSA, _ECC = 1, 2, 3


def _public_key_template(key: PrivateKey) -> bytes:
    if isinstance(key, AdminKey):
        raise CardError(SW.REFERENCE_NOT_FOUND, "a symmetric key has no public half", subject="public key")
    return bytes(Tlv(Tag.PUBLIC_KEY, join(public_objects(key))))


def public_key(session: GidsSession, header: bytes) -> bytes:
    """GET PUBLIC KEY: `header` is the value of 70, { 84 key id, A5 { 7F49 80 } }; returns 7F49.

    6A88: no such key file, or no key in it; 6982: the rule of the key. Spec: GIDS section 12.8.
    """
    key_id, request = _extended_header(header)
    if request != _WHOLE_PUBLIC_KEY:
        raise CardError(SW.WRONG_DATA, "only the whole public key (7F49 80) can be read", subject="GET PUBLIC KEY")
    file = find_key_file(session, key_id)
    require(session, file, FileOperation.GET)
    if file.key is None:
        raise CardError(SW.REFERENCE_NOT_FOUND, "there is no key yet", subject=f"key {key_id:02X}")
    return _public_key_template(file.key)


def _extended_header(header: bytes) -> tuple[int, bytes]:
    template = Template.parse(header, subject="extended header list")
    key_id = key_id_byte(template.need(0x84, subject="extended header list"))
    return key_id, template.need(Tag.KEY_TEMPLATE, subject="extended header list")


def generate(session: GidsSession, apdu: CommandApdu) -> bytes:
    """AC { 80 algorithm, 83 key id }: makes a key, in place of the one that was there; returns the public key, 7F49."""
    raw = single(apdu.data, Tag.CRYPTOGRAPHIC_MECHANISM, subject="GENERATE")
    template = Template.parse(raw, subject="GENERATE")
    key_id = key_id_byte(template.need(0x83, subject="GENERATE"))
    number = one_byte(template.need(0x80, subject="GENERATE"), "an algorithm")
    file = find_key_file(session, key_id)
    if session.state.is_operational and not file.is_active:
        raise CardError(SW.CONDITIONS_NOT_SATISFIED, "the key file is not activated", subject=f"key {key_id:02X}")
    require(session, file, FileOperation.GENERATE)
    if number not in KINDS:
        raise CardError(SW.FUNCTION_NOT_SUPPORTED, f"algorithm {number:02X} is not supported", subject="GENERATE")
    if number not in {use.key_type for use in file.uses}:
        raise CardError(SW.WRONG_DATA, f"the file is not for algorithm {number:02X}", subject=f"key {key_id:02X}")
    key = session.env.key(KINDS[number])
    # GIDS knows no key of another family.
    assert isinstance(key, RsaPrivateKey | EcPrivateKey)
    _store(session, file, key)
    return _public_key_template(key)


@contextmanager
def _discreet() -> Iterator[None]:
    """Says nothing of what is wrong with data that hold a key: lengths and tags there may be bytes of the key."""
    try:
        yield
    except CardError as error:
        raise CardError(error.sw, "70 { 84 key id, A5 { 87 value } } is expected", subject="PUT KEY") from None


def put_key(session: GidsSession, data: bytes) -> bytes:
    """PUT KEY: 70 { 84 key id, A5 { 83 type, 84 transport key, 87 value, 88 KCV } }.

    An empty A5 erases the key. 6A88: no such key file; 6982: its rule; 6A81: a transport key or key type that this
    card has not; 6A80: a value that is no such key. Spec: GIDS section 12.13.
    """
    with _discreet():
        key_id, raw = _extended_header(single(data, Tag.EXTENDED_HEADER, subject="PUT KEY"))
    file = find_key_file(session, key_id)
    require(session, file, FileOperation.PUT)
    if not raw:
        _store(session, file, None)
        return b""
    with _discreet():
        template = Template.parse(raw, subject="PUT KEY")
    # GIDS reads an absent transport key as the GlobalPlatform one, yet every host leaves it out for a plain value.
    if template.get(0x84) not in (None, b"\x00"):
        raise CardError(SW.FUNCTION_NOT_SUPPORTED, "there is no transport key", subject="PUT KEY")
    key = _parse_key(template, session.state.admin_try_limit)
    if not file.accepts(key):
        raise CardError(SW.WRONG_DATA, "the file is not for a key of this kind", subject=f"key {key_id:02X}")
    _store(session, file, key)
    return b""


def _store(session: GidsSession, file: KeyFile, key: PrivateKey | None) -> None:
    session.commit(session.state.with_file(file.with_key(key)))
    session.volatile.uses.pop(file.key_id, None)
    if file.is_admin:
        withdraw_elsewhere(session, Right.EXTERNAL)


def _parse_key(template: Template, admin_try_limit: int | None) -> PrivateKey:
    kind = template.get(0x83)
    key_type = _SYMMETRIC if kind is None else one_byte(kind, "a key type")
    value = template.need(0x87, subject="PUT KEY")
    try:
        if key_type == _SYMMETRIC:
            return _admin_key(value, template.get(0x88), admin_try_limit)
        if key_type == _RSA:
            return RsaPrivateKey.parse(value)
        if key_type == _ECC:
            return EcPrivateKey.parse_with_point(value, EC_KINDS.values())
    except WireError as error:
        raise CardError(SW.WRONG_DATA, str(error), subject="PUT KEY") from None
    raise CardError(SW.FUNCTION_NOT_SUPPORTED, f"key type {key_type:02X} is not known", subject="PUT KEY")


def _admin_key(value: bytes, check_value: bytes | None, try_limit: int | None) -> AdminKey:
    if len(value) != KEY_BYTES:
        raise WireError(f"an admin key has {KEY_BYTES} bytes")
    if check_value not in (None, OPENSC_CHECK_VALUE, key_check_value(value)):
        raise WireError("the key check value does not match")
    return AdminKey.new(value, try_limit=try_limit)


# --- the row


def key_words(raw: bytes | None) -> str:
    """Which key a reference names."""
    return "" if raw is None else f"key {raw.hex().upper()}"


def algorithm_words(raw: bytes | None) -> str:
    """The low half of an algorithm reference: type and size of the key."""
    if raw is None or len(raw) != 1:
        return "" if raw is None else f"algorithm {raw.hex().upper()}"
    number = raw[0] & 0x0F
    if number in KINDS:
        return str(KINDS[number])
    return "3DES" if raw[0] == THREE_KEY_3DES else f"algorithm {raw[0]:02X}"


def _generate_words(apdu: CommandApdu, _: int) -> str:
    objects = inside(apdu.data, Tag.CRYPTOGRAPHIC_MECHANISM)
    return joined(key_words(value(objects, 0x83)), algorithm_words(value(objects, 0x80)))


# Rows are read across: what is accepted and who answers, then what people are told.
# fmt: off
GENERATE_ASYMMETRIC_KEY_PAIR = Command(
    "GENERATE ASYMMETRIC KEY PAIR", gate.P1P2_0000, gate.SOME_BYTES, gate.FILE_RULE, generate, "GIDS 2.0, 12.5",
    changes=True, words=_generate_words,
    samples=tuple((0, bytes([0xAC, 6, 0x80, 1, number, 0x83, 1, key])) for number, key in ((6, 0x81), (12, 0x83))),
    is_tlv=True,
    refusals={
        SW.REFERENCE_NOT_FOUND: gate.NO_KEY_FILE,
        SW.FUNCTION_NOT_SUPPORTED: "this card has no such algorithm",
        SW.WRONG_DATA: either(gate.NOT_TLV, "the file was not made for this algorithm"),
        SW.CONDITIONS_NOT_SATISFIED: gate.NOT_ACTIVE,
    },
)
# fmt: on
