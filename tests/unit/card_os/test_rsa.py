"""card_os.rsa: against `cryptography`, against plain numbers, and with faults built in."""

from collections.abc import Callable
from dataclasses import fields, replace
from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, Hash
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from card_os.rsa import RsaPrivateKey, decipher_oaep, decipher_pkcs1, raw, sign_pkcs1, sign_raw
from card_os.sw import SW, CardError
from card_os.tlv import Tlv, join, parse_all
from card_os.wire import WireError
from tests.unit.each import each
from vsc.world import SeededEnv

SHA256_INFO = bytes.fromhex("3031300D060960864801650304020105000420")
SIZES = (1024, 2048)
all_sizes = pytest.mark.parametrize("bits", SIZES)


@cache
def key_of(bits: int) -> RsaPrivateKey:
    return SeededEnv("rsa").rsa_key(bits)


def public_of(key: RsaPrivateKey) -> RSAPublicKey:
    return rsa.RSAPublicNumbers(key.e, key.n).public_key()


def blind(count: int) -> bytes:
    return SeededEnv("blinding").random_bytes(count)


def plain_power(key: RsaPrivateKey, block: bytes) -> bytes:
    return pow(int.from_bytes(block, "big"), key.d, key.n).to_bytes(key.block_bytes, "big")


def digest(message: bytes) -> bytes:
    h = Hash(SHA256())
    h.update(message)
    return h.finalize()


def refusal(error: pytest.ExceptionInfo[CardError]) -> int:
    return error.value.sw


# --- signing ---------------------------------------------------------------------------------------------------------


@all_sizes
def test_a_signature_over_a_digest_info_is_what_the_library_verifies(bits: int) -> None:
    key, hashed = key_of(bits), digest(b"message")
    signature = sign_pkcs1(key, SHA256_INFO + hashed)
    public_of(key).verify(signature, hashed, padding.PKCS1v15(), Prehashed(SHA256()))
    assert len(signature) == bits // 8


@all_sizes
@pytest.mark.parametrize("size", [0, 1, 20, 36, 117])
def test_bytes_that_are_no_digest_info_are_padded_as_they_are(bits: int, size: int) -> None:
    key, data = key_of(bits), bytes(range(size))
    block = b"\x00\x01" + b"\xff" * (key.block_bytes - 3 - size) + b"\x00" + data
    assert sign_pkcs1(key, data) == plain_power(key, block)


@all_sizes
def test_padding_takes_eleven_bytes(bits: int) -> None:
    key = key_of(bits)
    longest = bytes(key.block_bytes - 11)
    assert len(sign_pkcs1(key, longest)) == key.block_bytes
    with pytest.raises(CardError) as refused:
        sign_pkcs1(key, longest + b"\x00")
    assert refusal(refused) == SW.WRONG_LENGTH


@all_sizes
@pytest.mark.parametrize("size", [0, 35, 51, 117])
def test_a_type_1_padded_block_gives_the_pkcs1_signature_whichever_way(bits: int, size: int) -> None:
    key, data = key_of(bits), b"\xa5" * size
    block = b"\x00\x01" + b"\xff" * (key.block_bytes - 3 - size) + b"\x00" + data
    assert sign_raw(key, block, blind) == sign_pkcs1(key, data) == raw(key, block, blind)


def no_padding(key: RsaPrivateKey) -> list[bytes]:
    size = key.block_bytes
    return [
        bytes(size),
        b"\x00" * (size - 1) + b"\x01",
        b"\x00\x01" + b"\xff" * (size - 2),
        b"\x00\x01" + b"\xff" * 7 + b"\x00" + b"\xaa" * (size - 10),
        b"\x00\x01" + b"\xff" * 8 + b"\xfe" + b"\x00" + b"\xaa" * (size - 12),
        b"\x00\x02" + b"\xff" * (size - 13) + b"\x00" + b"\xaa" * 10,
        b"\x00" + b"\x5a" * (size - 2) + b"\xbc",
        (key.n - 1).to_bytes(size, "big"),
    ]


