"""Elliptic curve keys of the short Weierstrass kind: NIST's, brainpool's and secp256k1.

ECDSA over a digest that the host made, and ECDH. ECDSA is deterministic (RFC 6979), so a seeded run repeats byte for
byte and no random generator can leak a key.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from card_os.kept_key import KeepsLibraryKey
from card_os.key_kind import KeyKind
from card_os.sw import SW, CardError
from card_os.tlv import Tlv, parse_all
from card_os.wire import WireError

CURVES: dict[KeyKind, ec.EllipticCurve] = {
    KeyKind.P256: ec.SECP256R1(),
    KeyKind.P384: ec.SECP384R1(),
    KeyKind.P521: ec.SECP521R1(),
    KeyKind.BRAINPOOL_P256R1: ec.BrainpoolP256R1(),
    KeyKind.BRAINPOOL_P384R1: ec.BrainpoolP384R1(),
    KeyKind.BRAINPOOL_P512R1: ec.BrainpoolP512R1(),
    KeyKind.SECP256K1: ec.SECP256K1(),
}

_HASHES: dict[int, hashes.HashAlgorithm] = {
    algorithm.digest_size: algorithm
    for algorithm in (hashes.SHA1(), hashes.SHA224(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512())
}


def field_bytes(kind: KeyKind) -> int:
    """How long a coordinate of this curve is, and a scalar."""
    return (CURVES[kind].key_size + 7) // 8


@dataclass(frozen=True, slots=True, repr=False)
class EcPrivateKey(KeepsLibraryKey[ec.EllipticCurvePrivateKey]):
    """A private scalar on a curve, 1 to below the order; else ValueError."""

    kind: KeyKind
    scalar: int

    def __post_init__(self) -> None:
        if self.kind not in CURVES:
            raise ValueError(f"{self.kind} is none of these curves")
        if not 0 < self.scalar < CURVES[self.kind].group_order:
            raise ValueError(f"not a private key of {self.kind}")

    def __repr__(self) -> str:
        return f"EcPrivateKey({self.kind})"

    @classmethod
    def generate(cls, kind: KeyKind, random_bytes: Callable[[int], bytes]) -> "EcPrivateKey":
        """Makes a key from 64 bits more than the order has (FIPS 186-5 A.2.1)."""
        seed = int.from_bytes(random_bytes(field_bytes(kind) + 8), "big")
        return cls(kind, seed % (CURVES[kind].group_order - 1) + 1)

    @classmethod
    def from_library(cls, key: ec.EllipticCurvePrivateKey) -> "EcPrivateKey":
        """Takes a key of `cryptography`; ValueError if its curve is none of these."""
        kind = next((kind for kind, curve in CURVES.items() if curve.name == key.curve.name), None)
        if kind is None:
            raise ValueError(f"{key.curve.name} is none of the curves of this card")
        return cls(kind, key.private_numbers().private_value)

    @classmethod
    def parse(cls, kind: KeyKind, raw: bytes) -> "EcPrivateKey":
        """Reads a scalar, big-endian, exactly as long as the field; else ValueError."""
        if kind in CURVES and len(raw) != field_bytes(kind):
            raise ValueError(f"a private key of {kind} has {field_bytes(kind)} bytes")
        return cls(kind, int.from_bytes(raw, "big"))

    @classmethod
    def parse_with_point(cls, raw: bytes, kinds: Iterable[KeyKind]) -> "EcPrivateKey":
        """Reads SEQUENCE { INTEGER 1, OCTET STRING scalar, OCTET STRING point }; the point, which must be the scalar's,
        says which of some curves it is. WireError for anything else.
        """
        try:
            outer, rest = Tlv.parse_head(raw)
            parts = parse_all(outer.value)
        except WireError:
            raise WireError("not an ECPrivateKey with its point") from None
        if rest or outer.tag != 0x30 or [part.tag for part in parts] != [0x02, 0x04, 0x04] or parts[0].value != b"\x01":
            raise WireError("not an ECPrivateKey with its point")
        point = parts[2].value
        kind = next((kind for kind in kinds if len(point) == 1 + 2 * field_bytes(kind)), None)
        if kind is None:
            raise WireError("the point is on no curve of this card")
        try:
            key = cls(kind, int.from_bytes(parts[1].value, "big"))
        except ValueError as error:
            raise WireError(str(error)) from None
        if key.point != point:
            raise WireError("scalar and point do not belong together")
        return key

    def __bytes__(self) -> bytes:
        return self.scalar.to_bytes(self.field_bytes, "big")

    @property
    def field_bytes(self) -> int:
        return field_bytes(self.kind)

    def library_key(self) -> ec.EllipticCurvePrivateKey:
        return self._kept(lambda: ec.derive_private_key(self.scalar, CURVES[self.kind]))

    @property
    def point(self) -> bytes:
        """The public key: 04, X, Y."""
        return self.library_key().public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def sign(key: EcPrivateKey, digest: bytes) -> bytes:
    """ECDSA over a digest of up to 64 bytes; returns SEQUENCE { r, s } in DER.

    A digest of an odd length is used as the number it is: cut to the size of the order, filled with zeros before.
    """
    if not 1 <= len(digest) <= 64:
        raise CardError(SW.WRONG_LENGTH, "a digest has 1 to 64 bytes")
    number = digest[: key.field_bytes]
    size = next(size for size in sorted(_HASHES) if size >= len(number))
    algorithm = ec.ECDSA(Prehashed(_HASHES[size]), deterministic_signing=True)
    return key.library_key().sign(number.rjust(size, b"\x00"), algorithm)


def agree(key: EcPrivateKey, point: bytes) -> bytes:
    """ECC CDH (SP 800-56A 5.7.1.2): the X coordinate of scalar x `point`; 6A80 if that is not on the curve."""
    try:
        public = ec.EllipticCurvePublicKey.from_encoded_point(CURVES[key.kind], point)
    except ValueError:
        raise CardError(SW.WRONG_DATA, f"not a point of {key.kind}") from None
    return key.library_key().exchange(ec.ECDH(), public)
