"""The two worlds a card can live in (`card_os.env.Env`).

`SystemEnv` is the one for everybody: randomness and keys that nobody can guess. `SeededEnv` must be asked for: it makes
a whole run, keys included, reproducible byte for byte, so that a failing test can be run again. Nothing it makes is
secret.
"""

import hashlib
import secrets
from itertools import compress

from cryptography.hazmat.primitives.asymmetric import rsa

from card_os.key import PrivateKey, generate
from card_os.key_kind import KeyKind
from card_os.rsa import RsaPrivateKey
from vsc.finger import Finger
from vsc.interruptible import interruptible

PUBLIC_EXPONENT = 65_537
_WITNESSES = 16


class _World:
    """What both have in common: every kind of key, and a finger, which is there at once unless somebody says more."""

    def __init__(self) -> None:
        self.finger = Finger()

    def random_bytes(self, count: int) -> bytes:
        raise NotImplementedError

    def rsa_key(self, bits: int) -> RsaPrivateKey:
        raise NotImplementedError

    def key(self, kind: KeyKind) -> PrivateKey:
        return generate(kind, self.random_bytes, self.rsa_key)

    def touched(self, within_s: float = 0.0) -> bool:
        return self.finger.touches(within_s)


class SystemEnv(_World):
    """The system's secure randomness, and `cryptography`'s RSA key generation."""

    def random_bytes(self, count: int) -> bytes:
        return secrets.token_bytes(count)

    def rsa_key(self, bits: int) -> RsaPrivateKey:
        return RsaPrivateKey.from_library(interruptible(lambda: rsa.generate_private_key(PUBLIC_EXPONENT, bits)))


class SeededEnv(_World):
    """Everything follows from `seed`: for tests only.

    Keys are real RSA keys, found by trial among seeded numbers: about 0.3 s for 2048 bits, several seconds for 4096.
    """

    def __init__(self, seed: int | str | bytes) -> None:
        super().__init__()
        raw = seed if isinstance(seed, bytes) else str(seed).encode()
        self._key = hashlib.sha256(b"vsc seeded env" + raw).digest()
        self._counter = 0

    def random_bytes(self, count: int) -> bytes:
        self._counter += 1
        return hashlib.shake_256(self._key + self._counter.to_bytes(8, "big")).digest(count)

    def rsa_key(self, bits: int) -> RsaPrivateKey:
        while True:  # Nearly every second draw is good.
            p, q = self._prime(bits // 2), self._prime(bits // 2)
            if p != q and (p * q).bit_length() == bits:
                break
        d = pow(PUBLIC_EXPONENT, -1, (p - 1) * (q - 1))
        return RsaPrivateKey(p * q, PUBLIC_EXPONENT, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))

    def _prime(self, bits: int) -> int:
        # The two top bits are set so that a product of two primes has its full length.
        top = 0b11 << (bits - 2)
        while True:  # One of some hundred numbers of that size is prime.
            candidate = int.from_bytes(self.random_bytes(bits // 8), "big") | top | 1
            if candidate % PUBLIC_EXPONENT != 1 and self._is_prime(candidate):
                return candidate

    def _is_prime(self, n: int) -> bool:
        """Trial division, then Miller-Rabin with witnesses from the seed."""
        if any(n % small == 0 for small in _SMALL_PRIMES):
            return False
        twos = (n - 1 & 1 - n).bit_length() - 1
        odd = (n - 1) >> twos
        for _ in range(_WITNESSES):
            x = pow(int.from_bytes(self.random_bytes(8), "big") | 2, odd, n)
            if x in (1, n - 1):
                continue
            for _ in range(twos - 1):
                x = x * x % n
                if x == n - 1:
                    break
            else:
                return False
        return True


def _primes_below(limit: int) -> list[int]:
    sieve = bytearray([1]) * limit
    sieve[:2] = b"\x00\x00"
    for number in range(2, int(limit**0.5) + 1):
        if sieve[number]:
            sieve[number * number :: number] = bytes(len(range(number * number, limit, number)))
    return list(compress(range(limit), sieve))


_SMALL_PRIMES = _primes_below(2000)