@all_sizes
@pytest.mark.parametrize("index", range(8))
def test_any_block_below_the_modulus_is_raised_to_the_private_exponent(bits: int, index: int) -> None:
    key = key_of(bits)
    block = no_padding(key)[index]
    assert sign_raw(key, block, blind) == raw(key, block, blind) == plain_power(key, block)


@all_sizes
def test_a_pss_block_of_the_host_becomes_a_pss_signature(bits: int) -> None:
    # The library makes the block: its signature, raised to the public exponent, is what a host would send.
    key, pss = key_of(bits), padding.PSS(padding.MGF1(SHA256()), 32)
    made = key.library_key().sign(b"message", pss, SHA256())
    block = pow(int.from_bytes(made, "big"), key.e, key.n).to_bytes(key.block_bytes, "big")
    public_of(key).verify(sign_raw(key, block, blind), b"message", pss, SHA256())


@all_sizes
@pytest.mark.parametrize("above", [0, 1])
def test_a_block_that_is_not_below_the_modulus_is_wrong_data(bits: int, above: int) -> None:
    key = key_of(bits)
    block = (key.n + above).to_bytes(key.block_bytes, "big")
    for use in (raw, sign_raw, decipher_pkcs1):
        with pytest.raises(CardError) as refused:
            use(key, block, blind)
        assert refusal(refused) == SW.WRONG_DATA
    with pytest.raises(CardError) as refused:
        decipher_oaep(key, block)
    assert refusal(refused) == SW.WRONG_DATA


@all_sizes
@pytest.mark.parametrize("more", [-1, 1])
def test_a_block_of_another_length_is_a_wrong_length(bits: int, more: int) -> None:
    key = key_of(bits)
    block = bytes(key.block_bytes + more)
    for use in (raw, sign_raw, decipher_pkcs1):
        with pytest.raises(CardError) as refused:
            use(key, block, blind)
        assert refusal(refused) == SW.WRONG_LENGTH
    with pytest.raises(CardError) as refused:
        decipher_oaep(key, block)
    assert refusal(refused) == SW.WRONG_LENGTH


def test_the_result_does_not_depend_on_the_blinding() -> None:
    key = key_of(1024)
    block = b"\x00\x5a" * 64
    results = {raw(key, block, SeededEnv(seed).random_bytes) for seed in range(5)}
    assert results == {plain_power(key, block)}


def test_useless_blinding_factors_are_drawn_again() -> None:
    key = key_of(1024)
    useless = [0, 1, key.p, key.q, key.n, key.n + 1]
    draws = [*(number.to_bytes(128, "big") for number in useless), blind(128)]
    block = b"\x00" + b"\x5a" * 127
    assert raw(key, block, lambda count: draws.pop(0)) == plain_power(key, block)
    assert draws == []


# --- deciphering -----------------------------------------------------------------------------------------------------


@all_sizes
@pytest.mark.parametrize("message", [b"", b"\x00", b"secret", b"\x00\x02\x00" * 10, b"\xff" * 117])
def test_what_the_library_encrypts_is_deciphered(bits: int, message: bytes) -> None:
    key = key_of(bits)
    assert decipher_pkcs1(key, public_of(key).encrypt(message, padding.PKCS1v15()), blind) == message
    short = message[: key.block_bytes - 42]
    oaep = padding.OAEP(padding.MGF1(SHA1()), SHA1(), None)
    assert decipher_oaep(key, public_of(key).encrypt(short, oaep)) == short


def enciphered(key: RsaPrivateKey, head: bytes) -> bytes:
    block = int.from_bytes(head.ljust(key.block_bytes, b"\xaa"), "big")
    return pow(block, key.e, key.n).to_bytes(key.block_bytes, "big")


