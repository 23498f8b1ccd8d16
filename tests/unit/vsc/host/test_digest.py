"""Padding of PKCS#1 v1.5, against the library that makes and reads it."""

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from vsc.errors import VscError
from vsc.host.digest import MIN_PADDING_BYTES, digest_info, signature_block, unpadded_message
from vsc.testing.player import imported_key

KEY = imported_key(1024)
SIZE = 128


def power(block: bytes) -> bytes:
    numbers = KEY.private_numbers()
    return pow(int.from_bytes(block, "big"), numbers.d, numbers.public_numbers.n).to_bytes(SIZE, "big")


@given(st.binary(max_size=40))
def test_the_library_verifies_a_block_that_is_signed(data: bytes) -> None:
    signature = power(signature_block(digest_info(data, "sha256"), SIZE))
    KEY.public_key().verify(signature, data, PKCS1v15(), SHA256())


@given(st.binary(max_size=SIZE - MIN_PADDING_BYTES))
def test_what_the_library_encrypted_is_read(data: bytes) -> None:
    assert unpadded_message(power(KEY.public_key().encrypt(data, PKCS1v15()))) == data


@given(st.binary(max_size=SIZE))
def test_other_blocks_are_refused_or_have_all_of_the_padding(block: bytes) -> None:
    try:
        message = unpadded_message(block)
    except VscError:
        return
    assert block.startswith(b"\x00\x02")
    assert len(block) - len(message) >= MIN_PADDING_BYTES


def test_a_block_that_is_too_long() -> None:
    with pytest.raises(ValueError, match="at most 117 bytes"):
        signature_block(bytes(118), SIZE)
