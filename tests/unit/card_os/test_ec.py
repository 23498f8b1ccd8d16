"""card_os.ec: against `cryptography`, on all three curves."""

from functools import cache

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from card_os.ec import CURVES, EcPrivateKey, agree, field_bytes, sign
from card_os.key_kind import KeyKind
from card_os.sw import SW, CardError
from card_os.tlv import Tlv, join
from card_os.wire import WireError
from tests.unit.each import each
from vsc.world import SeededEnv

all_curves = pytest.mark.parametrize("kind", list(CURVES), ids=str)
P256, P384 = KeyKind.P256, KeyKind.P384


@cache
def key_of(kind: KeyKind, seed: int = 0) -> EcPrivateKey:
    return EcPrivateKey.generate(kind, SeededEnv(f"ec {seed}").random_bytes)


def public_of(key: EcPrivateKey) -> ec.EllipticCurvePublicKey:
    return ec.EllipticCurvePublicKey.from_encoded_point(CURVES[key.kind], key.point)


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
def test_a_digest_of_any_length_is_signed_as_the_number_it_is(kind: KeyKind) -> None:
    for size in each([1, 20, 28, 31, 32, 33, 47, 48, 49, 63, 64]):
        digest = bytes(0xFF - i for i in range(size))
        signature = sign(key_of(kind), digest)
        assert verifies(key_of(kind), signature, digest)
        assert not verifies(
            key_of(kind), signature, digest[:-1] + b"\x00" if size <= field_bytes(kind) else b"\x00" + digest[1:]
        )