@pytest.mark.parametrize(
    "head",
    [
        b"\x00\x01" + b"\xff" * 8 + b"\x00",
        b"\x01\x02" + b"\xff" * 8 + b"\x00",
        b"\x00\x02" + b"\xff" * 7 + b"\x00",
        b"\x00\x02\x00",
        b"\x00\x02" + b"\xff" * 126,
        b"\x00\x00",
    ],
    ids=["type 1", "first byte", "7 bytes of filler", "no filler", "no separator", "type 0"],
)
def test_a_block_without_type_2_padding_is_wrong_data(head: bytes) -> None:
    key = key_of(1024)
    with pytest.raises(CardError) as refused:
        decipher_pkcs1(key, enciphered(key, head), blind)
    assert refusal(refused) == SW.WRONG_DATA


def test_eight_bytes_of_filler_are_enough() -> None:
    key = key_of(1024)
    assert decipher_pkcs1(key, enciphered(key, b"\x00\x02" + b"\xff" * 8 + b"\x00"), blind) == b"\xaa" * 117


@pytest.mark.parametrize("algorithm", ["label", "SHA-256", "PKCS#1 v1.5", "noise"])
def test_a_block_without_the_oaep_padding_of_gids_is_wrong_data(algorithm: str) -> None:
    key, public = key_of(1024), public_of(key_of(1024))
    cryptogram = {
        "label": lambda: public.encrypt(b"x", padding.OAEP(padding.MGF1(SHA1()), SHA1(), b"label")),
        "SHA-256": lambda: public.encrypt(b"x", padding.OAEP(padding.MGF1(SHA256()), SHA256(), None)),
        "PKCS#1 v1.5": lambda: public.encrypt(b"x", padding.PKCS1v15()),
        "noise": lambda: b"\x00" + b"\x5a" * 127,
    }[algorithm]()
    with pytest.raises(CardError) as refused:
        decipher_oaep(key, cryptogram)
    assert refusal(refused) == SW.WRONG_DATA


# --- faults ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["dp", "dq", "qinv", "p", "q"])
@pytest.mark.parametrize("bit", [0, 1, 100, 500])
def test_a_fault_in_the_crt_values_never_lets_a_result_out(name: str, bit: int) -> None:
    key = key_of(1024)
    faulty = replace(key, **{name: getattr(key, name) ^ 1 << bit})
    blocks = no_padding(key)[1:]
    for use in (raw, sign_raw):
        for block in blocks:
            with pytest.raises(CardError) as refused:
                use(faulty, block, blind)
            assert refusal(refused) == SW.REFERENCE_DATA_NOT_USABLE
    with pytest.raises(CardError) as refused:
        decipher_pkcs1(faulty, public_of(key).encrypt(b"secret", padding.PKCS1v15()), blind)
    assert refusal(refused) == SW.REFERENCE_DATA_NOT_USABLE


@pytest.mark.parametrize("name", ["dp", "dq", "qinv"])
def test_the_library_lets_no_faulty_result_out_either(name: str) -> None:
    key = key_of(1024)
    faulty = replace(key, **{name: getattr(key, name) ^ 2})
    data = SHA256_INFO + digest(b"message")
    assert sign_pkcs1(faulty, data) == sign_pkcs1(key, data)
    block = b"\x00\x01" + b"\xff" * (key.block_bytes - 3 - len(data)) + b"\x00" + data
    assert sign_raw(faulty, block, blind) == sign_pkcs1(key, data)
    cryptogram = public_of(key).encrypt(b"secret", padding.OAEP(padding.MGF1(SHA1()), SHA1(), None))
    assert decipher_oaep(faulty, cryptogram) == b"secret"


# --- the key as bytes ------------------------------------------------------------------------------------------------


