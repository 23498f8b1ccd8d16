"""GENERAL AUTHENTICATE with the admin key, and INTERNAL AUTHENTICATE with an elliptic curve key.

The first is a dialogue of two commands; any other command in between, on the same channel, ends it
(`GidsApplication.observe`).
"""

from card_os import ec
from card_os.access import Right
from card_os.admin import (
    CHALLENGE_BYTES,
    CRYPTOGRAM_BYTES,
    MUTUAL_CHALLENGE_BYTES,
    AdminKey,
    Challenge,
    authenticate,
    check_not_blocked,
)
from card_os.apdu import CommandApdu
from card_os.apps.gids import gate
from card_os.apps.gids.security import KEY_IN_USE, current_key
from card_os.apps.gids.session import GidsSession, withdraw_elsewhere
from card_os.apps.gids.state import KeyFile
from card_os.apps.gids.wire import USAGE_VERIFY, Crt, FileOperation, Tag
from card_os.command import Command
from card_os.ec import EcPrivateKey
from card_os.sw import SW, CardError
from card_os.tlv import Template, Tlv, join, single
from card_os.words import byte_count, either, joined, objects, only

_SUBJECT = "GENERAL AUTHENTICATE"
_CHALLENGE, _RESPONSE = 0x81, 0x82


def general_authenticate(session: GidsSession, apdu: CommandApdu) -> bytes:
    """7C { 81 } asks for a challenge (empty: external form; 16 bytes: mutual form), 7C { 82 } answers it.

    A challenge request and a wrong answer take back an earlier authentication. Spec: GIDS sections 9.1 and 9.2.
    """
    challenge, session.volatile.challenge = session.volatile.challenge, None
    key_id, key = _admin_key(session)
    template = Template.parse(single(apdu.data, Tag.DYNAMIC_AUTHENTICATION, subject=_SUBJECT), subject=_SUBJECT)
    if len(template.objects) != 1:
        raise CardError(SW.WRONG_DATA, "one object is expected in 7C", subject=_SUBJECT)
    (one,) = template
    if one.tag == _CHALLENGE:
        return _open(session, key_id, key, one.value)
    if one.tag == _RESPONSE:
        if challenge is None or challenge.key_id != key_id:
            raise CardError(SW.CONDITIONS_NOT_SATISFIED, "no challenge is open", subject=_SUBJECT)
        return _answer(session, key, challenge, one.value)
    raise CardError(SW.WRONG_DATA, f"tag {one.tag:X} is unknown here", subject=_SUBJECT)


def _admin_key(session: GidsSession) -> tuple[int, AdminKey]:
    use, key = current_key(session, Crt.AUTHENTICATION)
    if not isinstance(key, AdminKey) or not use.usage & USAGE_VERIFY:
        raise CardError(SW.FUNCTION_NOT_SUPPORTED, "this key authenticates no administrator", subject=_SUBJECT)
    return session.volatile.environment[Crt.AUTHENTICATION].key_id, key


def _open(session: GidsSession, key_id: int, key: AdminKey, host: bytes) -> bytes:
    if len(host) not in (0, MUTUAL_CHALLENGE_BYTES):
        raise CardError(SW.WRONG_DATA, "a challenge has 0 or 16 bytes", subject=_SUBJECT)
    session.volatile.granted &= ~Right.EXTERNAL
    check_not_blocked(key, subject="admin key")
    card = session.env.random_bytes(MUTUAL_CHALLENGE_BYTES if host else CHALLENGE_BYTES)
    session.volatile.challenge = Challenge(key_id, card, host)
    return bytes(Tlv(Tag.DYNAMIC_AUTHENTICATION, bytes(Tlv(_CHALLENGE, card))))


def _answer(session: GidsSession, key: AdminKey, challenge: Challenge, response: bytes) -> bytes:
    session.volatile.granted &= ~Right.EXTERNAL

    def commit(new: AdminKey) -> None:
        file = session.state.key_file(challenge.key_id)
        if isinstance(file, KeyFile):
            session.commit(session.state.with_file(file.with_key(new)))

    try:
        cryptogram = authenticate(key, challenge, response, session.env, commit, subject="admin key")
    except CardError:
        file = session.state.key_file(challenge.key_id)
        if file is not None and isinstance(file.key, AdminKey) and file.key.is_blocked:
            withdraw_elsewhere(session, Right.EXTERNAL)
        raise
    session.volatile.granted |= Right.EXTERNAL
    return bytes(Tlv(Tag.DYNAMIC_AUTHENTICATION, bytes(Tlv(_RESPONSE, cryptogram)))) if cryptogram else b""