@all_curves
def test_a_signature_over_a_real_digest_verifies_over_the_message(kind: KeyKind) -> None:
    for algorithm in each([hashes.SHA1(), hashes.SHA224(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512()]):
        hasher = hashes.Hash(algorithm)
        hasher.update(b"message")
        public_of(key_of(kind)).verify(sign(key_of(kind), hasher.finalize()), b"message", ec.ECDSA(algorithm))


@all_curves
def test_signing_is_deterministic(kind: KeyKind) -> None:
    key, one, other = key_of(kind), bytes(range(32)), bytes(range(1, 33))
    assert sign(key, one) == sign(key, one)
    # Equal nonces for different digests would show as equal r and give the key away.
    assert decode_dss_signature(sign(key, one))[0] != decode_dss_signature(sign(key, other))[0]


def test_a_known_signature_of_rfc_6979() -> None:
    scalar = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
    digest = bytes.fromhex("AF2BDBE1AA9B6EC1E2ADE1D694F41FC71A831D0268E9891562113D8A62ADD1BF")
    r, s = decode_dss_signature(sign(EcPrivateKey(P256, scalar), digest))
    assert r == 0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716
    assert s == 0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8


@all_curves
@pytest.mark.parametrize("size", [0, 65])
def test_a_digest_has_1_to_64_bytes(kind: KeyKind, size: int) -> None:
    with pytest.raises(CardError) as refused:
        sign(key_of(kind), bytes(size))
    assert refused.value.sw == SW.WRONG_LENGTH


@all_curves
def test_two_keys_agree_both_ways(kind: KeyKind) -> None:
    one, other = key_of(kind), key_of(kind, 1)
    shared = agree(one, other.point)
    assert shared == agree(other, one.point)
    assert len(shared) == field_bytes(kind)
    library = ec.generate_private_key(CURVES[kind])
    theirs = library.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert agree(one, theirs) == library.exchange(ec.ECDH(), public_of(one))


@all_curves
def test_what_is_no_point_of_the_curve_is_wrong_data(kind: KeyKind) -> None:
    for flaw in each(["nothing", "infinity", "not on the curve", "short", "long", "form", "zeros", "other"]):
        point = key_of(kind).point
        wrong = {
            "nothing": b"",
            "infinity": b"\x00",
            "not on the curve": point[:-1] + bytes([point[-1] ^ 1]),
            "short": point[:-1],
            "long": point + b"\x00",
            "form": b"\x05" + point[1:],
            "zeros": b"\x04" + bytes(len(point) - 1),
            "other": key_of(P256 if kind != P256 else P384).point,
        }[flaw]
        with pytest.raises(CardError) as refused:
            agree(key_of(kind), wrong)
        assert refused.value.sw == SW.WRONG_DATA


@all_curves
def test_the_public_point_is_uncompressed(kind: KeyKind) -> None:
    key = key_of(kind)
    assert key.point[0] == 0x04
    assert len(key.point) == 1 + 2 * key.field_bytes
    assert key.library_key().private_numbers().private_value == key.scalar


@all_curves
def test_a_scalar_is_between_0_and_the_order(kind: KeyKind) -> None:
    for scalar in (0, -1, CURVES[kind].group_order, CURVES[kind].group_order + 1):
        with pytest.raises(ValueError):
            EcPrivateKey(kind, scalar)
    for scalar in (1, CURVES[kind].group_order - 1):
        assert EcPrivateKey(kind, scalar).point


def test_only_these_curves_exist() -> None:
    for kind in set(KeyKind) - set(CURVES):
        with pytest.raises(ValueError):
            EcPrivateKey(kind, 1)
    with pytest.raises(ValueError, match="secp192r1"):
        EcPrivateKey.from_library(ec.generate_private_key(ec.SECP192R1()))


@all_curves
def test_a_key_is_read_from_its_bytes_and_from_the_library(kind: KeyKind) -> None:
    key = key_of(kind)
    assert EcPrivateKey.parse(kind, bytes(key)) == key == EcPrivateKey.from_library(key.library_key())
    for wrong in (bytes(key)[1:], b"\x00" + bytes(key), bytes(field_bytes(kind)), b"\xff" * field_bytes(kind)):
        with pytest.raises(ValueError):
            EcPrivateKey.parse(kind, wrong)


@all_curves
def test_generated_keys_are_seeded_and_use_64_spare_bits(kind: KeyKind) -> None:
    asked: list[int] = []

    def random_bytes(count: int) -> bytes:
        asked.append(count)
        return b"\xff" * count

    key = EcPrivateKey.generate(kind, random_bytes)
    assert asked == [field_bytes(kind) + 8]
    assert 0 < key.scalar < CURVES[kind].group_order
    assert EcPrivateKey.generate(kind, bytes).scalar == 1
    assert key_of(kind) != key_of(kind, 1)
    assert key_of(kind) == EcPrivateKey.generate(kind, SeededEnv("ec 0").random_bytes)


def test_a_key_shows_only_its_curve() -> None:
    assert repr(key_of(P256)) == str(key_of(P256)) == "EcPrivateKey(P-256)"


def with_point(key: EcPrivateKey, *, version: bytes = b"\x01", point: bytes | None = None) -> bytes:
    parts = Tlv(0x02, version), Tlv(0x04, bytes(key)), Tlv(0x04, key.point if point is None else point)
    return bytes(Tlv(0x30, join(parts)))


@all_curves
def test_a_key_is_read_with_its_point_which_says_the_curve(kind: KeyKind) -> None:
    key = key_of(kind)
    assert EcPrivateKey.parse_with_point(with_point(key), [kind]) == key


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (b"", "not an ECPrivateKey"),
        (with_point(key_of(P256))[:-1], "not an ECPrivateKey"),
        (with_point(key_of(P256), version=b"\x02"), "not an ECPrivateKey"),
        (with_point(key_of(P256), point=key_of(P384).point[:-2]), "no curve"),
        (with_point(key_of(P256), point=key_of(P256, 1).point), "do not belong together"),
        (with_point(key_of(P256)).replace(bytes(key_of(P256)), bytes(32)), "not a private key of P-256"),
    ],
)
def test_a_key_without_its_own_point_is_refused(raw: bytes, error: str) -> None:
    with pytest.raises(WireError, match=error):
        EcPrivateKey.parse_with_point(raw, [P256, P384])
