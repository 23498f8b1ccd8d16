"""RSA on the card: signatures, deciphering, and the one raw private operation.

`cryptography` has no unpadded private operation, on purpose. PKCS#1 v1.5 over any DigestInfo goes through the
library; so does a raw block that is already PKCS#1 type 1 padded, because it gives the same bytes. What is left is
`raw`, a blinded CRT computation whose result is checked against the public key before it leaves.

Deciphering unpads here and refuses a wrong padding (6A80): the library's implicit rejection would answer random
bytes instead of an error, which is right for TLS and wrong for a card whose host waits for a status word.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from math import gcd

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey as _LibraryKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateNumbers, RSAPublicNumbers
from cryptography.hazmat.primitives.asymmetric.utils import NoDigestInfo
from cryptography.hazmat.primitives.hashes import SHA1

from card_os.kept_key import KeepsLibraryKey
from card_os.key_kind import KeyKind
from card_os.sw import SW, CardError
from card_os.tlv import Tlv, join, parse_all
from card_os.wire import WireError

RSA_BITS = {KeyKind.RSA_1024: 1024, KeyKind.RSA_2048: 2048, KeyKind.RSA_3072: 3072, KeyKind.RSA_4096: 4096}
"""The kinds of RSA keys, and how long their moduli are, bits."""
KEY_BITS = tuple(RSA_BITS.values())
MIN_PADDING_BYTES = 11

RandomBytes = Callable[[int], bytes]


@dataclass(frozen=True, slots=True, repr=False)
class RsaPrivateKey(KeepsLibraryKey[_LibraryKey]):
    """A private key with its CRT values, as whole numbers."""

    n: int
    e: int
    d: int
    p: int
    q: int
    dp: int
    dq: int
    qinv: int

    def __repr__(self) -> str:
        return f"RsaPrivateKey({self.bits} bits)"

    @property
    def bits(self) -> int:
        return self.n.bit_length()

    @property
    def kind(self) -> KeyKind:
        """ValueError for a size that KEY_BITS does not have."""
        return KeyKind(f"RSA-{self.bits}")

    @property
    def block_bytes(self) -> int:
        return (self.bits + 7) // 8

    @classmethod
    def from_library(cls, key: _LibraryKey) -> "RsaPrivateKey":
        """Takes the numbers out of a key that `cryptography` made."""
        c = key.private_numbers()
        return cls(c.public_numbers.n, c.public_numbers.e, c.d, c.p, c.q, c.dmp1, c.dmq1, c.iqmp)

    @classmethod
    def from_primes(cls, p: int, q: int, e: int = 65_537) -> "RsaPrivateKey":
        """Makes a key of its two primes; ValueError where there is none."""
        if p == q or min(p, q) < 3:
            raise ValueError("two different primes are expected")
        n, phi = p * q, (p - 1) * (q - 1)
        d = pow(e, -1, phi)
        key = cls(n, e, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))
        key.library_key(check=True)
        return key

    def library_key(self, *, check: bool = False) -> _LibraryKey:
        """Returns the same key for `cryptography`; with `check`, ValueError if the numbers do not belong together."""
        # The check takes 0.05 to 0.3 s, so it is made once, when a key is imported.
        return self._checked_library_key(True) if check else self._kept(self._checked_library_key)

    def _checked_library_key(self, check: bool = False) -> _LibraryKey:
        numbers = RSAPrivateNumbers(
            self.p, self.q, self.d, self.dp, self.dq, self.qinv, RSAPublicNumbers(self.e, self.n)
        )
        return numbers.private_key(unsafe_skip_rsa_key_validation=not check)

    @classmethod
    def parse(cls, raw: bytes, *, check: bool = True) -> "RsaPrivateKey":
        """Reads an RSAPrivateKey (RFC 8017 A.1.2), every INTEGER as unsigned; WireError if it is not one.

        Unsigned, because OpenSC leaves out the leading 00 (measured). p and q may stand in any order. With
        `check` the numbers must belong together: a key that comes from a host is not trusted.
        """
        try:
            outer, rest = Tlv.parse_head(raw)
            integers = parse_all(outer.value)
        except WireError:
            # What is wrong in particular would tell of the key.
            raise WireError("not an RSAPrivateKey") from None
        if rest or outer.tag != 0x30 or len(integers) != 9 or any(one.tag != 0x02 for one in integers):
            raise WireError("not an RSAPrivateKey")
        version, *numbers = (int.from_bytes(one.value, "big") for one in integers)
        if version != 0:
            raise WireError("only two-prime RSA keys are known")
        key = cls(*numbers)
        if key.bits not in KEY_BITS:
            raise WireError(f"RSA keys of {key.bits} bits are not supported")
        try:
            key.library_key(check=check)
        except ValueError:
            raise WireError("the numbers of this RSA key do not belong together") from None
        return key

    def __bytes__(self) -> bytes:
        numbers = [0, *(getattr(self, field.name) for field in fields(self))]
        integers = (Tlv(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big")) for number in numbers)
        return bytes(Tlv(0x30, join(integers)))


def sign_pkcs1(key: RsaPrivateKey, data: bytes) -> bytes:
    """PKCS#1 v1.5 type 1 signature over `data` as it is (a DigestInfo or not), up to k - 11 bytes; else 6700."""
    if len(data) > key.block_bytes - MIN_PADDING_BYTES:
        raise CardError(SW.WRONG_LENGTH, f"at most {key.block_bytes - MIN_PADDING_BYTES} bytes can be padded")
    return key.library_key().sign(data, padding.PKCS1v15(), NoDigestInfo())