def internal_authenticate(session: GidsSession, apdu: CommandApdu) -> bytes:
    """7C { 81 digest }: an ECDSA signature, 7C { 82 SEQUENCE { r, s } }, with the key current for authentication.

    There is no session key establishment (85, A0): the specification leaves its key derivation to a later revision.
    """
    _, key = current_key(session, Crt.AUTHENTICATION)
    subject = "INTERNAL AUTHENTICATE"
    if not isinstance(key, EcPrivateKey):
        raise CardError(SW.FUNCTION_NOT_SUPPORTED, "needs an elliptic curve key", subject=subject)
    template = Template.parse(single(apdu.data, Tag.DYNAMIC_AUTHENTICATION, subject=subject), subject=subject)
    if any(one.tag != _CHALLENGE for one in template):
        raise CardError(SW.FUNCTION_NOT_SUPPORTED, "only a challenge (81) can be signed", subject=subject)
    signature = ec.sign(key, template.need(_CHALLENGE, subject=subject))
    return bytes(Tlv(Tag.DYNAMIC_AUTHENTICATION, bytes(Tlv(_RESPONSE, signature))))


# --- the rows


def _inner(raw: bytes) -> tuple[Tlv, ...]:
    one = only(raw)
    return objects(one.value) if one else ()


def _authenticate_words(apdu: CommandApdu, _: int) -> str:
    inner = _inner(apdu.data)
    if len(inner) != 1:
        return ""
    if inner[0].tag == _CHALLENGE:
        return "ask for a challenge" + (", mutual" if inner[0].value else "")
    return f"answer the challenge, {byte_count(len(inner[0].value))}" if inner[0].tag == _RESPONSE else ""


def _challenge_words(apdu: CommandApdu, data: bytes) -> str:
    return "challenge" if [one.tag for one in _inner(data)] == [_CHALLENGE] else ""


def _sign_words(apdu: CommandApdu, _: int) -> str:
    return joined(*(f"sign {byte_count(len(one.value))}" for one in _inner(apdu.data)))


def _presents(session: GidsSession, apdu: CommandApdu) -> tuple[str, ...]:
    """A response to a challenge of an admin key that has a limit."""
    component = session.volatile.environment.get(Crt.AUTHENTICATION)
    # 7C and its length, one or two bytes of it, then the tag.
    is_response = apdu.data[:1] == bytes([Tag.DYNAMIC_AUTHENTICATION]) and _RESPONSE in apdu.data[2:4]
    if component is None or session.volatile.challenge is None or not is_response:
        return ()
    file = session.state.key_file(component.key_id)
    if not isinstance(file, KeyFile) or not isinstance(file.key, AdminKey) or file.key.try_limit is None:
        return ()
    allowed = file.rule.allows(FileOperation.USE_KEY, session.volatile.granted)
    return (f"{file.key_name} tries",) if allowed else ()


def _sample(*found: Tlv) -> tuple[int, bytes]:
    return 0, bytes(Tlv(Tag.DYNAMIC_AUTHENTICATION, join(found)))


# Rows are read across: what is accepted and who answers, then what people are told.
# fmt: off
GENERAL_AUTHENTICATE = Command(
    "GENERAL AUTHENTICATE", gate.P1P2_0000, gate.SOME_BYTES, gate.OPERATIONAL, general_authenticate, "GIDS 2.0, 12.6",
    chaining=True, changes=True, words=_authenticate_words, answer_words=_challenge_words, presents=_presents,
    is_tlv=True,
    refusals={
        SW.SECURITY_STATUS_NOT_SATISFIED: either("the response to the challenge was wrong", gate.RULE),
        SW.AUTHENTICATION_METHOD_BLOCKED: "the admin key has no tries left",
        SW.CONDITIONS_NOT_SATISFIED: either(
            "MANAGE SECURITY ENVIRONMENT has chosen no key for it",
            "no challenge is open: it is good for one answer, and any other command ends it",
        ),
        SW.REFERENCE_NOT_FOUND: gate.NO_KEY_FILE,
        SW.REFERENCE_DATA_NOT_USABLE: "the key was erased",
        SW.FUNCTION_NOT_SUPPORTED: "the key that was chosen is no admin key",
        SW.WRONG_DATA: gate.NOT_TLV,
    },
    samples=(
        *(_sample(Tlv(_CHALLENGE, bytes(size))) for size in (0, CHALLENGE_BYTES, MUTUAL_CHALLENGE_BYTES)),
        *(_sample(Tlv(_RESPONSE, bytes(size))) for size in (8, CRYPTOGRAM_BYTES)),
    ),
)
INTERNAL_AUTHENTICATE = Command(
    "INTERNAL AUTHENTICATE", gate.P1P2_0000, gate.SOME_BYTES, gate.USE_RULE, internal_authenticate, "GIDS 2.0, 12.9",
    words=_sign_words,
    samples=(_sample(Tlv(_CHALLENGE, bytes(32))), _sample(Tlv(_CHALLENGE, bytes(16)), Tlv(_RESPONSE))), is_tlv=True,
    refusals=KEY_IN_USE
    | {
        SW.FUNCTION_NOT_SUPPORTED: "only an elliptic curve key can, and only sign a challenge",
        SW.WRONG_DATA: either(gate.NOT_TLV, "the challenge does not fit the key"),
    },
)
# fmt: on
