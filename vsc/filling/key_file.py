"""Private keys in files of their own: PEM (PKCS#1, SEC1, PKCS#8), OpenSSH's format, DER; encrypted or not."""

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    load_der_private_key,
    load_ssh_private_key,
)

from vsc.errors import DamagedFile, MaterialError, UnsupportedFeature, WrongPassword
from vsc.filling import pbe
from vsc.filling.ber import BerError, Type, first
from vsc.filling.bounds import Budget, validated
from vsc.filling.failure import password_error, reading
from vsc.filling.pfx import private_key_info
from vsc.text.byte_order_mark import without_mark

FILE = "key file"
_SSH_MAGIC = b"openssh-key-v1\0"
_PSS = "1.2.840.113549.1.1.10"
_BLOCK = re.compile(
    rb"-----BEGIN ([A-Z0-9 ]+)-----[ \t]*\r?\n(.*?)-----END \1-----|-----BEGIN ([A-Z0-9 ]+)-----", re.DOTALL
)
_PEM_HEAD = re.compile(rb"Proc-Type: *4, *ENCRYPTED\s+DEK-Info: *([A-Z0-9-]+), *([0-9A-Fa-f]+)\s+")


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A key of the library. is_pss_only: it says that it is for RSASSA-PSS alone."""

    key: PrivateKeyTypes = field(repr=False)
    is_pss_only: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a PEM file. label: RSA PRIVATE KEY, CERTIFICATE ...; text: all of it; body: between its lines."""

    label: str
    text: bytes = field(repr=False)
    body: bytes = field(repr=False)

    def der(self, what: str) -> bytes:
        """What the block holds. DamagedFile."""
        lines = [line for line in self.body.splitlines() if b":" not in line]  # Headers have one.
        try:
            return base64.b64decode(b"".join(b"".join(lines).split()), validate=True)
        except binascii.Error:
            raise DamagedFile(f"the {what} is damaged: its base64 is wrong") from None


def pem_blocks(raw: bytes, what: str) -> tuple[Block, ...]:
    """The blocks of a PEM file; none if it is another one. DamagedFile: a block has no end."""
    found = []
    for match in _BLOCK.finditer(without_mark(raw)):
        if match[1] is None:
            raise DamagedFile(f"the {what} is cut off: '-----BEGIN {match[3].decode()}-----' has no end")
        found.append(Block(match[1].decode(), match[0] + b"\n", match[2]))
    return tuple(found)


def read_keys(raw: bytes, password: bytes | None = None) -> Iterator[PrivateKey | UnsupportedFeature]:
    """Reads every private key of a file, in its order; in place of one that no library here knows, why.

    A password that is not needed does no harm. WrongPassword, DamagedFile; MaterialError: there is no private key.
    """
    budget = Budget(FILE)
    blocks = pem_blocks(raw, FILE)
    wanted = [block for block in blocks if block.label.endswith("PRIVATE KEY")]
    if wanted:
        for block in wanted:
            yield _known(partial(_from_block, block, password, budget))
        return
    if blocks or not _is_key(raw):
        raise MaterialError(f"that is not a private key in PEM, DER or OpenSSH's format{_but(blocks)}")
    yield _known(partial(_from_der, raw, password, budget))


def read_info(info: bytes, what: str, *, is_encrypted: bool = False, password: bytes | None = None) -> PrivateKey:
    """Reads a PrivateKeyInfo (PKCS#8), or PKCS#1 or SEC1. UnsupportedFeature: a key of an unknown kind."""
    with reading(what, password=password, is_encrypted=is_encrypted):
        key = load_der_private_key(info, None, unsafe_skip_rsa_key_validation=True)
        return PrivateKey(_validated(key), is_pss_only=_algorithm(info) == _PSS)


def _known(read: Callable[[], PrivateKey]) -> PrivateKey | UnsupportedFeature:
    try:
        return read()
    except UnsupportedFeature as error:
        return error


def _from_block(block: Block, password: bytes | None, budget: Budget) -> PrivateKey:
    if block.label == "OPENSSH PRIVATE KEY":
        return _from_ssh(block, password, budget)
    head = _PEM_HEAD.search(block.body)  # RFC 1421, section 4.6.1.1; the rest of it nobody uses.
    if head is None:
        return _from_der(block.der(FILE), password, budget)
    if not password:
        raise password_error(FILE, password)
    data = replace(block, body=block.body[head.end() :]).der(FILE)
    with reading(FILE, password=password, is_encrypted=True):
        info = pbe.decipher_pem(head[1].decode(), bytes.fromhex(head[2].decode()), password, data)
    return read_info(info, FILE, password=password, is_encrypted=True)


def _from_der(raw: bytes, password: bytes | None, budget: Budget) -> PrivateKey:
    with reading(FILE):
        whole = first(raw)
        parts = whole.sequence(2)
    if parts[0].tag != Type.SEQUENCE:
        return read_info(whole.raw, FILE)
    if not password:
        raise password_error(FILE, password)
    # With a wrong password about one file in 256 decrypts to rubbish with good padding, which then is no key.
    for way in pbe.spellings(password):
        try:
            with reading(FILE, password=password, is_encrypted=True):
                info = private_key_info(whole, way, budget)
            return read_info(info, FILE, password=password, is_encrypted=True)
        except WrongPassword:
            continue
    raise password_error(FILE, password)


def _from_ssh(block: Block, password: bytes | None, budget: Budget) -> PrivateKey:
    """OpenSSH's format (PROTOCOL.key): a magic word, then as strings cipher, key derivation and its options."""
    raw, at, head = block.der(FILE), len(_SSH_MAGIC), []
    for _ in range(3):
        size = int.from_bytes(raw[at : at + 4], "big")
        head.append(raw[at + 4 : at + 4 + size])
        at += 4 + size
    is_encrypted = head[0] != b"none"
    if is_encrypted:
        if not password:
            raise password_error(FILE, password)
        budget.bcrypt(int.from_bytes(head[2][-4:], "big"))
    with reading(FILE, password=password, is_encrypted=is_encrypted):
        secret = password if is_encrypted else None
        return PrivateKey(_validated(load_ssh_private_key(block.text, secret, unsafe_skip_rsa_key_validation=True)))


def _validated(key: PrivateKeyTypes) -> PrivateKeyTypes:
    """Only once it is known to have a size that can be: the library would try any number for a prime."""
    return validated(key, what=FILE) if isinstance(key, RSAPrivateKey) else key


def _is_key(raw: bytes) -> bool:
    """Whether DER looks like a key: it begins with a version, or it is an algorithm and what is encrypted with it."""
    try:
        parts = first(raw).sequence(2)
        is_encrypted = (parts[0].tag, parts[1].tag, len(parts)) == (Type.SEQUENCE, Type.OCTET_STRING, 2)
        return is_encrypted or (parts[0].tag == Type.INTEGER and parts[0].number() in (0, 1) and len(parts) >= 3)
    except BerError:
        return False


def _algorithm(info: bytes) -> str | None:
    try:
        return first(info).sequence(3)[1].sequence(1)[0].oid()
    except BerError:
        return None  # PKCS#1 or SEC1, which have no place for it.


def _but(blocks: tuple[Block, ...]) -> str:
    return f": it has {', '.join(dict.fromkeys(block.label.lower() for block in blocks))}" if blocks else ""
