"""Keys of curve 25519: Ed25519, which signs whole messages (RFC 8032), and X25519, which agrees on secrets (RFC 7748).

Both private keys are any 32 bytes, and both public keys are 32 bytes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey as _LibraryEd25519
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey as _LibraryX25519
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from card_os.kept_key import KeepsLibraryKey
from card_os.key_kind import KeyKind
from card_os.secret import Secret
from card_os.sw import SW, CardError

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Ed25519PrivateKey(KeepsLibraryKey[_LibraryEd25519]):
    """The 32 bytes that RFC 8032 section 5.1.5 calls the private key; ValueError for another length."""

    seed: Secret
    kind: ClassVar[KeyKind] = KeyKind.ED25519

    def __post_init__(self) -> None:
        _check_length(self.seed)

    @classmethod
    def generate(cls, random_bytes: Callable[[int], bytes]) -> "Ed25519PrivateKey":
        return cls(Secret(random_bytes(KEY_BYTES)))

    @classmethod
    def from_library(cls, key: _LibraryEd25519) -> "Ed25519PrivateKey":
        return cls(Secret(key.private_bytes_raw()))

    def __bytes__(self) -> bytes:
        return self.seed.reveal()

    def library_key(self) -> _LibraryEd25519:
        return self._kept(lambda: _LibraryEd25519.from_private_bytes(self.seed.reveal()))

    @property
    def point(self) -> bytes:
        """The public key, 32 bytes."""
        return self.library_key().public_key().public_bytes_raw()


@dataclass(frozen=True, slots=True)
class X25519PrivateKey(KeepsLibraryKey[_LibraryX25519]):
    """The 32 bytes of a scalar, little-endian, before clamping (RFC 7748 section 5); ValueError for another length."""

    scalar: Secret
    kind: ClassVar[KeyKind] = KeyKind.X25519

    def __post_init__(self) -> None:
        _check_length(self.scalar)

    @classmethod
    def generate(cls, random_bytes: Callable[[int], bytes]) -> "X25519PrivateKey":
        return cls(Secret(random_bytes(KEY_BYTES)))

    @classmethod
    def from_library(cls, key: _LibraryX25519) -> "X25519PrivateKey":
        return cls(Secret(key.private_bytes_raw()))

    def __bytes__(self) -> bytes:
        return self.scalar.reveal()

    def library_key(self) -> _LibraryX25519:
        return self._kept(lambda: _LibraryX25519.from_private_bytes(self.scalar.reveal()))

    @property
    def point(self) -> bytes:
        """The public key: the u coordinate, 32 bytes, little-endian."""
        return self.library_key().public_key().public_bytes_raw()


def sign(key: Ed25519PrivateKey, message: bytes) -> bytes:
    """Pure EdDSA over a whole message; 64 bytes."""
    return key.library_key().sign(message)


def agree(key: X25519PrivateKey, point: bytes) -> bytes:
    """X25519 with the other's u coordinate; 6A80 for another length, and where the secret would be all zero."""
    if len(point) != KEY_BYTES:
        raise CardError(SW.WRONG_DATA, f"a public key of X25519 has {KEY_BYTES} bytes")
    try:
        return key.library_key().exchange(X25519PublicKey.from_public_bytes(point))
    except ValueError:
        # A point of small order: anybody would know the secret (RFC 7748 section 6.1).
        raise CardError(SW.WRONG_DATA, "a point of small order") from None


def _check_length(value: Secret) -> None:
    if len(value) != KEY_BYTES:
        raise ValueError(f"a private key of curve 25519 has {KEY_BYTES} bytes")
