"""Private keys as one family: what each can tell, how each is made, and the bytes in which an image keeps it.

What a key does is in its own module (`rsa`, `ec`, `curve25519`, `symmetric`); here is what an application needs that
holds keys of any kind. Each has `kind`.
"""

from collections.abc import Callable, Mapping

from construct import GreedyBytes, Int8ub, Struct
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519

from card_os.curve25519 import Ed25519PrivateKey, X25519PrivateKey
from card_os.ec import CURVES, EcPrivateKey
from card_os.key_kind import KeyKind
from card_os.rsa import KEY_BITS, RSA_BITS, RsaPrivateKey
from card_os.secret import Secret
from card_os.symmetric import SymmetricKey
from card_os.tlv import Tlv
from card_os.wire import Format, WireError

PrivateKey = RsaPrivateKey | EcPrivateKey | Ed25519PrivateKey | X25519PrivateKey
Key = PrivateKey | SymmetricKey

KEY = Format(Struct("kind" / Int8ub, "value" / GreedyBytes))
"""A key in an image: the number of its kind, then RSAPrivateKey in DER, the scalar, or the bytes themselves."""

_NUMBERS: Mapping[KeyKind, int] = {
    KeyKind.RSA_1024: 0x01,
    KeyKind.RSA_2048: 0x02,
    KeyKind.RSA_3072: 0x03,
    KeyKind.RSA_4096: 0x04,
    KeyKind.P256: 0x11,
    KeyKind.P384: 0x12,
    KeyKind.P521: 0x13,
    KeyKind.BRAINPOOL_P256R1: 0x14,
    KeyKind.BRAINPOOL_P384R1: 0x15,
    KeyKind.BRAINPOOL_P512R1: 0x16,
    KeyKind.SECP256K1: 0x17,
    KeyKind.ED25519: 0x21,
    KeyKind.X25519: 0x22,
    KeyKind.TDES: 0x31,
    KeyKind.AES_128: 0x32,
    KeyKind.AES_192: 0x33,
    KeyKind.AES_256: 0x34,
}
_KINDS = {number: kind for kind, number in _NUMBERS.items()}


def encode(key: Key) -> bytes:
    """Returns the key as an image keeps it."""
    value = key.value.reveal() if isinstance(key, SymmetricKey) else bytes(key)
    return KEY.build({"kind": _NUMBERS[key.kind], "value": value})


def decode(raw: bytes) -> Key:
    """Reads what `encode` wrote; WireError for anything else.

    The numbers of an RSA key are not checked again: that takes up to 0.3 s, and was done when the key came.
    """
    c = KEY.parse(raw)
    kind = _KINDS.get(c.kind)
    if kind is None:
        raise WireError(f"key kind {c.kind:02X} is unknown")
    key = _read(kind, c.value)
    if key.kind != kind:
        raise WireError(f"the key is none of {kind}")
    return key


def _read(kind: KeyKind, value: bytes) -> Key:
    try:
        if kind in RSA_BITS:
            return RsaPrivateKey.parse(value, check=False)
        if kind in CURVES:
            return EcPrivateKey.parse(kind, value)
        if kind == KeyKind.ED25519:
            return Ed25519PrivateKey(Secret(value))
        if kind == KeyKind.X25519:
            return X25519PrivateKey(Secret(value))
        return SymmetricKey(kind, Secret(value))
    except ValueError as error:
        raise WireError(str(error)) from None


def decode_private(raw: bytes) -> PrivateKey:
    """`decode`, but only for asymmetric keys."""
    key = decode(raw)
    if isinstance(key, SymmetricKey):
        raise WireError("a symmetric key stands where a private key belongs")
    return key


def from_library(key: object) -> PrivateKey:
    """Takes a private key of `cryptography`; ValueError for one that no card here can hold."""
    if isinstance(key, rsa.RSAPrivateKey):
        taken = RsaPrivateKey.from_library(key)
        if taken.bits not in KEY_BITS:
            raise ValueError(f"RSA keys of {taken.bits} bits are not supported")
        return taken
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return EcPrivateKey.from_library(key)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return Ed25519PrivateKey.from_library(key)
    if isinstance(key, x25519.X25519PrivateKey):
        return X25519PrivateKey.from_library(key)
    raise ValueError("a key of a kind that no card here can hold")


def generate(
    kind: KeyKind, random_bytes: Callable[[int], bytes], rsa_key: Callable[[int], RsaPrivateKey]
) -> PrivateKey:
    """Makes a key of any asymmetric kind; ValueError for a symmetric one. rsa_key: makes one of so many bits."""
    if kind in RSA_BITS:
        return rsa_key(RSA_BITS[kind])
    if kind in CURVES:
        return EcPrivateKey.generate(kind, random_bytes)
    if kind == KeyKind.ED25519:
        return Ed25519PrivateKey.generate(random_bytes)
    if kind == KeyKind.X25519:
        return X25519PrivateKey.generate(random_bytes)
    raise ValueError(f"{kind} keys come in no pairs")


def public_objects(key: PrivateKey) -> tuple[Tlv, ...]:
    """The public key as 7F49 holds it: 81 modulus and 82 exponent, or 86 point (ISO/IEC 7816-8 table 3)."""
    if isinstance(key, RsaPrivateKey):
        exponent = key.e.to_bytes((key.e.bit_length() + 7) // 8, "big")
        return Tlv(0x81, key.n.to_bytes(key.block_bytes, "big")), Tlv(0x82, exponent)
    return (Tlv(0x86, key.point),)
