"""Deciphering with a password: PKCS#12's own way (RFC 7292, appendix B), PBES1 and PBES2 (RFC 8018), and the MACs.

`cryptography` reads whole files only, and of a PFX one key; here what is in between is read. All ciphers but RC2 are
the library's.
"""

import hashlib
import hmac
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4, TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.padding import PKCS7

from vsc.errors import UnsupportedFeature
from vsc.filling import rc2
from vsc.filling.ber import BerError, Element, Type
from vsc.filling.bounds import MAX_SCRYPT_BYTES, Budget

_KEY, _IV, _MAC = 1, 2, 3

_DIGESTS = {
    "1.2.840.113549.2.5": "md5",
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "2.16.840.1.101.3.4.2.4": "sha224",
    "1.2.840.113549.2.7": "sha1",
    "1.2.840.113549.2.8": "sha224",
    "1.2.840.113549.2.9": "sha256",
    "1.2.840.113549.2.10": "sha384",
    "1.2.840.113549.2.11": "sha512",
}
"""Hashes, and the HMACs with them."""
_PBES2 = "1.2.840.113549.1.5.13"
_PBMAC1 = "1.2.840.113549.1.5.14"
_PBKDF2 = "1.2.840.113549.1.5.12"
_SCRYPT = "1.3.6.1.4.1.11591.4.11"


@dataclass(frozen=True, slots=True, repr=False)
class Password:
    """One way to spell a password: `raw` for PBES2, `bmp` for PKCS#12's own way, which wants UTF-16 and a zero."""

    raw: bytes
    bmp: bytes


def spellings(password: bytes | None) -> tuple[Password, ...]:
    """Returns the ways to spell a password; none for one that cannot be.

    Programs differ on what no password is, and on letters that are not ASCII.
    """
    if not password:
        return Password(b"", b"\x00\x00"), Password(b"", b"")
    if b"\x00" in password:
        return ()  # Nobody can have typed it; and to HMAC one at the end is as if it were not there.
    texts = [password.decode("latin-1")]
    with suppress(UnicodeDecodeError):
        texts.insert(0, password.decode())
    return tuple(Password(password, f"{text}\0".encode("utf-16-be")) for text in dict.fromkeys(texts))


# --- ciphers: of key, IV and data the plain text, the padding taken off


def _cbc(algorithm: Callable[[bytes], AES | TripleDES]) -> Callable[[bytes, bytes, bytes], bytes]:
    def decipher(key: bytes, iv: bytes, data: bytes) -> bytes:
        cipher = algorithm(key)
        decryptor = Cipher(cipher, modes.CBC(iv)).decryptor()
        unpadder = PKCS7(cipher.block_size).unpadder()
        return unpadder.update(decryptor.update(data) + decryptor.finalize()) + unpadder.finalize()

    return decipher


def _rc4(key: bytes, _: bytes, data: bytes) -> bytes:
    return Cipher(ARC4(key), None).decryptor().update(data)


def _two_key_3des(key: bytes) -> TripleDES:
    return TripleDES(key + key[:8])


def _des(key: bytes) -> TripleDES:
    return TripleDES(3 * key)


# PKCS#12's own schemes: bytes of the key, of the IV, the cipher.
_PKCS12 = {
    "1.2.840.113549.1.12.1.1": (16, 0, _rc4),
    "1.2.840.113549.1.12.1.2": (5, 0, _rc4),
    "1.2.840.113549.1.12.1.3": (24, 8, _cbc(TripleDES)),
    "1.2.840.113549.1.12.1.4": (16, 8, _cbc(_two_key_3des)),
    "1.2.840.113549.1.12.1.5": (16, 8, rc2.decipher),
    "1.2.840.113549.1.12.1.6": (5, 8, rc2.decipher),
}
# PBES1 with DES: the hash of its key derivation.
_PBES1 = {"1.2.840.113549.1.5.3": "md5", "1.2.840.113549.1.5.10": "sha1"}
# What PBES2 deciphers with: bytes of the key, the cipher.
_CIPHERS = {
    "2.16.840.1.101.3.4.1.2": (16, _cbc(AES)),
    "2.16.840.1.101.3.4.1.22": (24, _cbc(AES)),
    "2.16.840.1.101.3.4.1.42": (32, _cbc(AES)),
    "1.2.840.113549.3.7": (24, _cbc(TripleDES)),
}
# OpenSSL's names in the header of an encrypted PEM file: bytes of the key, the cipher.
_PEM_CIPHERS = {
    "AES-128-CBC": (16, _cbc(AES)),
    "AES-192-CBC": (24, _cbc(AES)),
    "AES-256-CBC": (32, _cbc(AES)),
    "DES-EDE3-CBC": (24, _cbc(TripleDES)),
    "DES-CBC": (8, _cbc(_des)),
}


