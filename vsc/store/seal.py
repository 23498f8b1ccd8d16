"""An image under a passphrase: scrypt makes a key of it, AES-256-GCM encrypts the whole image with it.

    {"format": "virtual smart card image, encrypted", "version": 1, "name": "work",
     "scrypt": {"n": 32768, "r": 8, "p": 1, "salt": "<hex>"}, "nonce": "<hex>", "image": "<base64>", "sha256": "<hex>"}

Everything before the nonce is bound as associated data, so an image does not pass for that of another card. The nonce
is random and new with each change; the key is made once, when the card is opened. `sha256` tells damage from a wrong
passphrase. A part of a large card (`vsc.store.parts`) is encrypted for itself: its nonce, then the part, to which its
number is bound as well. What is not prevented: putting back an older image, with its tries, under the same passphrase.
"""

import binascii
import json
import secrets
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from vsc.errors import CardLocked, ImageError
from vsc.store.image import Image, parse_versioned, with_checksum
from vsc.store.parts import finder
from vsc.store.spare_memory import spare_memory

FORMAT = "virtual smart card image, encrypted"
VERSION = 1
DEFAULT_COST = 2**15
"""scrypt's n for new cards: 32 MiB and about a tenth of a second."""

_BLOCK_SIZE, _PARALLEL = 8, 1
_MAX_COST, _MAX_FACTOR = 2**18, 16
_SMALL_BYTES = 64 * 2**20
"""Nobody asks whether there is so much memory."""
_KEY_BYTES, _SALT_BYTES, _NONCE_BYTES = 32, 16, 12


class Encode(Protocol):
    """Makes what is stored."""

    def __call__(self, image: Image) -> bytes:
        """A whole image."""
        ...

    def wrap(self, image: bytes) -> bytes:
        """The bytes of an image."""
        ...

    def wrap_part(self, number: int, part: bytes) -> bytes:
        """A part of one."""
        ...

    def open_part(self, number: int, raw: bytes) -> bytes:
        """Gives a part back; ImageError."""
        ...


class InClear:
    """Stores images as they are."""

    def __call__(self, image: Image) -> bytes:
        return bytes(image)

    def wrap(self, image: bytes) -> bytes:
        return image

    def wrap_part(self, number: int, part: bytes) -> bytes:
        return part

    def open_part(self, number: int, raw: bytes) -> bytes:
        return raw


@dataclass(frozen=True, slots=True)
class _Header:
    """What may be known of an encrypted card: its name, and how its key is made."""

    name: str
    n: int
    r: int
    p: int
    salt: bytes

    def fields(self) -> dict[str, object]:
        scrypt = {"n": self.n, "r": self.r, "p": self.p, "salt": self.salt.hex()}
        return {"format": FORMAT, "version": VERSION, "name": self.name, "scrypt": scrypt}

    @property
    def associated_data(self) -> bytes:
        return json.dumps(self.fields(), sort_keys=True, separators=(",", ":")).encode()

    @property
    def memory_bytes(self) -> int:
        """What scrypt needs (RFC 7914 section 2)."""
        return 128 * self.r * (self.n + self.p)

    def key(self, passphrase: bytes) -> AESGCM:
        """ImageError if there is not the memory for it."""
        spare = spare_memory() if self.memory_bytes > _SMALL_BYTES else None
        try:
            if spare is not None and spare < self.memory_bytes:
                raise MemoryError
            return AESGCM(Scrypt(self.salt, _KEY_BYTES, self.n, self.r, self.p).derive(passphrase))
        except MemoryError:
            needed = f"{self.memory_bytes // 2**20} MiB"
            raise ImageError(f"its key takes {needed} of memory, and there is not so much") from None


