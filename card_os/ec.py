"""Elliptic curve keys: P-256, P-384 and P-521, ECDSA over a digest that the host made, and ECDH.

ECDSA is deterministic (RFC 6979), so a seeded run repeats byte for byte and no random generator can leak a key.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from card_os.sw import SW, CardError

CURVES: dict[int, ec.EllipticCurve] = {256: ec.SECP256R1(), 384: ec.SECP384R1(), 521: ec.SECP521R1()}
"""The curves by field size in bits."""

_ORDERS = {
    256: 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    384: int("F" * 48 + "C7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973", 16),
    521: int("1" + "F" * 65 + "A51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409", 16),
}
_HASHES: dict[int, hashes.HashAlgorithm] = {
    algorithm.digest_size: algorithm
    for algorithm in (hashes.SHA1(), hashes.SHA224(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512())
}


@dataclass(frozen=True, slots=True, repr=False)
class EcPrivateKey:
    """A private scalar on the curve of `bits` field size."""

    bits: int
    scalar: int

    def __post_init__(self) -> None:
        if self.bits not in CURVES or not 0 < self.scalar < _ORDERS[self.bits]:
            raise ValueError("not a private key of P-256, P-384 or P-521")

    def __repr__(self) -> str:
        return f"EcPrivateKey(P-{self.bits})"

    @classmethod
    def generate(cls, bits: int, random_bytes: Callable[[int], bytes]) -> "EcPrivateKey":
        """Makes a key from 64 bits more than the order has (FIPS 186-5 A.2.1)."""
        seed = int.from_bytes(random_bytes((bits + 7) // 8 + 8), "big")
        return cls(bits, seed % (_ORDERS[bits] - 1) + 1)

    @property
    def field_bytes(self) -> int:
        return (self.bits + 7) // 8

    def library_key(self) -> ec.EllipticCurvePrivateKey:
        return ec.derive_private_key(self.scalar, CURVES[self.bits])

    @property
    def point(self) -> bytes:
        """The public key: 04, X, Y."""
        return self.library_key().public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def sign(key: EcPrivateKey, digest: bytes) -> bytes:
    """ECDSA over a digest of up to 64 bytes; returns SEQUENCE { r, s } in DER (GIDS section 12.11).

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
        public = ec.EllipticCurvePublicKey.from_encoded_point(CURVES[key.bits], point)
    except ValueError:
        raise CardError(SW.WRONG_DATA, f"not a point of P-{key.bits}") from None
    return key.library_key().exchange(ec.ECDH(), public)
