"""The response to a challenge: the vectors of winrt-smartcards.md 3.1 and gids.md 11, and misuse."""

import pytest

from card_os.admin import encrypt
from vsc.host import AdminKeyResponder, calculate_response
from vsc.host.challenge import MutualChallenge

DEFAULT = "0102030405060708" * 3
SECOND = "101112131415161718191A1B1C1D1E1F2021222324252627"
THIRD = "0123456789ABCDEF23456789ABCDEF01456789ABCDEF0123"

R1 = bytes.fromhex("101112131415161718191A1B1C1D1E1F")
R2 = bytes.fromhex("A0A1A2A3A4A5A6A7A8A9AAABACADAEAF")
MUTUAL = MutualChallenge(host=R1, card=R2, secret=bytes.fromhex("01020304050607"))
CARD_CRYPTOGRAM = bytes.fromhex("398C0E06C0096AE836A466CB607C0250C8554AD39AAD26EE20C6E5961D2EE7A4573C77A66205CBE3")

VECTORS = [
    (DEFAULT, "0000000000000000", "B073DC3FB209536D"),
    (DEFAULT, "1122334455667788", "6C5E94DCADD39F1D"),
    (DEFAULT, "0011223344556677", "26604D88E55BD3E7"),
    (DEFAULT, "0557897F8D84407B", "7716F4B2D7214EB2"),
    (DEFAULT, "00112233445566770011223344556677", "26604D88E55BD3E75F1D90BAC66C3B5B"),
    (SECOND, "0011223344556677", "62E0136B850237BC"),
    (THIRD, "0557897F8D84407B", "A2088CF6DDAA4664"),
    (
        THIRD,
        MUTUAL.plain.hex(),
        "06EC26547DF4BEAD5C04AEB9F96B0885353BABCB33A080DF8FFFAB2202818F5771A01DAB3C8EBA64",
    ),
]


@pytest.mark.parametrize(("key", "challenge", "response"), VECTORS)
def test_vectors(key: str, challenge: str, response: str) -> None:
    assert calculate_response(bytes.fromhex(challenge), bytes.fromhex(key)).hex().upper() == response
    assert AdminKeyResponder(bytes.fromhex(key))(bytes.fromhex(challenge)).hex().upper() == response


def test_parity_bits_do_not_count() -> None:
    flipped = bytes(byte ^ 1 for byte in bytes.fromhex(SECOND))
    assert calculate_response(bytes.fromhex("0011223344556677"), flipped).hex().upper() == "62E0136B850237BC"


def test_any_buffer_will_do() -> None:
    key, challenge = bytes.fromhex(DEFAULT), bytes(8)
    assert calculate_response(memoryview(challenge), bytearray(key)) == calculate_response(challenge, key)


@pytest.mark.parametrize("wrong", [None, "0000000000000000", 8, [0] * 8])
def test_what_is_no_bytes_is_named(wrong: object) -> None:
    with pytest.raises(TypeError, match=r"^challenge: bytes are expected"):
        calculate_response(wrong, bytes(24))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^admin_key: bytes are expected"):
        calculate_response(bytes(8), wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [0, 1, 7, 9, 12])
def test_a_challenge_is_whole_blocks(size: int) -> None:
    with pytest.raises(ValueError, match=r"^challenge: "):
        calculate_response(bytes(size), bytes(24))


@pytest.mark.parametrize("size", [0, 8, 16, 23, 25])
def test_a_key_has_24_bytes(size: int) -> None:
    with pytest.raises(ValueError, match=r"^admin_key: 24 bytes"):
        calculate_response(bytes(8), bytes(size))
    with pytest.raises(ValueError, match="admin key: 24 bytes"):
        AdminKeyResponder(bytes(size))


def test_the_key_is_never_shown() -> None:
    assert repr(AdminKeyResponder(bytes.fromhex(SECOND))) == "AdminKeyResponder(…)"


def test_the_card_proves_the_key() -> None:
    assert AdminKeyResponder(bytes.fromhex(THIRD)).proves(MUTUAL, CARD_CRYPTOGRAM)
    assert not AdminKeyResponder(bytes.fromhex(SECOND)).proves(MUTUAL, CARD_CRYPTOGRAM)


@pytest.mark.parametrize(
    "plain",
    [
        R1 + R2 + bytes(7),
        R2 + R1 + bytes(7) + b"\x80",
        R1 + R2 + bytes(8),
        R1 + bytes(16) + bytes(7) + b"\x80",
        R1 + R2 + bytes(7) + b"\x80" + bytes(8),
    ],
)
def test_a_card_that_does_not_prove_it(plain: bytes) -> None:
    key = bytes.fromhex(THIRD)
    whole = plain[: len(plain) // 8 * 8]
    assert not AdminKeyResponder(key).proves(MUTUAL, encrypt(key, whole))
