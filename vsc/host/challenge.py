"""The host's half of challenge and response with the admin key.

    response = calculate_response(challenge, admin_key)

3DES-EDE in CBC mode, IV of zeros, three keys (24 bytes), no padding, whole blocks of 8 bytes (winrt-smartcards.md 3.1).
The same function serves both forms (gids.md 5.5 and 5.6): in the short one the challenge is the card's 8 bytes, in the
mutual one it is the 40 bytes that this side has put together of both sides' random numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass

from construct import Bytes, Const, Struct
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.constant_time import bytes_eq

from card_os.wire import Format, WireError

KEY_BYTES = 24
BLOCK_BYTES = 8
RANDOM_BYTES = 16
SECRET_BYTES = 7
"""Sizes of R1 and R2, and of Z1 and Z2."""

CRYPTOGRAM = Format(
    Struct(
        "first" / Bytes(RANDOM_BYTES), "second" / Bytes(RANDOM_BYTES), "secret" / Bytes(SECRET_BYTES), Const(b"\x80")
    )
)
"""What is encrypted in the mutual form, 40 bytes: the other side's random number stands first (gids.md 5.5)."""

BytesLike = bytes | bytearray | memoryview

Responder = Callable[[bytes], bytes]
"""Takes a challenge, returns the response; it may ask a server far away, which has the key."""


def calculate_response(challenge: BytesLike, admin_key: BytesLike) -> bytes:
    """Encrypts a challenge with the admin key; the response is as long as the challenge.

    challenge: one or more blocks of 8 bytes; admin_key: 24 bytes. TypeError for something that is no bytes, ValueError
    for another length; both name the argument.
    """
    text = _buffer(challenge, "challenge")
    key = checked_key(admin_key, "admin_key")
    if not text or len(text) % BLOCK_BYTES:
        raise ValueError(f"challenge: whole blocks of {BLOCK_BYTES} bytes are expected, not {len(text)} bytes")
    encryptor = _cipher(key).encryptor()
    return encryptor.update(text) + encryptor.finalize()


def key_check_value(key: bytes) -> bytes:
    """The first three bytes of eight zeros, encrypted (GIDS section 12.12, tag 88)."""
    return calculate_response(bytes(BLOCK_BYTES), key)[:3]


def _cipher(key: bytes) -> Cipher[modes.CBC]:
    return Cipher(TripleDES(key), modes.CBC(bytes(BLOCK_BYTES)))


def checked_key(admin_key: BytesLike, name: str = "admin key") -> bytes:
    """Returns the 24 bytes of a key; TypeError or ValueError, with that name, for anything else."""
    key = _buffer(admin_key, name)
    if len(key) != KEY_BYTES:
        raise ValueError(f"{name}: {KEY_BYTES} bytes are expected, not {len(key)}")
    return key


def _buffer(value: object, name: str) -> bytes:
    if not isinstance(value, bytes | bytearray | memoryview):
        raise TypeError(f"{name}: bytes are expected, not {type(value).__name__}")
    return bytes(value)


@dataclass(frozen=True, slots=True, repr=False)
class AdminKeyResponder:
    """Answers challenges with a key that is at hand; checks the card's own answer, too, which a server cannot."""

    admin_key: bytes

    def __post_init__(self) -> None:
        checked_key(self.admin_key)

    def __call__(self, challenge: bytes) -> bytes:
        return calculate_response(challenge, self.admin_key)

    def __repr__(self) -> str:
        return "AdminKeyResponder(…)"

    def proves(self, challenge: "MutualChallenge", cryptogram: bytes) -> bool:
        """Tells whether the card's answer was made with the same key: E(R1 R2 Z2 80)."""
        if len(cryptogram) != len(challenge.plain):
            return False
        decryptor = _cipher(self.admin_key).decryptor()
        try:
            c = CRYPTOGRAM.parse(decryptor.update(cryptogram) + decryptor.finalize())
        except WireError:
            return False
        return bytes_eq(c.first + c.second, challenge.host + challenge.card)


@dataclass(frozen=True, slots=True)
class MutualChallenge:
    """An open challenge of the mutual form: R1 (host), R2 (card) and Z1 (secret)."""

    host: bytes
    card: bytes
    secret: bytes

    @property
    def plain(self) -> bytes:
        """What the holder of the key encrypts: R2 R1 Z1 80, 40 bytes."""
        return CRYPTOGRAM.build({"first": self.card, "second": self.host, "secret": self.secret})
