"""card_os.curve25519: the vectors of RFC 8032 and RFC 7748, and what is refused."""

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey as LibraryX25519
from hypothesis import given
from hypothesis import strategies as st

from card_os.curve25519 import Ed25519PrivateKey, X25519PrivateKey, agree, sign
from card_os.key_kind import KeyKind
from card_os.secret import Secret
from card_os.sw import SW, CardError
from vsc.world import SeededEnv

seeds = st.binary(min_size=32, max_size=32)


def test_ed25519_is_that_of_rfc_8032_section_7_1() -> None:
    seed = bytes.fromhex("4CCD089B28FF96DA9DB6C346EC114E0F5B8A319F35ABA624DA8CF6ED4FB8A6FB")
    key = Ed25519PrivateKey(Secret(seed))
    assert key.point.hex().upper() == "3D4017C3E843895A92B70AA74D1B7EBC9C982CCF2EC4968CC0CD55F12AF4660C"
    signature = sign(key, b"\x72").hex().upper()
    assert signature == (
        "92A009A9F0D4CAB8720E820B5F642540A2B27B5416503F8FB3762223EBDB69DA"
        "085AC1E43E15996E458F3613D0F11D8C387B2EAEB4302AEEB00D291612BB0C00"
    )


def test_x25519_is_that_of_rfc_7748_section_5_2() -> None:
    scalar = bytes.fromhex("A546E36BF0527C9D3B16154B82465EDD62144C0AC1FC5A18506A2244BA449AC4")
    point = bytes.fromhex("E6DB6867583030DB3594C1A424B15F7C726624EC26B3353B10A903A6D0AB1C4C")
    shared = agree(X25519PrivateKey(Secret(scalar)), point).hex().upper()
    assert shared == "C3DA55379DE9C6908E94EA4DF28D084F32ECCF03491C71F754B4075577A28552"


@given(seeds, seeds)
def test_two_agree_both_ways_and_with_the_library(one: bytes, other: bytes) -> None:
    mine, yours = X25519PrivateKey(Secret(one)), X25519PrivateKey(Secret(other))
    assert agree(mine, yours.point) == agree(yours, mine.point)
    assert agree(mine, yours.point) == LibraryX25519.from_private_bytes(other).exchange(mine.library_key().public_key())


@given(seeds, st.binary(max_size=300))
def test_a_signature_verifies(seed: bytes, message: bytes) -> None:
    key = Ed25519PrivateKey(Secret(seed))
    key.library_key().public_key().verify(sign(key, message), message)


@pytest.mark.parametrize("point", [b"", bytes(31), bytes(33), bytes(32), b"\x01" + bytes(31)], ids=len)
def test_what_gives_no_secret_is_wrong_data(point: bytes) -> None:
    with pytest.raises(CardError) as refused:
        agree(X25519PrivateKey(Secret(bytes(range(32)))), point)
    assert refused.value.sw == SW.WRONG_DATA


@pytest.mark.parametrize("size", [0, 31, 33])
@pytest.mark.parametrize("key", [Ed25519PrivateKey, X25519PrivateKey])
def test_a_private_key_has_32_bytes(key: type[Ed25519PrivateKey] | type[X25519PrivateKey], size: int) -> None:
    with pytest.raises(ValueError):
        key(Secret(bytes(size)))


def test_generated_keys_are_seeded() -> None:
    assert Ed25519PrivateKey.generate(SeededEnv(1).random_bytes) == Ed25519PrivateKey.generate(
        SeededEnv(1).random_bytes
    )
    assert X25519PrivateKey.generate(SeededEnv(1).random_bytes).kind == KeyKind.X25519
    assert "seed" not in repr(Ed25519PrivateKey(Secret(b"seed" * 8))).replace("seed=", "")
