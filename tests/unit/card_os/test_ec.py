"""card_os.ec: against `cryptography`, on all three curves."""

from functools import cache

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from card_os.ec import CURVES, EcPrivateKey, agree, sign
from card_os.sw import SW, CardError
from vsc.world import SeededEnv

ORDERS = {bits: curve.group_order for bits, curve in CURVES.items()}
all_curves = pytest.mark.parametrize("bits", [256, 384, 521])


@cache
def key_of(bits: int, seed: int = 0) -> EcPrivateKey:
    return EcPrivateKey.generate(bits, SeededEnv(f"ec {seed}").random_bytes)


def public_of(key: EcPrivateKey) -> ec.EllipticCurvePublicKey:
    return ec.EllipticCurvePublicKey.from_encoded_point(CURVES[key.bits], key.point)


def verifies(key: EcPrivateKey, signature: bytes, digest: bytes) -> bool:
    """Verifies over the number that a digest of any length stands for (SEC 1 4.1.3 step 5).

    A verifier takes the leftmost bits of a hash, so the number, in as many bytes as the order has and filled up
    behind, is a SHA-512 digest that means the same.
    """
    size = min(key.field_bytes, 64)
    hashed = digest[: key.field_bytes].rjust(size, b"\x00").ljust(64, b"\x00")
    try:
        public_of(key).verify(signature, hashed, ec.ECDSA(Prehashed(hashes.SHA512())))
    except InvalidSignature:
        return False
    return True


@all_curves
@pytest.mark.parametrize("size", [1, *range(20, 65)])
def test_a_digest_of_any_length_is_signed_as_the_number_it_is(bits: int, size: int) -> None:
    digest = bytes(0xFF - i for i in range(size))
    signature = sign(key_of(bits), digest)
    assert verifies(key_of(bits), signature, digest)
    assert not verifies(key_of(bits), signature, digest[:-1] + b"\x00" if size <= bits // 8 else b"\x00" + digest[1:])


@all_curves
@pytest.mark.parametrize(
    "algorithm",
    [hashes.SHA1(), hashes.SHA224(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512()],
    ids=lambda a: a.name,
)
def test_a_signature_over_a_real_digest_verifies_over_the_message(bits: int, algorithm: hashes.HashAlgorithm) -> None:
    hasher = hashes.Hash(algorithm)
    hasher.update(b"message")
    public_of(key_of(bits)).verify(sign(key_of(bits), hasher.finalize()), b"message", ec.ECDSA(algorithm))


@all_curves
def test_signing_is_deterministic(bits: int) -> None:
    key, one, other = key_of(bits), bytes(range(32)), bytes(range(1, 33))
    assert sign(key, one) == sign(key, one)
    # Equal nonces for different digests would show as equal r and give the key away.
    assert decode_dss_signature(sign(key, one))[0] != decode_dss_signature(sign(key, other))[0]


def test_a_known_signature_of_rfc_6979() -> None:
    scalar = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
    digest = bytes.fromhex("AF2BDBE1AA9B6EC1E2ADE1D694F41FC71A831D0268E9891562113D8A62ADD1BF")
    r, s = decode_dss_signature(sign(EcPrivateKey(256, scalar), digest))
    assert r == 0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716
    assert s == 0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8


@all_curves
@pytest.mark.parametrize("size", [0, 65])
def test_a_digest_has_1_to_64_bytes(bits: int, size: int) -> None:
    with pytest.raises(CardError) as refused:
        sign(key_of(bits), bytes(size))
    assert refused.value.sw == SW.WRONG_LENGTH


@all_curves
def test_two_keys_agree_both_ways(bits: int) -> None:
    one, other = key_of(bits), key_of(bits, 1)
    shared = agree(one, other.point)
    assert shared == agree(other, one.point)
    assert len(shared) == (bits + 7) // 8
    library = ec.generate_private_key(CURVES[bits])
    theirs = library.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert agree(one, theirs) == library.exchange(ec.ECDH(), public_of(one))


@all_curves
@pytest.mark.parametrize("flaw", ["nothing", "infinity", "not on the curve", "short", "long", "form", "zeros", "other"])
def test_what_is_no_point_of_the_curve_is_wrong_data(bits: int, flaw: str) -> None:
    point = key_of(bits).point
    wrong = {
        "nothing": b"",
        "infinity": b"\x00",
        "not on the curve": point[:-1] + bytes([point[-1] ^ 1]),
        "short": point[:-1],
        "long": point + b"\x00",
        "form": b"\x05" + point[1:],
        "zeros": b"\x04" + bytes(len(point) - 1),
        "other": key_of(256 if bits != 256 else 384).point,
    }[flaw]
    with pytest.raises(CardError) as refused:
        agree(key_of(bits), wrong)
    assert refused.value.sw == SW.WRONG_DATA


@all_curves
def test_the_public_point_is_uncompressed(bits: int) -> None:
    key = key_of(bits)
    assert key.point[0] == 0x04
    assert len(key.point) == 1 + 2 * key.field_bytes
    assert key.library_key().private_numbers().private_value == key.scalar


@all_curves
def test_a_scalar_is_between_0_and_the_order(bits: int) -> None:
    for scalar in (0, -1, ORDERS[bits], ORDERS[bits] + 1):
        with pytest.raises(ValueError):
            EcPrivateKey(bits, scalar)
    for scalar in (1, ORDERS[bits] - 1):
        assert EcPrivateKey(bits, scalar).point


def test_only_three_curves_exist() -> None:
    for bits in (0, 192, 224, 255, 512):
        with pytest.raises(ValueError):
            EcPrivateKey(bits, 1)


@all_curves
def test_generated_keys_are_seeded_and_use_64_spare_bits(bits: int) -> None:
    asked: list[int] = []

    def random_bytes(count: int) -> bytes:
        asked.append(count)
        return b"\xff" * count

    key = EcPrivateKey.generate(bits, random_bytes)
    assert asked == [(bits + 7) // 8 + 8]
    assert 0 < key.scalar < ORDERS[bits]
    assert EcPrivateKey.generate(bits, bytes).scalar == 1
    assert key_of(bits) != key_of(bits, 1)
    assert key_of(bits) == EcPrivateKey.generate(bits, SeededEnv("ec 0").random_bytes)


def test_a_key_shows_only_its_curve() -> None:
    assert repr(key_of(256)) == str(key_of(256)) == "EcPrivateKey(P-256)"
