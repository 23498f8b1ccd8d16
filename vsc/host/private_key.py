"""A key on the card in the shape of `cryptography`: for certificate requests, and certificates signed by the card.

builder.sign(gids.private_key(0), hashes.SHA256())
"""

from collections.abc import Callable
from typing import Any, NoReturn, Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    ECDSA,
    EllipticCurve,
    EllipticCurvePrivateKey,
    EllipticCurvePrivateNumbers,
    EllipticCurvePublicKey,
    EllipticCurveSignatureAlgorithm,
)
from cryptography.hazmat.primitives.asymmetric.padding import AsymmetricPadding, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPrivateNumbers, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import NoDigestInfo
from cryptography.hazmat.primitives.hashes import HashAlgorithm

from vsc.errors import UnsupportedCard
from vsc.host.port import HasKeys

Sign = Callable[[bytes, HashAlgorithm | None], bytes]


def private_key(
    host: HasKeys, number: int, *, before: Callable[[], None] = lambda: None
) -> "CardPrivateKey | CardEcPrivateKey":
    """Returns a card's key in the shape of `cryptography`. before: called just before each signature."""
    key = host.public_key(number)

    def sign(data: bytes, algorithm: HashAlgorithm | None) -> bytes:
        before()
        return host.sign(number, data, algorithm)

    return CardPrivateKey(key, sign) if isinstance(key, RSAPublicKey) else CardEcPrivateKey(key, sign)


class CardPrivateKey(RSAPrivateKey):
    """Signs with PKCS#1 v1.5, as long as the card's PIN is verified. The numbers themselves never leave the card."""

    def __init__(self, public_key: RSAPublicKey, sign: Sign) -> None:
        self._public_key = public_key
        self._sign = sign

    @property
    def key_size(self) -> int:
        return self._public_key.key_size

    def public_key(self) -> RSAPublicKey:
        return self._public_key

    def sign(self, data: bytes, padding: AsymmetricPadding, algorithm: Any) -> bytes:
        """UnsupportedAlgorithm for another padding, and for a digest instead of a hash."""
        if not isinstance(padding, PKCS1v15):
            raise UnsupportedAlgorithm("a key of the card signs with PKCS#1 v1.5 only")
        if isinstance(algorithm, NoDigestInfo):
            return self._sign(bytes(data), None)
        if not isinstance(algorithm, HashAlgorithm):
            raise UnsupportedAlgorithm("a key of the card wants the data, not their digest")
        return self._sign(bytes(data), algorithm)

    def decrypt(self, ciphertext: bytes, padding: AsymmetricPadding) -> bytes:
        raise UnsupportedAlgorithm("a key of the card is here to sign")

    def private_numbers(self) -> RSAPrivateNumbers:
        self._refuse()

    def private_bytes(self, encoding: Any, format: Any, encryption_algorithm: Any) -> bytes:  # noqa: A002
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise UnsupportedCard("a private key does not leave the card")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[Any, Any]) -> Self:
        return self


class CardEcPrivateKey(EllipticCurvePrivateKey):
    """Signs with ECDSA, as long as the card's PIN is verified."""

    def __init__(self, public_key: EllipticCurvePublicKey, sign: Sign) -> None:
        self._public_key = public_key
        self._sign = sign

    @property
    def curve(self) -> EllipticCurve:
        return self._public_key.curve

    @property
    def key_size(self) -> int:
        return self._public_key.key_size

    def public_key(self) -> EllipticCurvePublicKey:
        return self._public_key

    def sign(self, data: Any, signature_algorithm: EllipticCurveSignatureAlgorithm) -> bytes:
        """UnsupportedAlgorithm for a digest instead of a hash."""
        if not isinstance(signature_algorithm, ECDSA) or not isinstance(signature_algorithm.algorithm, HashAlgorithm):
            raise UnsupportedAlgorithm("a key of the card wants the data, not their digest")
        return self._sign(bytes(data), signature_algorithm.algorithm)

    def exchange(self, algorithm: ECDH, peer_public_key: EllipticCurvePublicKey) -> bytes:
        raise UnsupportedAlgorithm("a key of the card is here to sign")

    def private_numbers(self) -> EllipticCurvePrivateNumbers:
        self._refuse()

    def private_bytes(self, encoding: Any, format: Any, encryption_algorithm: Any) -> bytes:  # noqa: A002
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise UnsupportedCard("a private key does not leave the card")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[Any, Any]) -> Self:
        return self
