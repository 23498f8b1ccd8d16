"""GENERAL AUTHENTICATE with the admin key, and INTERNAL AUTHENTICATE with an elliptic curve key.

The first is a dialogue of two commands; any other command in between, on the same channel, ends it
(`GidsApplication.observe`).
"""

from card_os import ec
from card_os.access import Right
from card_os.admin import (
    CHALLENGE_BYTES,
    MUTUAL_CHALLENGE_BYTES,
    AdminKey,
    Challenge,
    authenticate,
    check_not_blocked,
)
from card_os.apdu import CommandApdu
from card_os.apps.gids.security import current_key
from card_os.apps.gids.session import GidsSession, withdraw_elsewhere
from card_os.apps.gids.state import KeyFile
from card_os.apps.gids.wire import USAGE_VERIFY, Crt, Tag
from card_os.ec import EcPrivateKey
from card_os.sw import SW, CardError
from card_os.tlv import Template, Tlv, single

_SUBJECT = "GENERAL AUTHENTICATE"
_CHALLENGE, _RESPONSE = 0x81, 0x82


def general_authenticate(session: GidsSession, apdu: CommandApdu) -> bytes:
    """7C { 81 } asks for a challenge (empty: external form; 16 bytes: mutual form), 7C { 82 } answers it.

    6985: no MSE, or no challenge open; 6A80: another template; 6982: wrong answer; 6983: no tries left. A challenge
    request and a wrong answer take back an earlier authentication. Spec: GIDS sections 9.1, 9.2 and 12.6.
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

    6985: no MSE; 6A81: not an elliptic curve key, or GIDS' session key establishment (85, A0), whose key derivation
    the specification leaves to a later revision. Spec: GIDS section 12.9.
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
