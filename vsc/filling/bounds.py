"""What a file with keys may cost. Whoever makes it chooses how often its password is hashed, up to 2^31 - 1 times,
and how large the numbers of a key are, whose primes the library then tries; both can take hours.

A `Budget` counts the work of one file, for whoever derives keys of a password.
"""

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from vsc.errors import MaterialError, UnsupportedFeature

MAX_ITERATIONS = 5_000_000
"""In all of one file. Seconds; programs that write keys use thousands, a few of them a million."""
MAX_SCRYPT_BYTES = 256 << 20
"""128 N r p: scrypt's memory, times how often it goes through it (RFC 7914, section 2)."""
_HASHES_BY_SCRYPT = 1024
"""Bytes that scrypt fills in the time of one iteration, roughly: so both draw on one budget."""

_HASHES_BY_BCRYPT = 16_384
"""The same of a round of OpenSSH's derivation."""
MAX_RSA_BITS = 16_384
"""OpenSSL's own bound. Larger numbers are not looked at."""


class Budget:
    """Counts the work of one file. MaterialError, at once, when it asks for more than is allowed in all.

    what: names the file, as in "PFX file".
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._left = MAX_ITERATIONS

    def iterations(self, count: int) -> int:
        """Takes off one derivation, PBKDF2 or an older one; returns the count."""
        if count < 1:
            raise MaterialError(f"the {self._what} is damaged: its password would be hashed {count} times")
        self._spend(count, f"to have its password hashed {count} times")
        return count

    def scrypt(self, n: int, r: int, p: int) -> None:
        """Takes off one derivation by scrypt."""
        size = 128 * n * r * p
        if min(n, r, p) < 1:
            raise MaterialError(f"the {self._what} is damaged: scrypt with N {n}, r {r}, p {p}")
        if size > MAX_SCRYPT_BYTES:
            raise MaterialError(f"the {self._what} asks for {size >> 20} MiB of scrypt: more than is allowed")
        self._spend(size // _HASHES_BY_SCRYPT, "for more scrypt")

    def bcrypt(self, rounds: int) -> None:
        """Takes off one derivation of OpenSSH's format."""
        self._spend(rounds * _HASHES_BY_BCRYPT, f"for {rounds} rounds of bcrypt")

    def _spend(self, count: int, words: str) -> None:
        self._left -= count
        if self._left < 0:
            raise MaterialError(
                f"the {self._what} asks {words}: more than is allowed, {MAX_ITERATIONS} times in the whole file"
            )


def validated(key: RSAPrivateKey, *, what: str) -> RSAPrivateKey:
    """Returns a key that was read without validation (`unsafe_skip_rsa_key_validation`), validated.

    ValueError from the library if it is no key, UnsupportedFeature for one that is too large. Only what could be one
    gets there: it tries numbers for primes.
    """
    if key.key_size > MAX_RSA_BITS:
        raise UnsupportedFeature(f"an RSA key of {key.key_size} bits: {MAX_RSA_BITS} is the most that is read")
    numbers = key.private_numbers()
    secret = (numbers.p, numbers.q, numbers.d, numbers.dmp1, numbers.dmq1, numbers.iqmp, numbers.public_numbers.e)
    if max(one.bit_length() for one in secret) > key.key_size:
        raise MaterialError(f"the {what} is damaged: a number of the key is larger than its modulus")
    return numbers.private_key()
