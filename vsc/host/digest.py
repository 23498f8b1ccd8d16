"""Hashing before a signature, and what PKCS#1 v1.5 puts around it (RFC 8017 sections 8.2, 9.2 and 7.2)."""

import hashlib

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import HashAlgorithm

from card_os.tlv import Tlv, join
from vsc.errors import VscError

MIN_PADDING_BYTES = 11
"""Two bytes before, eight of filling, one after."""

# AlgorithmIdentifiers of DigestInfo (RFC 8017, section 9.2 note 1): the OID, then NULL.
_OIDS = {
    "sha1": "2B0E03021A",
    "sha224": "608648016503040204",
    "sha256": "608648016503040201",
    "sha384": "608648016503040202",
    "sha512": "608648016503040203",
}


def digest(data: bytes, algorithm: HashAlgorithm | str) -> tuple[str, bytes]:
    """The name and the hash. algorithm: sha1, sha224, sha256, sha384 or sha512; else UnsupportedAlgorithm."""
    name = (algorithm if isinstance(algorithm, str) else algorithm.name).lower().replace("-", "")
    if name not in _OIDS:
        raise UnsupportedAlgorithm(f"{name} is no hash for PKCS#1 v1.5 here; there is: {', '.join(_OIDS)}")
    return name, hashlib.new(name, data, usedforsecurity=False).digest()


def digest_info(data: bytes, algorithm: HashAlgorithm | str) -> bytes:
    """Hashes data and wraps the digest for PKCS#1 v1.5."""
    name, value = digest(data, algorithm)
    identifier = Tlv(0x30, join([Tlv(0x06, bytes.fromhex(_OIDS[name])), Tlv(0x05)]))
    return bytes(Tlv(0x30, join([identifier, Tlv(0x04, value)])))


def signature_block(block: bytes, size: int) -> bytes:
    """Fills up what is signed to the size of the key in bytes (EMSA-PKCS1-v1_5). ValueError if it is too long."""
    if len(block) > size - MIN_PADDING_BYTES:
        raise ValueError(f"a key of {8 * size} bits signs at most {size - MIN_PADDING_BYTES} bytes")
    return b"\x00\x01" + b"\xff" * (size - 3 - len(block)) + b"\x00" + block


def unpadded_message(block: bytes) -> bytes:
    """What was encrypted (EME-PKCS1-v1_5). VscError if the block is none of that form."""
    end = block.find(b"\x00", 2)
    if block[:2] != b"\x00\x02" or end < MIN_PADDING_BYTES - 1:
        raise VscError("what the key deciphers has no padding of PKCS#1 v1.5")
    return block[end + 1 :]