@dataclass(frozen=True, slots=True, repr=False)
class Seal:
    """The key of one card, and what it encrypts with it."""

    header: _Header
    key: AESGCM

    def __call__(self, image: Image) -> bytes:
        """Returns the encrypted image, under a new nonce."""
        return self.wrap(bytes(image))

    def wrap(self, image: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self.key.encrypt(nonce, image, self.header.associated_data)
        content = {**self.header.fields(), "nonce": nonce.hex(), "image": b64encode(sealed).decode()}
        return with_checksum(content)

    def wrap_part(self, number: int, part: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self.key.encrypt(nonce, part, self._data_of_part(number))

    def open_part(self, number: int, raw: bytes) -> bytes:
        try:
            return self.key.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], self._data_of_part(number))
        except (InvalidTag, ValueError):
            raise ImageError("the image is damaged: a part of it is not what was encrypted") from None

    def _data_of_part(self, number: int) -> bytes:
        return self.header.associated_data + number.to_bytes(8, "big")


def new_seal(name: str, passphrase: bytes, *, cost: int = DEFAULT_COST) -> Seal:
    """Makes a key for a new card. cost: scrypt's n, a power of two."""
    header = _Header(name, cost, _BLOCK_SIZE, _PARALLEL, secrets.token_bytes(_SALT_BYTES))
    return Seal(header, header.key(passphrase))


def is_sealed(raw: bytes) -> bool:
    """Tells whether this is an encrypted image, good or damaged."""
    # Most are not, and are large: they are not read twice.
    if FORMAT.encode() not in raw:
        return False
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError):
        return False
    return isinstance(content, dict) and content.get("format") == FORMAT


def unseal(
    raw: bytes, name: str, passphrase: Callable[[], bytes] | None, parts: Mapping[int, bytes] = MappingProxyType({})
) -> tuple[Image, Encode]:
    """Reads a stored image of either kind; returns it, and what makes the next bytes of the same kind.

    name: whose it must be. parts: its parts as they are stored. ImageError; CardLocked if it is encrypted and the
    passphrase is wrong or there is none.
    """
    if not is_sealed(raw):
        clear = InClear()
        return _of(name, Image.parse(raw, find=finder(parts, clear.open_part))), clear
    header, nonce, sealed = _parse(raw)
    if header.name != name:
        raise ImageError(f"the image is that of another card, {header.name!r}")
    if passphrase is None:
        raise CardLocked(name)
    seal = Seal(header, header.key(passphrase()))
    try:
        plain = seal.key.decrypt(nonce, sealed, header.associated_data)
    except InvalidTag:
        raise CardLocked(name, was_wrong=True) from None
    return _of(name, Image.parse(plain, find=finder(parts, seal.open_part))), seal


def _of(name: str, image: Image) -> Image:
    if image.name != name:
        raise ImageError(f"the image is that of another card, {image.name!r}")
    return image


def _parse(raw: bytes) -> tuple[_Header, bytes, bytes]:
    content = parse_versioned(raw, FORMAT, VERSION)
    try:
        scrypt = content["scrypt"]
        header = _Header(content["name"], scrypt["n"], scrypt["r"], scrypt["p"], bytes.fromhex(scrypt["salt"]))
        nonce, sealed = bytes.fromhex(content["nonce"]), b64decode(content["image"], validate=True)
    except (KeyError, TypeError, ValueError, binascii.Error):
        raise ImageError("the image is damaged: its header is incomplete") from None
    if not _is_sane(header) or len(nonce) != _NONCE_BYTES:
        raise ImageError("the image is damaged: its header makes no sense")
    return header, nonce, sealed


def _is_sane(header: _Header) -> bool:
    """Whoever wrote the header must not make us use gigabytes."""
    numbers = (header.n, header.r, header.p)
    if not all(isinstance(one, int) for one in numbers) or not isinstance(header.name, str):
        return False
    is_power = header.n >= 2 and header.n & (header.n - 1) == 0
    return is_power and header.n <= _MAX_COST and 1 <= header.r <= _MAX_FACTOR and 1 <= header.p <= _MAX_FACTOR
