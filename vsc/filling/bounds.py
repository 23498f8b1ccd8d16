"""What a file with keys may cost. Whoever makes it chooses how often its password is hashed, up to 2^31 - 1 times,
and how large the numbers of a key are, whose primes the library then tries; both can take hours.

A `Budget` counts the work of one file, for whoever derives keys of a password. Where a library does it, `check_file`
looks first: it walks through the DER and adds up what the file asks for, in time that grows with its size only. What
it cannot read it leaves to the library, which reads less.
"""

import binascii
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from vsc.errors import MaterialError

MAX_ITERATIONS = 5_000_000
"""In all of one file. Seconds; programs that write keys use thousands, a few of them a million."""
MAX_SCRYPT_BYTES = 256 << 20
"""128 N r p: scrypt's memory, times how often it goes through it (RFC 7914, section 2)."""
MAX_NESTING = 32
MAX_ELEMENTS = 50_000
"""Of a file in DER. A certificate has some hundred."""
_HASHES_BY_SCRYPT = 1024
"""Bytes that scrypt fills in the time of one iteration, roughly: so both draw on one budget."""

_CONSTRUCTED = 0x20
_BEGIN = b"-----BEGIN"
_PEM = re.compile(rb"-----BEGIN [^\n]*-----(.*?)-----END", re.DOTALL)
_PBKDF2 = bytes.fromhex("2a864886f70d01050c")
_SCRYPT = bytes.fromhex("2b06010401da47040b")
_PBES1 = bytes.fromhex("2a864886f70d0105")
_PKCS12_PBE = bytes.fromhex("2a864886f70d010c01")


class _Type(IntEnum):
    INTEGER = 0x02
    OCTETS = 0x04
    OID = 0x06
    SEQUENCE = 0x30


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

    def _spend(self, count: int, words: str) -> None:
        self._left -= count
        if self._left < 0:
            raise MaterialError(
                f"the {self._what} asks {words}: more than is allowed, {MAX_ITERATIONS} times in the whole file"
            )


def check_file(raw: bytes, *, what: str) -> None:
    """Adds up what a PKCS#8 file or a PFX in DER asks for; MaterialError if that, or its nesting, is too much.

    What lies encrypted in a PFX is not seen.
    """
    budget = Budget(what)
    for der in _from_pem(raw) if _BEGIN in raw else [raw]:
        for elements in _sequences(der, what):
            match elements:
                case [(_Type.OID, oid), (_Type.SEQUENCE, parameters)]:
                    _spend_algorithm(budget, oid, [value for _, value in _read(parameters) or ()])
                case [(_Type.SEQUENCE, _), (_Type.OCTETS, _), (_Type.INTEGER, count)]:  # MacData (RFC 7292, section 4)
                    budget.iterations(_number(count))


def validated(key: RSAPrivateKey, *, what: str) -> RSAPrivateKey:
    """Returns a key that was read without validation (`unsafe_skip_rsa_key_validation`), validated.

    ValueError from the library if it is no key. Only what could be one gets there: it tries numbers for primes.
    """
    numbers = key.private_numbers()
    secret = (numbers.p, numbers.q, numbers.d, numbers.dmp1, numbers.dmq1, numbers.iqmp, numbers.public_numbers.e)
    if max(one.bit_length() for one in secret) > key.key_size:
        raise MaterialError(f"the {what} is damaged: a number of the key is larger than its modulus")
    return numbers.private_key()


@dataclass(frozen=True, slots=True)
class _Part:
    raw: bytes
    nesting: int


def _from_pem(raw: bytes) -> Iterator[bytes]:
    for block in _PEM.findall(raw):
        body = b"".join(line for line in block.splitlines() if b":" not in line)  # Headers have one.
        with suppress(binascii.Error):
            yield binascii.a2b_base64(body)


def _sequences(raw: bytes, what: str) -> Iterator[list[tuple[int, bytes]]]:
    """The elements of every SEQUENCE, also of those that strings hold: a PFX is strings in strings."""
    parts, elements = [_Part(raw, 0)], 0
    while parts:  # Each part is shorter than the one it is of, so there is an end.
        part = parts.pop()
        for tag, value in _read(part.raw) or ():
            if not tag & _CONSTRUCTED and tag != _Type.OCTETS:
                continue
            if part.nesting == MAX_NESTING and tag & _CONSTRUCTED:
                raise MaterialError(f"the {what} is nested too deeply")
            inner = _read(value)
            elements += len(inner or ())
            if elements > MAX_ELEMENTS:
                raise MaterialError(f"the {what} has more than {MAX_ELEMENTS} parts")
            if tag == _Type.SEQUENCE and inner is not None:
                yield inner
            if inner is not None and part.nesting < MAX_NESTING:
                parts.append(_Part(value, part.nesting + 1))


def _spend_algorithm(budget: Budget, oid: bytes, parameters: list[bytes]) -> None:
    """Of an AlgorithmIdentifier, if it derives a key of a password (RFC 8018, RFC 7292, RFC 7914)."""
    if oid == _SCRYPT and len(parameters) >= 4:
        n, r, p = map(_number, parameters[1:4])
        budget.scrypt(n, r, p)
    elif len(parameters) >= 2 and (oid == _PBKDF2 or _is_old(oid)):
        budget.iterations(_number(parameters[1]))


def _is_old(oid: bytes) -> bool:
    """PBES1, 1 to 11 but for PBKDF2 itself, or PKCS#12's own."""
    return oid[:-1] == _PKCS12_PBE or (oid[:-1] == _PBES1 and oid[-1] <= 11)


def _number(value: bytes) -> int:
    return int.from_bytes(value, "big", signed=True)


def _read(raw: bytes) -> list[tuple[int, bytes]] | None:
    """Tags and values of data values that fill `raw`; None if they do not."""
    found, at = [], 0
    while at < len(raw):
        if len(raw) - at < 2 or raw[at] & 0x1F == 0x1F:
            return None
        tag, length, at = raw[at], raw[at + 1], at + 2
        if length & 0x80:
            count = length & 0x7F
            if not 1 <= count <= 4:
                return None
            length, at = int.from_bytes(raw[at : at + count], "big"), at + count
        if length > len(raw) - at:
            return None
        found.append((tag, raw[at : at + length]))
        at += length
    return found
