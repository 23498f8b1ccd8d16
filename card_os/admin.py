"""The administrator's key: 24 bytes of 3DES, proved by challenge and response, never sent.

Two forms (GIDS section 9.1 and 9.2, gids.md 5.5 and 5.6), E being 3DES-EDE in CBC with a zero IV and no padding of
its own:

    external    card: R (8)              host: E(R)
    mutual      host: R1 (16)            card: R2 (16)
                host: E(R2 R1 Z1 80)     card: E(R1 R2 Z2 80)      Z1, Z2: 7 random bytes

A challenge is good for one answer, right or wrong.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from construct import Bytes, Const, Struct
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.constant_time import bytes_eq

from card_os.env import Env
from card_os.secret import Secret
from card_os.sw import SW, CardError
from card_os.wire import Format

KEY_BYTES = 24
CHALLENGE_BYTES = 8
MUTUAL_CHALLENGE_BYTES = 16
CRYPTOGRAM_BYTES = 40
MAX_TRIES = 255

_ZERO_IV = bytes(8)

CRYPTOGRAM = Format(
    Struct("first" / Bytes(16), "second" / Bytes(16), "secret_part" / Bytes(7), "padding" / Const(b"\x80"))
)
"""The plaintext of a mutual authentication cryptogram, 40 bytes (gids.md 5.5)."""


def encrypt(key: bytes, data: bytes) -> bytes:
    """3DES-EDE-CBC, zero IV, no padding: `data` in whole blocks of 8 bytes, `key` 24 bytes; else ValueError."""
    encryptor = Cipher(TripleDES(_checked(key)), modes.CBC(_ZERO_IV)).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def decrypt(key: bytes, data: bytes) -> bytes:
    """The reverse of `encrypt`."""
    decryptor = Cipher(TripleDES(_checked(key)), modes.CBC(_ZERO_IV)).decryptor()
    return decryptor.update(data) + decryptor.finalize()


def _checked(key: bytes) -> bytes:
    if len(key) != KEY_BYTES:
        raise ValueError(f"an admin key has {KEY_BYTES} bytes")
    return key


def key_check_value(key: bytes) -> bytes:
    """The first three bytes of the encryption of eight zero bytes (GIDS section 12.12, tag 88)."""
    return encrypt(key, bytes(8))[:3]


@dataclass(frozen=True, slots=True)
class AdminKey:
    """The key and, where it was asked for, its try counter (`try_limit` None: unlimited tries)."""

    value: Secret
    try_limit: int | None = None
    tries_left: int = 0

    def __post_init__(self) -> None:
        _checked(self.value.reveal())
        if self.try_limit is None and self.tries_left:
            raise ValueError("a key without a limit counts no tries")
        if self.try_limit is not None and not (
            1 <= self.try_limit <= MAX_TRIES and 0 <= self.tries_left <= self.try_limit
        ):
            raise ValueError(f"a limited admin key has 1 to {MAX_TRIES} tries")

    @classmethod
    def new(cls, value: bytes, *, try_limit: int | None = None) -> "AdminKey":
        """Makes a key with all its tries."""
        return cls(Secret(value), try_limit, try_limit or 0)

    @property
    def is_blocked(self) -> bool:
        return self.try_limit is not None and self.tries_left == 0


@dataclass(frozen=True, slots=True)
class Challenge:
    """An open challenge: the card's random number and, in the mutual form, the host's."""

    key_id: int
    card: bytes
    host: bytes = b""

    @property
    def is_mutual(self) -> bool:
        return bool(self.host)


def check_not_blocked(key: AdminKey, *, subject: str) -> None:
    """Refuses a key without tries left: 6983."""
    if key.is_blocked:
        raise CardError(SW.AUTHENTICATION_METHOD_BLOCKED, "no tries left", subject=subject)


def authenticate(
    key: AdminKey, challenge: Challenge, response: bytes, env: Env, commit: Callable[[AdminKey], None], *, subject: str
) -> bytes:
    """Checks the host's answer to a challenge; returns the card's cryptogram (mutual form) or nothing.

    A limited key spends a try first. Raises 6983 if blocked, 6982 for a wrong answer of any length.
    """
    check_not_blocked(key, subject=subject)
    if key.try_limit is not None:
        commit(replace(key, tries_left=key.tries_left - 1))
    if not _is_right(key, challenge, response):
        raise CardError(SW.SECURITY_STATUS_NOT_SATISFIED, "wrong response to the challenge", subject=subject)
    if key.try_limit is not None:
        commit(replace(key, tries_left=key.try_limit))
    if not challenge.is_mutual:
        return b""
    plain = CRYPTOGRAM.build(
        {"first": challenge.host, "second": challenge.card, "secret_part": env.random_bytes(7), "padding": b"\x80"}
    )
    return encrypt(key.value.reveal(), plain)


def _is_right(key: AdminKey, challenge: Challenge, response: bytes) -> bool:
    value = key.value.reveal()
    if not challenge.is_mutual:
        return bytes_eq(encrypt(value, challenge.card), response)
    if len(response) != CRYPTOGRAM_BYTES:
        return False
    plain = decrypt(value, response)
    # Z1, bytes 32 to 38, is the host's free choice; all the rest is known.
    return bytes_eq(plain[:32] + plain[39:], challenge.card + challenge.host + b"\x80")
