"""Using keys: PERFORM SECURITY OPERATION, INTERNAL AUTHENTICATE, MANAGE SECURITY ENVIRONMENT and GET CHALLENGE (OpenPGP
card 3.4, 7.2.10 to 7.2.13, 7.2.15 and 7.2.18)."""

from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from card_os import curve25519, ec, rsa
from card_os.apdu import MAX_NC, CommandApdu
from card_os.apps.openpgp.session import (
    OPERATIONAL,
    SIGNER,
    USER,
    OpenPgpSession,
    require_slot,
    require_touch,
    rules_of,
)
from card_os.apps.openpgp.state import Slot
from card_os.apps.openpgp.wire import KEY_WORDS, Key, Password, Tag
from card_os.command import Command
from card_os.curve25519 import Ed25519PrivateKey, X25519PrivateKey
from card_os.ec import EcPrivateKey
from card_os.key import PrivateKey
from card_os.rsa import RsaPrivateKey
from card_os.sw import SW, CardError
from card_os.symmetric import SymmetricKey
from card_os.tlv import single

MAX_SIGNATURES = 0xFFFFFF
_RSA_PADDING, _AES_PADDING = 0x00, 0x02
_MAX_DIGEST_INFO_SHARE = 0.4
"""Of the modulus (7.2.10.2)."""


def _key(session: OpenPgpSession, reference: Key) -> tuple[Slot, PrivateKey]:
    """A key that is there, once its touch is given."""
    slot = require_slot(session, reference)
    if slot.stored is None:
        raise CardError(SW.REFERENCE_NOT_FOUND, "there is no key", subject=slot.name)
    require_touch(session, slot)
    return slot, slot.stored.key


def _unfit(slot: Slot, key: PrivateKey, use: str) -> CardError:
    return CardError(SW.CONDITIONS_NOT_SATISFIED, f"a key of {key.kind} cannot {use}", subject=slot.name)


def _sign(slot: Slot, key: PrivateKey, data: bytes) -> bytes:
    """RSA pads a DigestInfo, ECDSA takes a hash and answers r and s, EdDSA takes the whole message."""
    if isinstance(key, RsaPrivateKey):
        if len(data) > key.block_bytes * _MAX_DIGEST_INFO_SHARE:
            raise CardError(SW.WRONG_LENGTH, "a DigestInfo has at most 40 % of the modulus", subject=slot.name)
        return rsa.sign_pkcs1(key, data)
    if isinstance(key, EcPrivateKey):
        r, s = decode_dss_signature(ec.sign(key, data))
        return r.to_bytes(key.field_bytes, "big") + s.to_bytes(key.field_bytes, "big")
    if isinstance(key, Ed25519PrivateKey):
        return curve25519.sign(key, data)
    raise _unfit(slot, key, "sign")


def _compute_signature(session: OpenPgpSession, apdu: CommandApdu) -> bytes:
    """PSO: COMPUTE DIGITAL SIGNATURE; counts. The PIN holds for one, whatever comes of it, unless C4 says otherwise."""
    state = session.state
    if not state.signs_many:
        session.volatile.verified.discard(Password.SIGNING)
    signature = _sign(*_key(session, Key.SIGNATURE), apdu.data)
    session.commit(replace(state, signature_counter=min(state.signature_counter + 1, MAX_SIGNATURES)))
    return signature


def _authenticate(session: OpenPgpSession, apdu: CommandApdu) -> bytes:
    """INTERNAL AUTHENTICATE: signs without counting."""
    return _sign(*_key(session, session.volatile.authenticate), apdu.data)


# --- PSO: DECIPHER, ENCIPHER


def _decipher(session: OpenPgpSession, apdu: CommandApdu) -> bytes:
    """PSO: DECIPHER: 00 and an RSA cryptogram, 02 and one of AES, or A6 with a point to agree with."""
    data = apdu.data
    if data[0] == _AES_PADDING:
        return _aes(session, data[1:]).decrypt_cbc(data[1:], bytes(16))
    slot, key = _key(session, session.volatile.decipher)
    if isinstance(key, RsaPrivateKey):
        if data[0] != _RSA_PADDING:
            raise CardError(SW.WRONG_DATA, "00 and the cryptogram are expected", subject=slot.name)
        return rsa.decipher_pkcs1(key, data[1:], session.env.random_bytes)
    point = _point(data, subject=slot.name)
    if isinstance(key, EcPrivateKey):
        return ec.agree(key, point)
    if isinstance(key, X25519PrivateKey):
        return curve25519.agree(key, point)
    raise _unfit(slot, key, "decipher")


def _point(data: bytes, *, subject: str) -> bytes:
    """A6 { 7F49 { 86 point } }."""
    public = single(single(data, Tag.CIPHER, subject=subject), Tag.PUBLIC_KEY, subject=subject)
    return single(public, Tag.POINT, subject=subject)


def _encipher(session: OpenPgpSession, apdu: CommandApdu) -> bytes:
    """PSO: ENCIPHER: whole blocks with the AES key; returns 02 and the cryptogram."""
    return bytes([_AES_PADDING]) + _aes(session, apdu.data).encrypt_cbc(apdu.data, bytes(16))