def sign_raw(key: RsaPrivateKey, block: bytes, random_bytes: RandomBytes) -> bytes:
    """The private operation on a block of k bytes that the host has padded."""
    _check_block(key, block)
    head, separator, data = block[2:].partition(b"\x00")
    if block[:2] == b"\x00\x01" and separator and len(head) >= 8 and not head.strip(b"\xff"):
        return sign_pkcs1(key, data)
    return raw(key, block, random_bytes)


def raw(key: RsaPrivateKey, block: bytes, random_bytes: RandomBytes) -> bytes:
    """Blinded CRT: block ** d mod n, k bytes in and out. 6A80 if the block is not below the modulus."""
    _check_block(key, block)
    message = int.from_bytes(block, "big")
    if message >= key.n:
        raise CardError(SW.WRONG_DATA, "the block is not below the modulus")
    factor = _blinding_factor(key, random_bytes)
    blinded = message * pow(factor, key.e, key.n) % key.n
    m1 = pow(blinded % key.p, key.dp, key.p)
    m2 = pow(blinded % key.q, key.dq, key.q)
    result = (m2 + (m1 - m2) * key.qinv % key.p * key.q) * pow(factor, -1, key.n) % key.n
    # A fault in one half of the CRT would give the key away (Boneh, DeMillo, Lipton): nothing unchecked leaves.
    if pow(result, key.e, key.n) != message:
        raise CardError(SW.REFERENCE_DATA_NOT_USABLE, "the result does not match the public key")
    return result.to_bytes(key.block_bytes, "big")


def _blinding_factor(key: RsaPrivateKey, random_bytes: RandomBytes) -> int:
    while True:  # Nearly every number has no divisor in common with n.
        factor = int.from_bytes(random_bytes(key.block_bytes), "big") % key.n
        if factor > 1 and gcd(factor, key.n) == 1:
            return factor


def decipher_pkcs1(key: RsaPrivateKey, cryptogram: bytes, random_bytes: RandomBytes) -> bytes:
    """Deciphers and takes off PKCS#1 v1.5 type 2 padding; 6A80 if there is none."""
    block = raw(key, cryptogram, random_bytes)
    filler, separator, data = block[2:].partition(b"\x00")
    if block[:2] != b"\x00\x02" or not separator or len(filler) < 8:
        raise CardError(SW.WRONG_DATA, "the deciphered block has no PKCS#1 v1.5 padding")
    return data


def decipher_oaep(key: RsaPrivateKey, cryptogram: bytes) -> bytes:
    """Deciphers and takes off OAEP padding with SHA-1, MGF1-SHA-1 and an empty label; 6A80 if it is wrong."""
    _check_block(key, cryptogram)
    oaep = padding.OAEP(padding.MGF1(SHA1()), SHA1(), None)  # A card is not told which hash it is; hosts use this one.
    try:
        return key.library_key().decrypt(cryptogram, oaep)
    except ValueError:
        raise CardError(SW.WRONG_DATA, "the deciphered block has no OAEP padding") from None


def _check_block(key: RsaPrivateKey, block: bytes) -> None:
    if len(block) != key.block_bytes:
        raise CardError(SW.WRONG_LENGTH, f"{key.block_bytes} bytes wanted, {len(block)} came")
