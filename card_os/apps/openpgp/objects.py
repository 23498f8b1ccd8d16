"""The data objects: who reads and writes each, and what it holds (OpenPGP card 3.4, 4.4.1)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from card_os.apps.openpgp.algorithm import Attributes
from card_os.apps.openpgp.kdf import Kdf, with_kdf
from card_os.apps.openpgp.pins import RESETTING_CODE, check_length
from card_os.apps.openpgp.rules import Rules
from card_os.apps.openpgp.session import OpenPgpSession, Right, require_slot, rules_of, withdraw
from card_os.apps.openpgp.state import HOLDER_OBJECTS, OpenPgpState
from card_os.apps.openpgp.wire import (
    ATTRIBUTES,
    BUTTON,
    CA_FINGERPRINT,
    CREATED,
    FINGERPRINT,
    FINGERPRINT_BYTES,
    OCCURRENCES,
    TIME_BYTES,
    TOUCH,
    Key,
    Password,
    Tag,
    Touch,
    full_aid,
    object_words,
)
from card_os.key_kind import KeyKind
from card_os.secret import Secret
from card_os.sw import SW, CardError
from card_os.symmetric import KEY_BYTES, SymmetricKey
from card_os.tlv import Tlv, join
from card_os.wire import WireError

MAX_NAME_BYTES = 39
MAX_LANGUAGE_BYTES = 8
_SEXES = (b"", b"0", b"1", b"2", b"9")
_FIXED = (Touch.FIXED, Touch.CACHED_FIXED)
_YUBICO_TOUCH = (Touch.CACHED, Touch.CACHED_FIXED)

Get = Callable[[OpenPgpState, Rules], bytes]
Put = Callable[[OpenPgpSession, bytes], OpenPgpState]


@dataclass(frozen=True, slots=True)
class DataObject:
    """One row: get: the value, None: it is never read. put: the state with a new value, None: it is never written."""

    read: Right
    write: Right
    get: Get | None
    put: Put | None = None
    is_template: bool = False
    """Whether GET DATA answers its tag, too."""
    after: Callable[[OpenPgpSession], None] | None = None
    """What ends in the session once the new value is kept."""


# --- what the card says of itself


def aid(state: OpenPgpState, rules: Rules) -> bytes:
    """The full AID, with the serial number."""
    return full_aid(rules.version, rules.manufacturer, state.serial)


def _historical(state: OpenPgpState, rules: Rules) -> bytes:
    return rules.historical[:-3] + bytes([state.life_cycle]) + rules.historical[-2:]


def _extended_length(state: OpenPgpState, rules: Rules) -> bytes:
    return join([Tlv(0x02, rules.max_apdu_bytes.to_bytes(2, "big"))] * 2)


def _features(state: OpenPgpState, rules: Rules) -> bytes:
    return bytes(Tlv(0x81, bytes([BUTTON])))


def _capabilities(state: OpenPgpState, rules: Rules) -> bytes:
    sizes = (rules.max_challenge_bytes, rules.max_certificate_bytes, rules.max_object_bytes)
    return bytes([rules.capabilities, 0]) + b"".join(size.to_bytes(2, "big") for size in sizes) + b"\x00\x01"


def _password_status(state: OpenPgpState, rules: Rules) -> bytes:
    pins = (state.pin, state.resetting_code, state.admin)
    return bytes([state.signs_many, *[rules.max_password_bytes] * 3, *(pin.tries_left for pin in pins)])


def _fingerprints(state: OpenPgpState, rules: Rules) -> bytes:
    return b"".join(slot.fingerprint for slot in state.slots)


def _ca_fingerprints(state: OpenPgpState, rules: Rules) -> bytes:
    return b"".join(slot.ca_fingerprint for slot in state.slots)


def _creation_times(state: OpenPgpState, rules: Rules) -> bytes:
    return b"".join(slot.created.to_bytes(TIME_BYTES, "big") for slot in state.slots)


def _key_information(state: OpenPgpState, rules: Rules) -> bytes:
    return b"".join(bytes([slot.reference, slot.stored.origin if slot.stored else 0]) for slot in state.slots)


def _algorithms(state: OpenPgpState, rules: Rules) -> bytes:
    listed = {key: [one.raw for one in rules.all_attributes(key)] + [*rules.falsely_listed] for key in rules.keys}
    return join(Tlv(ATTRIBUTES[key], raw) for key, them in listed.items() for raw in them)


def _counter(state: OpenPgpState, rules: Rules) -> bytes:
    return state.signature_counter.to_bytes(3, "big")


def _kdf(state: OpenPgpState, rules: Rules) -> bytes:
    return state.kdf


# --- templates


def _inside(state: OpenPgpState, rules: Rules, tags: tuple[int, ...]) -> bytes:
    found = {tag: OBJECTS[tag] for tag in tags if exists(tag, rules)}
    return join(Tlv(tag, row.get(state, rules)) for tag, row in found.items() if row.get is not None)


def _cardholder(state: OpenPgpState, rules: Rules) -> bytes:
    return _inside(state, rules, (Tag.NAME, Tag.LANGUAGE, Tag.SEX))


def _application(state: OpenPgpState, rules: Rules) -> bytes:
    tags = (Tag.AID, Tag.HISTORICAL_BYTES, Tag.EXTENDED_LENGTH, Tag.FEATURES, Tag.DISCRETIONARY)
    return _inside(state, rules, tags)


def _discretionary(state: OpenPgpState, rules: Rules) -> bytes:
    tags = (
        Tag.EXTENDED_CAPABILITIES,
        *ATTRIBUTES.values(),
        Tag.PASSWORD_STATUS,
        Tag.FINGERPRINTS,
        Tag.CA_FINGERPRINTS,
        Tag.CREATION_TIMES,
        Tag.KEY_INFORMATION,
        *TOUCH.values(),
    )
    return _inside(state, rules, tags)


def _security_support(state: OpenPgpState, rules: Rules) -> bytes:
    return _inside(state, rules, (Tag.SIGNATURE_COUNTER,))


# --- what hosts write


def _refuse(tag: int, rule: str, sw: int = SW.WRONG_DATA) -> CardError:
    return CardError(sw, rule, subject=object_words(tag))


def _held(tag: int) -> tuple[Get, Put]:
    """An object that the card keeps and does not read, but for its length and what follows from its meaning."""
    name = HOLDER_OBJECTS[Tag(tag)]

    def get(state: OpenPgpState, rules: Rules) -> bytes:
        value: bytes = getattr(state.holder, name)
        return value

    def put(session: OpenPgpSession, value: bytes) -> OpenPgpState:
        limits = {Tag.NAME: MAX_NAME_BYTES, Tag.LANGUAGE: MAX_LANGUAGE_BYTES, Tag.SEX: 1}
        limit = limits.get(Tag(tag), rules_of(session).max_object_bytes)
        if len(value) > limit:
            raise _refuse(tag, f"at most {limit} bytes", SW.WRONG_LENGTH)
        if tag == Tag.SEX and value not in _SEXES:
            raise _refuse(tag, "0, 1, 2 or 9 (ISO 5218) is expected")
        state = session.state
        return replace(state, holder=replace(state.holder, **{name: value}))

    return get, put


def _fingerprint(tag: int, key: Key, *, is_of_ca: bool = False) -> tuple[Get, Put]:
    """20 bytes that the host has computed."""

    def get(state: OpenPgpState, rules: Rules) -> bytes:
        slot = state.slot(key)
        assert slot is not None
        return slot.ca_fingerprint if is_of_ca else slot.fingerprint

    def put(session: OpenPgpSession, value: bytes) -> OpenPgpState:
        if len(value) != FINGERPRINT_BYTES:
            raise _refuse(tag, f"{FINGERPRINT_BYTES} bytes are expected", SW.WRONG_LENGTH)
        slot = require_slot(session, key)
        new = replace(slot, ca_fingerprint=value) if is_of_ca else replace(slot, fingerprint=value)
        return session.state.with_slot(new)

    return get, put


def _created(tag: int, key: Key) -> tuple[Get, Put]:
    def get(state: OpenPgpState, rules: Rules) -> bytes:
        slot = state.slot(key)
        return (slot.created if slot else 0).to_bytes(TIME_BYTES, "big")

    def put(session: OpenPgpSession, value: bytes) -> OpenPgpState:
        if len(value) != TIME_BYTES:
            raise _refuse(tag, f"{TIME_BYTES} bytes are expected", SW.WRONG_LENGTH)
        return session.state.with_slot(replace(require_slot(session, key), created=int.from_bytes(value, "big")))

    return get, put


def _attributes(tag: int, key: Key) -> tuple[Get, Put]:
    def get(state: OpenPgpState, rules: Rules) -> bytes:
        slot = state.slot(key)
        return slot.attributes.raw if slot else b""

    def put(session: OpenPgpSession, value: bytes) -> OpenPgpState:
        """A key of another kind than the new one goes, and with it what was said of it."""
        try:
            wanted = Attributes.parse(value)
        except WireError as error:
            raise _refuse(tag, str(error)) from None
        if not rules_of(session).allows(wanted, key):
            raise _refuse(tag, f"no {wanted.kind} key can be here")
        state, slot = session.state, require_slot(session, key)
        if wanted.kind == slot.attributes.kind:
            return state.with_slot(replace(slot, attributes=wanted))
        nothing = bytes(FINGERPRINT_BYTES)
        state = state.with_slot(replace(slot, attributes=wanted, stored=None, fingerprint=nothing, created=0))
        return replace(state, signature_counter=0) if key == Key.SIGNATURE else state

    return get, put


def _touch(tag: int, key: Key) -> tuple[Get, Put]:
    def get(state: OpenPgpState, rules: Rules) -> bytes:
        slot = state.slot(key)
        return bytes([slot.touch if slot else Touch.OFF, BUTTON])

    def put(session: OpenPgpSession, value: bytes) -> OpenPgpState:
        slot = require_slot(session, key)
        if len(value) != 2:
            raise _refuse(tag, "two bytes are expected", SW.WRONG_LENGTH)
        if slot.touch in _FIXED:
            raise _refuse(tag, "it stays as it is", SW.CONDITIONS_NOT_SATISFIED)
        known = [one for one in Touch if one not in _YUBICO_TOUCH or rules_of(session).yubico]
        if value[0] not in known or value[1] != BUTTON:
            raise _refuse(tag, "00, 01 or 02 for off, on and for ever, then 20 for a button, are expected")
        return session.state.with_slot(replace(slot, touch=Touch(value[0])))

    return get, put


def certificate(state: OpenPgpState, key: Key) -> bytes:
    slot = state.slot(key)
    return slot.certificate if slot else b""


def put_certificate(session: OpenPgpSession, key: Key, value: bytes) -> OpenPgpState:
    limit = rules_of(session).max_certificate_bytes
    if len(value) > limit:
        raise _refuse(Tag.CERTIFICATE, f"at most {limit} bytes", SW.WRONG_LENGTH)
    return session.state.with_slot(replace(require_slot(session, key), certificate=value))


def _attestation_certificate(state: OpenPgpState, rules: Rules) -> bytes:
    return certificate(state, Key.ATTESTATION)


def _put_attestation_certificate(session: OpenPgpSession, value: bytes) -> OpenPgpState:
    return put_certificate(session, Key.ATTESTATION, value)


def _put_current_certificate(session: OpenPgpSession, value: bytes) -> OpenPgpState:
    return put_certificate(session, OCCURRENCES[session.volatile.occurrence], value)


def _select_first_certificate(session: OpenPgpSession) -> None:
    # GnuPG selects none when it writes the first, and a program before it may have left another one selected.
    session.volatile.occurrence, session.volatile.has_read = 0, False


def _put_password_status(session: OpenPgpSession, value: bytes) -> OpenPgpState:
    if len(value) != 1:
        raise _refuse(Tag.PASSWORD_STATUS, "one byte is expected", SW.WRONG_LENGTH)
    if value[0] > 1:
        raise _refuse(Tag.PASSWORD_STATUS, "00 or 01 is expected")
    return replace(session.state, signs_many=bool(value[0]))


def _put_resetting_code(session: OpenPgpSession, value: bytes) -> OpenPgpState:
    code = session.state.resetting_code
    if not value:
        return replace(session.state, resetting_code=replace(code, value=None, tries_left=0))
    check_length(session, value, rules_of(session).min_admin_bytes, subject=RESETTING_CODE)
    return replace(session.state, resetting_code=code.with_value(value))


def _put_aes_key(session: OpenPgpSession, value: bytes) -> OpenPgpState:
    kind = next((kind for kind in (KeyKind.AES_128, KeyKind.AES_256) if KEY_BYTES[kind] == len(value)), None)
    if kind is None:
        raise _refuse(Tag.AES_KEY, "16 or 32 bytes are expected", SW.WRONG_LENGTH)
    return replace(session.state, aes=SymmetricKey(kind, Secret(value)))


def _put_kdf(session: OpenPgpSession, value: bytes) -> OpenPgpState:
    return with_kdf(session.state, Kdf.parse(value))


def _withdraw_all(session: OpenPgpSession) -> None:
    """The initial passwords of the new KDF hold from now on, and nothing that was verified."""
    withdraw(session, *Password)


# --- the table


def _rows() -> Mapping[int, DataObject]:
    always, user, admin, never = Right.ALWAYS, Right.USER, Right.ADMIN, Right.NEVER
    rows: dict[int, DataObject] = {
        Tag.AID: DataObject(always, never, aid),
        Tag.HISTORICAL_BYTES: DataObject(always, never, _historical),
        Tag.CARDHOLDER: DataObject(always, never, _cardholder, is_template=True),
        Tag.APPLICATION: DataObject(always, never, _application, is_template=True),
        Tag.EXTENDED_LENGTH: DataObject(always, never, _extended_length),
        Tag.FEATURES: DataObject(always, never, _features),
        Tag.DISCRETIONARY: DataObject(always, never, _discretionary, is_template=True),
        Tag.EXTENDED_CAPABILITIES: DataObject(always, never, _capabilities),
        Tag.PASSWORD_STATUS: DataObject(always, admin, _password_status, _put_password_status),
        Tag.FINGERPRINTS: DataObject(always, never, _fingerprints),
        Tag.CA_FINGERPRINTS: DataObject(always, never, _ca_fingerprints),
        Tag.CREATION_TIMES: DataObject(always, never, _creation_times),
        Tag.KEY_INFORMATION: DataObject(always, never, _key_information),
        Tag.SECURITY_SUPPORT: DataObject(always, never, _security_support, is_template=True),
        Tag.SIGNATURE_COUNTER: DataObject(always, never, _counter),
        Tag.CERTIFICATE: DataObject(always, admin, None, _put_current_certificate, after=_select_first_certificate),
        Tag.RESETTING_CODE: DataObject(never, admin, None, _put_resetting_code),
        Tag.AES_KEY: DataObject(never, admin, None, _put_aes_key),
        Tag.KDF: DataObject(always, admin, _kdf, _put_kdf, after=_withdraw_all),
        Tag.ALGORITHMS: DataObject(always, never, _algorithms, is_template=True),
        Tag.ATTESTATION_CERTIFICATE: DataObject(always, admin, _attestation_certificate, _put_attestation_certificate),
    }
    rights = {Tag.PRIVATE_1: (always, user), Tag.PRIVATE_3: (user, user), Tag.PRIVATE_4: (admin, admin)}
    rows |= {tag: DataObject(*rights.get(tag, (always, admin)), *_held(tag)) for tag in HOLDER_OBJECTS}
    for key in Key:
        rows[ATTRIBUTES[key]] = DataObject(always, admin, *_attributes(ATTRIBUTES[key], key))
        rows[FINGERPRINT[key]] = DataObject(always, admin, *_fingerprint(FINGERPRINT[key], key))
        rows[CA_FINGERPRINT[key]] = DataObject(always, admin, *_fingerprint(CA_FINGERPRINT[key], key, is_of_ca=True))
        rows[CREATED[key]] = DataObject(always, admin, *_created(CREATED[key], key))
        rows[TOUCH[key]] = DataObject(always, admin, *_touch(TOUCH[key], key))
    return rows


OBJECTS = _rows()
"""Every data object that an OpenPGP card can have, by tag."""
_OF_ATTESTATION = frozenset(
    {
        Tag.ATTESTATION_CERTIFICATE,
        *(them[Key.ATTESTATION] for them in (ATTRIBUTES, FINGERPRINT, CA_FINGERPRINT, CREATED, TOUCH)),
    }
)
_OF_TOUCH = frozenset({Tag.FEATURES, *TOUCH.values()})


def exists(tag: int, rules: Rules) -> bool:
    """Whether this kind of card has such an object."""
    if tag in _OF_ATTESTATION and rules.yubico is None:
        return False
    return tag in OBJECTS and (tag not in _OF_TOUCH or rules.has_touch)