def _aes(session: OpenPgpSession, blocks: bytes) -> SymmetricKey:
    key = session.state.aes
    if key is None:
        raise CardError(SW.REFERENCE_NOT_FOUND, "there is no key", subject="AES key")
    if not blocks or len(blocks) % key.block_bytes:
        raise CardError(SW.WRONG_LENGTH, f"blocks of {key.block_bytes} bytes are expected", subject="AES key")
    return key


# --- MANAGE SECURITY ENVIRONMENT, GET CHALLENGE

_FOR_AUTHENTICATION, _FOR_DECRYPTION = 0x41A4, 0x41B8


def _set_environment(session: OpenPgpSession, apdu: CommandApdu) -> bytes:
    """MSE SET: 83 with 02 or 03, the key that deciphers or authenticates from now on, until a SELECT or a reset."""
    value = single(apdu.data, Tag.PRIVATE_KEY_REFERENCE, subject="MSE")
    if value not in (bytes([Key.DECRYPTION]), bytes([Key.AUTHENTICATION])):
        raise CardError(SW.REFERENCE_NOT_FOUND, "key 02 or 03 is expected", subject="MSE")
    if apdu.p1p2 == _FOR_DECRYPTION:
        session.volatile.decipher = Key(value[0])
    else:
        session.volatile.authenticate = Key(value[0])
    return b""


def _challenge(session: OpenPgpSession, apdu: CommandApdu) -> bytes:
    """GET CHALLENGE: Ne random bytes, which nothing remembers."""
    limit = rules_of(session).max_challenge_bytes
    if not 0 < apdu.ne <= limit:
        raise CardError(SW.WRONG_LENGTH, f"1 to {limit} bytes can be asked for", subject="GET CHALLENGE")
    return session.env.random_bytes(apdu.ne)


# --- rows


def _environment_words(apdu: CommandApdu, _: int) -> str:
    use = "decipher" if apdu.p1p2 == _FOR_DECRYPTION else "authenticate"
    try:
        value = single(apdu.data, Tag.PRIVATE_KEY_REFERENCE, subject="")
        return f"{use} with {KEY_WORDS[Key(int.from_bytes(value, 'big'))]}"
    except (CardError, ValueError):
        return use


_SPEC = "OpenPGP card 3.4, 7.2."
_USE: dict[int, str] = {
    SW.SECURITY_ISSUE: "nobody touched the card",
    SW.CONDITIONS_NOT_SATISFIED: "the key cannot do that",
    SW.REFERENCE_NOT_FOUND: "there is no key",
    SW.WRONG_LENGTH: "the data are too long for the key, or too short",
}
_DIGEST = bytes(range(32))

PERFORM_SECURITY_OPERATION = (
    Command(
        "PSO: COMPUTE DIGITAL SIGNATURE",
        range(0x9E9A, 0x9E9B),
        range(1, MAX_NC + 1),
        SIGNER,
        _compute_signature,
        _SPEC + "10",
        chaining=True,
        changes=True,
        refusals=_USE,
        samples=((0x9E9A, _DIGEST),),
    ),
    Command(
        "PSO: DECIPHER",
        range(0x8086, 0x8087),
        range(1, MAX_NC + 1),
        USER,
        _decipher,
        _SPEC + "11",
        chaining=True,
        refusals={**_USE, SW.WRONG_DATA: "the cryptogram or the point is none of this key"},
        samples=(
            (0x8086, b"\x00" + bytes(256)),
            (0x8086, bytes.fromhex("A6257F49228620") + bytes(31) + b"\x09"),
            (0x8086, b"\x02" + bytes(16)),
        ),
    ),
    Command(
        "PSO: ENCIPHER",
        range(0x8680, 0x8681),
        range(1, MAX_NC + 1),
        USER,
        _encipher,
        _SPEC + "12",
        chaining=True,
        refusals={SW.REFERENCE_NOT_FOUND: "there is no AES key", SW.WRONG_LENGTH: "the data are no whole blocks"},
        samples=((0x8680, bytes(16)),),
    ),
)

INTERNAL_AUTHENTICATE = Command(
    "INTERNAL AUTHENTICATE",
    range(1),
    range(1, MAX_NC + 1),
    USER,
    _authenticate,
    _SPEC + "13",
    chaining=True,
    refusals=_USE,
    samples=((0, _DIGEST),),
)

MANAGE_SECURITY_ENVIRONMENT = Command(
    "MANAGE SECURITY ENVIRONMENT",
    frozenset({_FOR_AUTHENTICATION, _FOR_DECRYPTION}),
    range(1, MAX_NC + 1),
    OPERATIONAL,
    _set_environment,
    _SPEC + "18",
    refusals={SW.WRONG_DATA: "the data are not 83 with a key", SW.REFERENCE_NOT_FOUND: "key 02 or 03 is expected"},
    words=_environment_words,
    samples=((0x41A4, b"\x83\x01\x02"), (0x41B8, b"\x83\x01\x03")),
    is_tlv=True,
)

GET_CHALLENGE = Command(
    "GET CHALLENGE",
    range(1),
    range(1),
    OPERATIONAL,
    _challenge,
    _SPEC + "15",
    refusals={SW.WRONG_LENGTH: "more bytes are asked for than the card gives, or none"},
    samples=((0, b""),),
)
