"""vsc.filling.rc2, on the vectors of RFC 2268, section 5, whose keys have all their bits in effect."""

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import RC2
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from hypothesis import given
from hypothesis import strategies as st

from vsc.filling.rc2 import decipher

VECTORS = [
    ("ffffffffffffffff", "ffffffffffffffff", "278b27e42e2f0d49"),
    ("3000000000000000", "1000000000000001", "30649edf9be7d2c2"),
    ("88bca90e90875a7f0f79c384627bafb2", "0000000000000000", "2269552ab0f85ca6"),
]


@pytest.mark.parametrize(("key", "plain", "encrypted"), VECTORS)
def test_the_vectors(key: str, plain: str, encrypted: str) -> None:
    """In CBC the IV makes of any block what one likes: here eight bytes of padding, of which nothing is left."""
    iv = bytes(one ^ 8 for one in bytes.fromhex(plain))
    assert decipher(bytes.fromhex(key), iv, bytes.fromhex(encrypted)) == b""
    wrong = bytes(one ^ 9 for one in bytes.fromhex(plain))
    with pytest.raises(ValueError):
        decipher(bytes.fromhex(key), wrong, bytes.fromhex(encrypted))


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=8, max_size=8), st.integers(0, 5))
def test_it_undoes_what_the_library_does(key: bytes, iv: bytes, blocks: int) -> None:
    text = bytes(range(8)) * blocks
    encryptor = Cipher(RC2(key), modes.CBC(iv)).encryptor()
    assert decipher(key, iv, encryptor.update(text + b"\x08" * 8) + encryptor.finalize()) == text


@pytest.mark.parametrize("data", [b"", b"1234567", bytes(9)])
def test_no_whole_blocks(data: bytes) -> None:
    with pytest.raises(ValueError):
        decipher(bytes(16), bytes(8), data)
