"""The cryptography that the page about smart cards uses: random bytes, and 3DES in CBC mode for responses."""

import secrets

from card_os.admin import KEY_BYTES
from vsc.host.challenge import BLOCK_BYTES, calculate_response
from vsc.winrt import hresult
from vsc.winrt.buffers import IBuffer, ReadableBuffer, octets
from vsc.winrt.errors import WinRTError
from vsc.winrt.projection import Object, RuntimeClass, make, needed, uint32

_TRIPLE_DES_CBC = "3DES_CBC"


class _CryptographicBufferStatics(RuntimeClass):
    def generate_random(cls, length: int, /) -> IBuffer:
        """So many random bytes, good enough for keys."""
        return IBuffer(secrets.token_bytes(uint32(length, "length")))

    def generate_random_number(cls, /) -> int:
        return secrets.randbits(32)

    def compare(cls, object1: ReadableBuffer, object2: ReadableBuffer, /) -> bool:
        return secrets.compare_digest(octets(object1, "object1"), octets(object2, "object2"))

    def create_from_byte_array(cls, value: ReadableBuffer, /) -> IBuffer:
        return IBuffer(octets(value, "value"))

    def decode_from_hex_string(cls, value: str, /) -> IBuffer:
        try:
            return IBuffer(bytes.fromhex(needed(value, str, "value")))
        except ValueError:
            raise WinRTError(hresult.E_INVALIDARG, "value is not made of pairs of hexadecimal digits") from None

    def encode_to_hex_string(cls, buffer: ReadableBuffer, /) -> str:
        return octets(buffer, "buffer").hex()


class CryptographicBuffer(Object, metaclass=_CryptographicBufferStatics):
    """Bytes: random ones, and as text. (`copy_to_byte_array` has an out parameter: say bytes(buffer).)"""


class _SymmetricAlgorithmNamesStatics(RuntimeClass):
    @property
    def triple_des_cbc(cls) -> str:
        return _TRIPLE_DES_CBC


class SymmetricAlgorithmNames(Object, metaclass=_SymmetricAlgorithmNamesStatics):
    """Names for `SymmetricKeyAlgorithmProvider.open_algorithm`: the one that admin keys need."""


class CryptographicKey(Object):
    """A key, to be used with `CryptographicEngine`."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @property
    def key_size(self) -> int:
        """In bits."""
        return 8 * len(self._key)


class _SymmetricKeyAlgorithmProviderStatics(RuntimeClass):
    def open_algorithm(cls, algorithm: str, /) -> "SymmetricKeyAlgorithmProvider":
        """E_NOTIMPL for all but 3DES in CBC mode without padding."""
        if needed(algorithm, str, "algorithm") != _TRIPLE_DES_CBC:
            raise WinRTError(hresult.E_NOTIMPL, f"there is no {algorithm!r} here, only {_TRIPLE_DES_CBC!r}")
        return make(SymmetricKeyAlgorithmProvider)


class SymmetricKeyAlgorithmProvider(Object, metaclass=_SymmetricKeyAlgorithmProviderStatics):
    """An algorithm, which makes keys."""

    @property
    def algorithm_name(self) -> str:
        return _TRIPLE_DES_CBC

    @property
    def block_length(self) -> int:
        return BLOCK_BYTES

    def create_symmetric_key(self, key_material: ReadableBuffer, /) -> CryptographicKey:
        """24 bytes; E_INVALIDARG for any other length."""
        key = octets(key_material, "key_material")
        if len(key) != KEY_BYTES:
            raise WinRTError(hresult.E_INVALIDARG, f"key_material: {KEY_BYTES} bytes are expected, not {len(key)}")
        return make(CryptographicKey, key)


class _CryptographicEngineStatics(RuntimeClass):
    def encrypt(cls, key: CryptographicKey, data: ReadableBuffer, iv: ReadableBuffer | None, /) -> IBuffer:
        """Whole blocks of 8 bytes; no padding. iv: 8 bytes, None for zeros. E_INVALIDARG for other lengths."""
        material = needed(key, CryptographicKey, "key")._key
        text = octets(data, "data")
        vector = bytes(BLOCK_BYTES) if iv is None else octets(iv, "iv")
        if len(vector) != BLOCK_BYTES or not text or len(text) % BLOCK_BYTES:
            raise WinRTError(hresult.E_INVALIDARG, f"data and iv have whole blocks of {BLOCK_BYTES} bytes")
        # In CBC mode the vector is added to the first block, and nothing else is done with it.
        first = bytes(a ^ b for a, b in zip(text, vector, strict=False))
        return IBuffer(calculate_response(first + text[BLOCK_BYTES:], material))


class CryptographicEngine(Object, metaclass=_CryptographicEngineStatics):
    """Encrypts."""


__all__ = [
    "CryptographicBuffer",
    "CryptographicEngine",
    "CryptographicKey",
    "SymmetricAlgorithmNames",
    "SymmetricKeyAlgorithmProvider",
]