def sequence(*numbers: int | bytes) -> bytes:
    """SEQUENCE of INTEGERs; a number is written with its leading 00 where DER has one, bytes as they are."""
    values = (n if isinstance(n, bytes) else n.to_bytes(n.bit_length() // 8 + 1, "big") for n in numbers)
    return bytes(Tlv(0x30, join(Tlv(0x02, value) for value in values)))


def numbers_of(key: RsaPrivateKey) -> list[int]:
    return [getattr(key, field.name) for field in fields(key)]


@all_sizes
def test_a_key_comes_back_from_its_bytes(bits: int) -> None:
    key = key_of(bits)
    assert RsaPrivateKey.parse(bytes(key)) == key
    assert RsaPrivateKey.parse(bytes(key), check=False) == key
    assert key.bits == bits
    assert key.block_bytes == bits // 8


@all_sizes
def test_the_bytes_of_a_key_are_the_ones_the_library_writes(bits: int) -> None:
    library = rsa.generate_private_key(65537, bits)
    der = library.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    key = RsaPrivateKey.from_library(library)
    assert bytes(key) == der
    assert RsaPrivateKey.parse(der) == key
    assert key.library_key(check=True).private_numbers() == library.private_numbers()


@all_sizes
def test_integers_are_unsigned_with_or_without_leading_zero(bits: int) -> None:
    key = key_of(bits)
    bare = [number.to_bytes((number.bit_length() + 7) // 8, "big") for number in numbers_of(key)]
    assert key.n.to_bytes(key.block_bytes, "big")[0] & 0x80, "the case that matters: a top bit set"
    assert RsaPrivateKey.parse(sequence(b"\x00", *bare)) == key
    assert RsaPrivateKey.parse(sequence(b"", *(b"\x00\x00" + number for number in bare))) == key


@all_sizes
def test_p_and_q_may_stand_in_any_order(bits: int) -> None:
    key = key_of(bits)
    p, q = key.q, key.p
    swapped = RsaPrivateKey(key.n, key.e, key.d, p, q, key.dq, key.dp, pow(q, -1, p))
    assert (key.p > key.q) != (swapped.p > swapped.q)
    block = b"\x00" + b"\x5a" * (key.block_bytes - 1)
    for one in (key, swapped):
        assert RsaPrivateKey.parse(bytes(one)) == one
        assert raw(one, block, blind) == plain_power(key, block)
        assert sign_pkcs1(one, b"data") == sign_pkcs1(key, b"data")


def test_numbers_that_do_not_belong_together_are_refused() -> None:
    changes: dict[str, Callable[[int], int]] = {
        "n ^ 2": lambda n: n ^ 2,
        "n + 2": lambda n: n + 2,
        "0": lambda n: 0,
        "1": lambda n: 1,
        "n << 4096": lambda n: n << 4096,
    }
    for index in each(range(8)):
        for change in map(changes.__getitem__, each(changes)):
            numbers = numbers_of(key_of(1024))
            numbers[index] = change(numbers[index])
            with pytest.raises(WireError):
                RsaPrivateKey.parse(sequence(0, *numbers))


@pytest.mark.parametrize("bits", [512, 768, 1016, 1536])
def test_other_sizes_are_refused(bits: int) -> None:
    key = SeededEnv("odd").rsa_key(bits)
    with pytest.raises(WireError, match=f"{bits} bits"):
        RsaPrivateKey.parse(bytes(key))


def _malformed() -> list[bytes]:
    good = bytes(key_of(1024))
    integers = parse_all(Tlv.parse_head(good)[0].value)
    numbers = numbers_of(key_of(1024))
    return [
        b"",
        good[:-1],
        good + b"\x00",
        bytes(Tlv(0x31, join(integers))),
        bytes(Tlv(0x30, join(integers[:-1]))),
        bytes(Tlv(0x30, join([*integers, Tlv(0x02, b"\x01")]))),
        bytes(Tlv(0x30, join([*integers[:-1], Tlv(0x04, integers[-1].value)]))),
        sequence(1, *numbers),
        sequence(2, *numbers),
        b"\x30\x00",
    ]


@pytest.mark.parametrize("index", range(10))
def test_what_is_no_rsa_private_key_is_refused(index: int) -> None:
    with pytest.raises(WireError):
        RsaPrivateKey.parse(_malformed()[index])


def test_a_key_shows_only_its_size() -> None:
    assert repr(key_of(1024)) == str(key_of(1024)) == "RsaPrivateKey(1024 bits)"
