"""Algorithm attributes, C1 to C3: what kind of key belongs in a place (OpenPGP card 3.4, 4.4.3.9).

RSA is 01, the bits of the modulus and of the exponent, and the form in which a key is imported. Curves are an
algorithm and an object identifier, perhaps with FF behind it: the public point is wanted at import. A card keeps them
byte for byte as they were put: clients compare.
"""

from dataclasses import dataclass
from enum import IntEnum

from construct import Int8ub, Int16ub, Struct

from card_os.apps.openpgp.wire import Key
from card_os.key_kind import KeyKind
from card_os.rsa import RSA_BITS
from card_os.wire import Format, WireError


class Algorithm(IntEnum):
    """The first byte: OpenPGP's number of a public key algorithm."""

    RSA = 0x01
    ECDH = 0x12
    ECDSA = 0x13
    EDDSA = 0x16


RSA = Format(Struct("algorithm" / Int8ub, "bits" / Int16ub, "exponent_bits" / Int16ub, "form" / Int8ub))
_EXPONENT_BITS = (0x11, 0x20)
_FORMS = range(4)
WITH_POINT = 0xFF
_WITHOUT_POINT = 0x00

OIDS = {
    KeyKind.P256: bytes.fromhex("2A8648CE3D030107"),
    KeyKind.P384: bytes.fromhex("2B81040022"),
    KeyKind.P521: bytes.fromhex("2B81040023"),
    KeyKind.BRAINPOOL_P256R1: bytes.fromhex("2B2403030208010107"),
    KeyKind.BRAINPOOL_P384R1: bytes.fromhex("2B240303020801010B"),
    KeyKind.BRAINPOOL_P512R1: bytes.fromhex("2B240303020801010D"),
    KeyKind.SECP256K1: bytes.fromhex("2B8104000A"),
    KeyKind.ED25519: bytes.fromhex("2B06010401DA470F01"),
    KeyKind.X25519: bytes.fromhex("2B060104019755010501"),
}
RFC_8410_OIDS = {KeyKind.ED25519: bytes.fromhex("2B6570"), KeyKind.X25519: bytes.fromhex("2B656E")}
"""Newer ones of the same curves, which are taken, and never shown unasked: GnuPG 2.2 gives up on a card with them."""
_KINDS = {oid: kind for oids in (OIDS, RFC_8410_OIDS) for kind, oid in oids.items()}


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a place is for. raw: as it was put."""

    raw: bytes
    algorithm: Algorithm
    kind: KeyKind

    @classmethod
    def parse(cls, raw: bytes) -> "Attributes":
        """WireError for anything that no card here can hold, whatever place it is for."""
        if raw[:1] == bytes([Algorithm.RSA]):
            return cls(raw, Algorithm.RSA, _rsa_kind(raw))
        try:
            algorithm = Algorithm(raw[0])
        except (IndexError, ValueError):
            raise WireError("the algorithm is unknown") from None
        kind = _KINDS.get(raw[1:]) or (_KINDS.get(raw[1:-1]) if raw[-1] in (WITH_POINT, _WITHOUT_POINT) else None)
        if kind is None:
            raise WireError("the curve is unknown")
        if (kind == KeyKind.ED25519) != (algorithm == Algorithm.EDDSA) or (
            kind == KeyKind.X25519 and algorithm != Algorithm.ECDH
        ):
            raise WireError(f"{algorithm.name} has no curve {kind}")
        return cls(raw, algorithm, kind)

    def __bytes__(self) -> bytes:
        return self.raw

    @property
    def exponent_bytes(self) -> int:
        """Of RSA: how long its public exponent may be."""
        bits: int = RSA.parse(self.raw.ljust(6, b"\0")).exponent_bits
        return (bits + 7) // 8

    def fits(self, key: Key) -> bool:
        """Whether a key of this kind can do what the place is for."""
        if key == Key.DECRYPTION:
            return self.algorithm in (Algorithm.RSA, Algorithm.ECDH)
        return self.algorithm != Algorithm.ECDH


def _rsa_kind(raw: bytes) -> KeyKind:
    c = RSA.parse(raw.ljust(6, b"\0"))
    kind = next((kind for kind, bits in RSA_BITS.items() if bits == c.bits), None)
    if len(raw) not in (5, 6) or kind is None or c.exponent_bits not in _EXPONENT_BITS or c.form not in _FORMS:
        raise WireError("RSA is 01, bits of modulus and exponent, and a form from 00 to 03")
    return kind


def attributes(kind: KeyKind, key: Key, *, exponent_bits: int = 0x20) -> Attributes:
    """Those of a kind of key in a place."""
    if kind in RSA_BITS:
        values = {"algorithm": 1, "bits": RSA_BITS[kind], "exponent_bits": exponent_bits, "form": 0}
        return Attributes.parse(RSA.build(values))
    if kind == KeyKind.ED25519:
        algorithm = Algorithm.EDDSA
    else:
        algorithm = Algorithm.ECDH if key == Key.DECRYPTION or kind == KeyKind.X25519 else Algorithm.ECDSA
    return Attributes.parse(bytes([algorithm]) + OIDS[kind])
