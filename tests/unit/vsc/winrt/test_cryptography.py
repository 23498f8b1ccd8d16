"""The cryptography of the page about smart cards."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsc.winrt import hresult
from vsc.winrt.buffers import IBuffer
from vsc.winrt.cryptography import (
    CryptographicBuffer,
    CryptographicEngine,
    SymmetricAlgorithmNames,
    SymmetricKeyAlgorithmProvider,
)
from vsc.winrt.errors import NullArgument, WinRTError

KEY = bytes.fromhex("0102030405060708" * 3)


def provider() -> SymmetricKeyAlgorithmProvider:
    return SymmetricKeyAlgorithmProvider.open_algorithm(SymmetricAlgorithmNames.triple_des_cbc)


def test_random_bytes() -> None:
    one, other = CryptographicBuffer.generate_random(24), CryptographicBuffer.generate_random(24)
    assert isinstance(one, IBuffer)
    assert one.length == one.capacity == len(one) == 24
    assert one != other
    assert CryptographicBuffer.generate_random(0) == b""
    assert 0 <= CryptographicBuffer.generate_random_number() < 2**32
    with pytest.raises(OverflowError):
        CryptographicBuffer.generate_random(-1)


def test_hexadecimal_text() -> None:
    assert CryptographicBuffer.decode_from_hex_string("00Ff") == b"\x00\xff"
    assert CryptographicBuffer.encode_to_hex_string(b"\x00\xff") == "00ff"
    with pytest.raises(WinRTError) as raised:
        CryptographicBuffer.decode_from_hex_string("0")
    assert raised.value.winerror == hresult.E_INVALIDARG


def test_copies_and_comparison() -> None:
    array = bytearray(b"abc")
    copy = CryptographicBuffer.create_from_byte_array(array)
    array[0] = 0
    assert copy == b"abc"
    assert CryptographicBuffer.compare(copy, memoryview(b"abc"))
    assert not CryptographicBuffer.compare(copy, array)


def test_names() -> None:
    assert SymmetricAlgorithmNames.triple_des_cbc == "3DES_CBC"
    assert provider().algorithm_name == "3DES_CBC"
    assert provider().block_length == 8
    assert provider().create_symmetric_key(KEY).key_size == 192
    with pytest.raises(WinRTError) as raised:
        SymmetricKeyAlgorithmProvider.open_algorithm("AES_CBC")
    assert raised.value.winerror == hresult.E_NOTIMPL


@pytest.mark.parametrize("size", [0, 8, 16, 23, 25, 32])
def test_a_key_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(WinRTError) as raised:
        provider().create_symmetric_key(bytes(size))
    assert raised.value.winerror == hresult.E_INVALIDARG


def test_encrypting_the_vector() -> None:
    key = provider().create_symmetric_key(KEY)
    assert CryptographicEngine.encrypt(key, bytes(8), None).hex() == "b073dc3fb209536d"
    assert CryptographicEngine.encrypt(key, bytes(8), bytes(8)).hex() == "b073dc3fb209536d"


@pytest.mark.parametrize(("data", "iv"), [(b"", None), (bytes(7), None), (bytes(9), None), (bytes(8), bytes(7))])
def test_only_whole_blocks(data: bytes, iv: bytes | None) -> None:
    with pytest.raises(WinRTError) as raised:
        CryptographicEngine.encrypt(provider().create_symmetric_key(KEY), data, iv)
    assert raised.value.winerror == hresult.E_INVALIDARG


@given(st.binary(min_size=8, max_size=8), st.binary(min_size=8, max_size=8), st.binary(min_size=8, max_size=8))
def test_the_vector_chains_as_a_block_before_would(iv: bytes, first: bytes, second: bytes) -> None:
    key = provider().create_symmetric_key(KEY)
    whole = CryptographicEngine.encrypt(key, first + second, iv)
    assert whole[:8] == CryptographicEngine.encrypt(key, first, iv)
    assert whole[8:] == CryptographicEngine.encrypt(key, second, whole[:8])


def test_wrong_types() -> None:
    with pytest.raises(TypeError):
        CryptographicEngine.encrypt(KEY, bytes(8), None)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        provider().create_symmetric_key("text")  # type: ignore[arg-type]
    with pytest.raises(NullArgument):
        provider().create_symmetric_key(None)  # type: ignore[arg-type]