def decipher(algorithm: Element, password: Password, data: bytes, budget: Budget) -> bytes:
    """Deciphers what an AlgorithmIdentifier says. budget: of the file.

    ValueError: a wrong password, or damage; UnsupportedFeature; MaterialError: it asks for too much.
    """
    name, parameters = _algorithm(algorithm)
    if name == _PBES2:
        derivation, scheme = parameters.sequence(2)[:2]
        cipher, vector = _algorithm(scheme)
        if cipher not in _CIPHERS:
            raise UnsupportedFeature(f"the cipher {cipher} is not supported")
        size, run = _CIPHERS[cipher]
        return run(_derived(derivation, password.raw, size, budget), vector.octets(Type.OCTET_STRING), data)
    salt, iterations = _salt_and_iterations(parameters) if name in _PKCS12 or name in _PBES1 else (b"", 1)
    if name in _PKCS12:
        key_bytes, iv_bytes, run = _PKCS12[name]
        key, iv = (
            _pkcs12_key(password.bmp, salt, purpose, budget.iterations(iterations), size, "sha1")
            for purpose, size in ((_KEY, key_bytes), (_IV, iv_bytes))
        )
        return run(key, iv, data)
    if name in _PBES1:
        digest = password.raw + salt
        for _ in range(budget.iterations(iterations)):
            digest = hashlib.new(_PBES1[name], digest, usedforsecurity=False).digest()
        return _cbc(_des)(digest[:8], digest[8:16], data)
    raise UnsupportedFeature(f"encryption with {name} is not supported")


def decipher_pem(cipher: str, iv: bytes, password: bytes, data: bytes) -> bytes:
    """Deciphers what a PEM file with `DEK-Info: cipher,iv` holds. ValueError, UnsupportedFeature.

    The key is OpenSSL's EVP_BytesToKey: MD5, once, over the hash before, password and the IV's first 8 bytes.
    """
    if cipher not in _PEM_CIPHERS:
        raise UnsupportedFeature(f"the cipher {cipher} is not supported")
    size, run = _PEM_CIPHERS[cipher]
    key = digest = b""
    while len(key) < size:
        digest = hashlib.md5(digest + password + iv[:8], usedforsecurity=False).digest()
        key += digest
    return run(key[:size], iv, data)


def mac_is_right(mac_data: Element, password: Password, data: bytes, budget: Budget) -> bool:
    """Compares the MAC of a PFX: PKCS#12's own way, or PBMAC1 (RFC 9579). UnsupportedFeature."""
    info = mac_data.sequence(1)[0]
    algorithm, expected = info.sequence(2)[:2]
    name, parameters = _algorithm(algorithm)
    if name == _PBMAC1:
        derivation, scheme = parameters.sequence(2)[:2]
        digest = _digest(_algorithm(scheme)[0])
        key = _derived(derivation, password.raw, None, budget)
    else:
        digest = _digest(name)
        salt, iterations = _salt_and_iterations(mac_data, skip=1)
        size = hashlib.new(digest, usedforsecurity=False).digest_size
        key = _pkcs12_key(password.bmp, salt, _MAC, budget.iterations(iterations), size, digest)
    return hmac.compare_digest(hmac.digest(key, data, digest), expected.octets())


# --- keys of passwords


def _derived(algorithm: Element, password: bytes, size: int | None, budget: Budget) -> bytes:
    """PBKDF2 or scrypt. size: None for what the parameters say."""
    name, parameters = _algorithm(algorithm)
    salt, *rest = parameters.sequence(2)
    if name == _SCRYPT:
        n, r, p = (one.number() for one in parameters.sequence(4)[1:4])
        budget.scrypt(n, r, p)
        return hashlib.scrypt(
            password, salt=salt.octets(), n=n, r=r, p=p, dklen=size or 32, maxmem=2 * MAX_SCRYPT_BYTES
        )
    if name != _PBKDF2:
        raise UnsupportedFeature(f"key derivation with {name} is not supported")
    iterations = budget.iterations(rest[0].number())
    length = next((one.number() for one in rest[1:] if one.tag == Type.INTEGER), None)
    digest = next((_digest(_algorithm(one)[0]) for one in rest[1:] if one.tag == Type.SEQUENCE), "sha1")
    wanted = length if size is None else size
    if wanted is None or not 1 <= wanted <= 64:
        raise BerError("no length of the key")
    return hashlib.pbkdf2_hmac(digest, password, salt.octets(), iterations, wanted)


def _pkcs12_key(password: bytes, salt: bytes, purpose: int, iterations: int, size: int, digest: str) -> bytes:
    """RFC 7292, appendix B.2. purpose: 1 for a key, 2 for an IV, 3 for a MAC."""
    block = hashlib.new(digest, usedforsecurity=False).block_size
    filled = bytearray(_filled(salt, block) + _filled(password, block))
    found = b""
    while len(found) < size:
        piece = bytes([purpose]) * block + filled
        for _ in range(iterations):
            piece = hashlib.new(digest, piece, usedforsecurity=False).digest()
        found += piece
        added = int.from_bytes(_filled(piece, block), "big") + 1
        for at in range(0, len(filled), block):
            total = int.from_bytes(filled[at : at + block], "big") + added
            filled[at : at + block] = (total % (1 << 8 * block)).to_bytes(block, "big")
    return found[:size]


def _filled(text: bytes, block: int) -> bytes:
    """Repeats a text up to whole blocks."""
    size = (len(text) + block - 1) // block * block
    return (text * (size // len(text) + 1))[:size] if text else b""


# --- parameters


def _algorithm(element: Element) -> tuple[str, Element]:
    """An AlgorithmIdentifier: its name, and its parameters, or itself where it has none."""
    found = element.sequence(1)
    return found[0].oid(), found[1] if len(found) > 1 else element


def _salt_and_iterations(parameters: Element, *, skip: int = 0) -> tuple[bytes, int]:
    salt, *rest = parameters.sequence(skip + 1)[skip:]
    return salt.octets(Type.OCTET_STRING), rest[0].number() if rest else 1


def _digest(name: str) -> str:
    if name not in _DIGESTS:
        raise UnsupportedFeature(f"the hash {name} is not supported")
    return _DIGESTS[name]
