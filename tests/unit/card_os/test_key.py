"""card_os.key: every kind of key through the image's bytes and back, from the library, and its public half."""

from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from card_os import key
from card_os.curve25519 import Ed25519PrivateKey
from card_os.ec import CURVES
from card_os.key import Key, PrivateKey
from card_os.key_kind import KeyKind
from card_os.rsa import RSA_BITS, RsaPrivateKey
from card_os.secret import Secret
from card_os.symmetric import KEY_BYTES, SymmetricKey
from card_os.wire import WireError
from vsc.world import SeededEnv

# What is true of one size of RSA is true of the others, and big ones take seconds to make.
PAIRS = [kind for kind in KeyKind if kind not in KEY_BYTES and kind not in list(RSA_BITS)[1:]]


@cache
def private(kind: KeyKind) -> PrivateKey:
    env = SeededEnv("key")
    return key.generate(kind, env.random_bytes, env.rsa_key)


def any_key(kind: KeyKind) -> Key:
    return SymmetricKey.of(kind, bytes(range(KEY_BYTES[kind]))) if kind in KEY_BYTES else private(kind)


@pytest.mark.parametrize("kind", [*PAIRS, *KEY_BYTES], ids=str)
def test_a_key_of_every_kind_is_read_back_from_an_image(kind: KeyKind) -> None:
    one = any_key(kind)
    raw = key.encode(one)
    assert key.decode(raw) == one
    assert key.decode(raw).kind == kind
    if kind in KEY_BYTES:
        with pytest.raises(WireError):
            key.decode_private(raw)
    else:
        assert key.decode_private(raw) == one
    for wrong in (raw[:-1], raw + b"\x00", b"\x7f" + raw[1:], b""):
        with pytest.raises(WireError):
            key.decode(wrong)


def test_images_keep_their_numbers_for_ever() -> None:
    numbers = {kind: key.encode(any_key(kind))[0] for kind in [*PAIRS, *KEY_BYTES]}
    assert [numbers[kind] for kind in [*PAIRS, *KEY_BYTES]] == [
        *(0x01, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x21, 0x22),
        *(0x31, 0x32, 0x33, 0x34),
    ]


@given(
    st.binary(max_size=80)
    | st.builds(lambda kind, rest: bytes([kind]) + rest, st.integers(0, 0x40), st.binary(max_size=70))
)
def test_any_bytes_are_a_key_or_a_wire_error(raw: bytes) -> None:
    try:
        one = key.decode(raw)
    except WireError:
        return
    assert key.encode(one) == raw or isinstance(one, RsaPrivateKey)


def test_an_rsa_key_under_the_number_of_another_size_is_refused() -> None:
    raw = key.encode(private(KeyKind.RSA_1024))
    with pytest.raises(WireError, match="RSA-2048"):
        key.decode(b"\x02" + raw[1:])


@pytest.mark.parametrize("kind", PAIRS, ids=str)
def test_a_key_comes_from_the_library_and_goes_back(kind: KeyKind) -> None:
    one = private(kind)
    assert one.kind == kind
    assert key.from_library(one.library_key()) == one


@pytest.mark.parametrize(
    "other",
    [
        rsa.generate_private_key(65537, 1536),
        ec.generate_private_key(ec.SECP192R1()),
        dsa.generate_private_key(1024),
        b"no key",
    ],
    ids=lambda one: type(one).__name__,
)
def test_a_key_that_no_card_holds_is_a_value_error(other: object) -> None:
    with pytest.raises(ValueError):
        key.from_library(other)


def test_the_public_half_is_modulus_and_exponent_or_a_point() -> None:
    modulus, exponent = key.public_objects(private(KeyKind.RSA_1024))
    assert (modulus.tag, len(modulus.value), modulus.value[0] >> 7) == (0x81, 128, 1)
    assert bytes(exponent).hex() == "8203010001"
    for kind in CURVES:
        (point,) = key.public_objects(private(kind))
        assert (point.tag, point.value[0]) == (0x86, 0x04)
    (point,) = key.public_objects(Ed25519PrivateKey(Secret(bytes(32))))
    assert (point.tag, len(point.value)) == (0x86, 32)


def test_symmetric_keys_come_in_no_pairs() -> None:
    env = SeededEnv(1)
    for kind in KEY_BYTES:
        with pytest.raises(ValueError):
            key.generate(kind, env.random_bytes, env.rsa_key)


def test_an_rsa_key_is_made_of_its_primes() -> None:
    one = private(KeyKind.RSA_1024)
    assert isinstance(one, RsaPrivateKey)
    made = RsaPrivateKey.from_primes(one.p, one.q)
    assert made.library_key().public_key() == one.library_key().public_key()
    for p, q in ((one.p, one.p), (one.p, 1), (0, one.q), (one.p, one.q - 1), (one.p, one.q + 2)):
        with pytest.raises(ValueError):
            RsaPrivateKey.from_primes(p, q)
