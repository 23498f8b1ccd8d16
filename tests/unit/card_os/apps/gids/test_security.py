"""MANAGE SECURITY ENVIRONMENT and PERFORM SECURITY OPERATION (gids.md 6.6)."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.unit.card_os.apps.gids.gids_card import (
    ACTIVATE,
    DELETE,
    EC_KINDS,
    LOGOUT,
    MSE_ADMIN,
    P_256,
    P_384,
    P_521,
    PIN,
    SELECT_DF,
    SELECT_GIDS,
    GidsCard,
    card_with_ec,
    card_with_rsa,
    create,
    crt,
    ec_key,
    exchange_crts,
    get,
    key_fcp,
    key_file,
    mse,
    put,
    ready_state,
    rsa_key,
)
from tests.unit.each import each

K = 128
SIGN = "2A9E9A"
DECIPHER = "2A8086"
DIGEST_INFO = bytes.fromhex("3031300D060960864801650304020105000420") + hashlib.sha256(b"text").digest()
PUBLIC = rsa_key(1024).library_key().public_key()
ERASE = "00DB3FFF077005840181A500"


def user_card(bits: int = 1024) -> GidsCard:
    card = card_with_rsa(bits)
    card.login()
    return card


def pso(operation: str, data: bytes, le: str = "00") -> str:
    return f"00{operation}{len(data):02X}{data.hex()}{le}"


def signed(card: GidsCard, data: bytes) -> bytes:
    answer = card.read(pso(SIGN, data))
    assert len(answer) == K
    return answer


# --- MSE


@pytest.mark.parametrize("p1", ["41", "81", "C1", "01"])
@pytest.mark.parametrize("reference", ["83", "84"])
def test_mse_names_the_key_by_83_or_84(p1: str, reference: str) -> None:
    card = user_card()
    assert card.send(f"0022{p1}B606800156{reference}0181") == "9000"
    assert card.sw(pso(SIGN, b"text")) == "9000"


def test_the_algorithm_may_be_left_out() -> None:
    card = user_card()
    assert card.send("002241B603840181") == "9000"


def test_mse_refuses() -> None:
    for command, sw in each(
        [
            (mse("B6", 0x56, 0x82), "6A88"),
            (mse("B6", 0x57), "6A80"),
            (mse("B6", 0x46), "6A80"),
            (mse("B6", 0x06), "6A80"),
            (mse("B8", 0x56), "6A80"),
            (mse("A4", 0x06), "6A80"),
            ("002241B603800156", "6A80"),
            ("002241B60780015684028182", "6A80"),
            ("002241B60780020056840181", "6A80"),
            ("002241B6058000840181", "6A80"),
            ("002241B609800156840181" + "950140", "6A80"),
            ("002241B60680015684", "6700"),
            ("002241B6028401", "6A80"),
            ("002241B6", "6700"),
            ("0022F3B606800156840181", "6A86"),
            ("0022F203", "6A86"),
            ("0022F401", "6A86"),
            ("002241B406800156840181", "6A86"),
            ("002241AA06800156840181", "6A86"),
            ("002261B606800156840181", "6A86"),
            ("002240B606800156840181", "6A86"),
            ("102241B606800156840181", "6884"),
        ]
    ):
        card = user_card()
        assert card.send(command) == sw
        assert card.send(pso(SIGN, b"text")) == "6985"


def test_a_refused_mse_leaves_the_environment_before_it() -> None:
    card = user_card()
    card.run(mse("B6", 0x56))
    assert card.send(mse("B6", 0x57)) == "6A80"
    assert card.sw(pso(SIGN, b"text")) == "9000"


@pytest.mark.parametrize("who", ["nobody", "admin"])
def test_mse_needs_the_pin_already(who: str) -> None:
    card = card_with_rsa()
    card.prove(who)
    assert card.send(mse("B6", 0x56)) == "6982"
    assert card.send(mse("B8", 0x46)) == "6982"


def test_the_admin_key_is_chosen_by_everybody() -> None:
    assert card_with_rsa().send(MSE_ADMIN) == "9000"


def test_mse_needs_an_active_file_with_a_key() -> None:
    card = GidsCard(ready_state())
    card.login()
    card.run(create(key_fcp(exchange_crts(6))))
    assert card.send(mse("B6", 0x56)) == "6985"
    card.run(ACTIVATE)
    assert card.send(mse("B6", 0x56)) == "6A88"
    card.run("0047000008AC06800106830181")
    assert card.send(mse("B6", 0x56)) == "9000"


def test_one_component_of_each_kind_stays_current() -> None:
    card = user_card()
    card.run(mse("B6", 0x56), mse("B8", 0x46))
    cryptogram = PUBLIC.encrypt(b"secret", padding.PKCS1v15())
    for _ in range(2):
        assert card.read(pso(DECIPHER, cryptogram)) == b"secret"
        signed(card, b"text")


# --- signatures


@pytest.mark.parametrize(
    "data", [DIGEST_INFO, b"m" * 36, b"\x00", b"x" * (K - 11)], ids=["DigestInfo", "MD5+SHA1", "1 byte", "most"]
)
def test_the_card_pads_whatever_it_gets(data: bytes) -> None:
    card = user_card()
    card.run(mse("B6", 0x56))
    assert raw_public(signed(card, data)) == b"\x00\x01" + b"\xff" * (K - 3 - len(data)) + b"\x00" + data


def test_a_digest_info_makes_an_ordinary_signature() -> None:
    card = user_card()
    card.run(mse("B6", 0x56))
    PUBLIC.verify(signed(card, DIGEST_INFO), b"text", padding.PKCS1v15(), SHA256())


@pytest.mark.parametrize("size", [K - 10, K, 255])
def test_too_much_to_pad_is_a_wrong_length(size: int) -> None:
    card = user_card()
    card.run(mse("B6", 0x56))
    assert card.send(pso(SIGN, b"x" * size)) == "6700"


def raw_public(block: bytes) -> bytes:
    numbers = PUBLIC.public_numbers()
    return pow(int.from_bytes(block, "big"), numbers.e, numbers.n).to_bytes(K, "big")


@pytest.mark.parametrize(
    "block",
    [
        b"\x00\x01" + b"\xff" * (K - 3 - len(DIGEST_INFO)) + b"\x00" + DIGEST_INFO,
        b"\x00" * (K - 1) + b"\x02",
        b"\x00" * K,
        b"\x00" + b"\x7b" * (K - 1),
        b"\x00\x01" + b"\xff" * (K - 2),
        b"\x00\x01" + b"\xff" * 7 + b"\x00" + b"\x55" * (K - 10),
    ],
)
def test_a_raw_signature_is_the_private_operation(block: bytes) -> None:
    card = user_card()
    card.run(mse("B6", 0x16))
    assert raw_public(signed(card, block)) == block


@pytest.mark.parametrize(
    ("block", "sw"),
    [(b"\x00" * (K - 1), "6700"), (b"\x00" * (K + 1), "6700"), (b"\xff" * K, "6A80"), (DIGEST_INFO, "6700")],
)
def test_a_raw_block_has_the_size_of_the_modulus_and_lies_below_it(block: bytes, sw: str) -> None:
    card = user_card()
    card.run(mse("B6", 0x16))
    assert card.send(pso(SIGN, block)) == sw


@pytest.mark.parametrize("size", [240, 255])
def test_a_raw_block_of_rsa_2048_comes_as_a_chain(size: int) -> None:
    card = user_card(2048)
    card.run(mse("B6", 0x17))
    block = b"\x00\x01" + b"\xff" * (253 - len(DIGEST_INFO)) + b"\x00" + DIGEST_INFO
    answer = bytes.fromhex(card.chain(SIGN, block, size))
    assert answer[256:] == b"\x90\x00"
    public = rsa_key(2048).library_key().public_key()
    public.verify(answer[:256], b"text", padding.PKCS1v15(), SHA256())


def test_extended_length_works_too() -> None:
    card = user_card(2048)
    card.run(mse("B6", 0x17))
    block = b"\x00" * 255 + b"\x07"
    answer = card.card.transmit(bytes.fromhex("002A9E9A000100") + block + b"\x00\x00")
    numbers = rsa_key(2048).library_key().public_key().public_numbers()
    assert pow(int.from_bytes(answer[:-2], "big"), numbers.e, numbers.n) == 7


# --- deciphering


def encrypted(text: bytes, kind: str) -> bytes:
    if kind == "OAEP":
        return PUBLIC.encrypt(text, padding.OAEP(padding.MGF1(SHA1()), SHA1(), None))
    if kind == "PKCS1":
        return PUBLIC.encrypt(text, padding.PKCS1v15())
    return raw_public(text.rjust(K, b"\x00"))


KINDS = [("PKCS1", 0x46), ("OAEP", 0x86), ("raw", 0x06)]


def test_deciphering_with_and_without_padding_indicator() -> None:
    for kind, algorithm in each(KINDS):
        for indicator in each([b"", b"\x00"]):
            for size in each([240, 255, 100]):
                card = user_card()
                card.run(mse("B8", algorithm))
                text = b"session key" if kind != "raw" else b"\x01".rjust(K, b"\x00")
                assert (
                    bytes.fromhex(card.chain(DECIPHER, indicator + encrypted(text, kind), size)) == text + b"\x90\x00"
                )


def test_rsa_2048_deciphers_what_opensc_and_windows_chain() -> None:
    card = user_card(2048)
    card.run(mse("B8", 0x47))
    cryptogram = rsa_key(2048).library_key().public_key().encrypt(b"session key", padding.PKCS1v15())
    for size in (255, 240):
        assert bytes.fromhex(card.chain(DECIPHER, cryptogram, size)) == b"session key\x90\x00"


@pytest.mark.parametrize(
    ("plain", "algorithm"),
    [
        (b"\x00\x02" + b"\x55" * (K - 2), 0x46),
        (b"\x00\x02" + b"\x55" * 7 + b"\x00" + b"\x11" * (K - 10), 0x46),
        (b"\x00\x01" + b"\xff" * (K - 5) + b"\x00\x22\x22", 0x46),
        (b"\x01\x02" + b"\x55" * (K - 5) + b"\x00\x22\x22", 0x46),
        (b"\x00" * K, 0x46),
        (b"\x00\x02" + b"\x55" * (K - 5) + b"\x00\x22\x22", 0x86),
    ],
)
def test_a_wrong_padding_is_6a80_without_data(plain: bytes, algorithm: int) -> None:
    card = user_card()
    card.run(mse("B8", algorithm))
    assert card.send(pso(DECIPHER, raw_public(plain))) == "6A80"


@pytest.mark.parametrize("algorithm", [0x06, 0x46, 0x86])
@pytest.mark.parametrize("data", [b"\x01", b"\x00" * (K - 1), b"\x01" + b"\x00" * K, b"\x00" * (K + 2)])
def test_a_cryptogram_of_another_length_is_6700(algorithm: int, data: bytes) -> None:
    card = user_card()
    card.run(mse("B8", algorithm))
    assert card.send(pso(DECIPHER, data)) == "6700"


def test_an_empty_text_can_be_deciphered() -> None:
    card = user_card()
    card.run(mse("B8", 0x46))
    assert card.send(pso(DECIPHER, encrypted(b"", "PKCS1"))) == "9000"


@pytest.mark.parametrize("p1p2", ["8680", "9E9B", "9000", "0000", "80BE", "8486"])
def test_there_is_no_other_security_operation(p1p2: str) -> None:
    card = user_card()
    card.run(mse("B6", 0x56))
    assert card.send(f"002A{p1p2}0101") == "6A86"


# --- the security environment as time goes by


@pytest.mark.parametrize("operation", [SIGN, DECIPHER])
def test_without_mse_nothing_is_computed(operation: str) -> None:
    assert user_card().send(pso(operation, b"\x00" * K)) == "6985"


def test_an_environment_for_one_operation_is_not_for_the_other() -> None:
    card = user_card()
    card.run(mse("B6", 0x56))
    assert card.send(pso(DECIPHER, bytes(K))) == "6985"


def test_a_wrong_pin_after_mse_stops_the_key_and_the_right_one_frees_it() -> None:
    card = user_card()
    card.run(mse("B6", 0x56))
    card.login(b"wrong")
    assert card.send(pso(SIGN, b"text")) == "6982"
    card.login()
    assert card.sw(pso(SIGN, b"text")) == "9000"


def test_logout_forgets_the_environment() -> None:
    card = user_card()
    card.run(mse("B6", 0x56), LOGOUT)
    assert card.send(pso(SIGN, b"text")) == "6985"
    card.login()
    assert card.send(pso(SIGN, b"text")) == "6985"


@pytest.mark.parametrize(
    "between", [SELECT_GIDS, SELECT_DF, get(0xA010, 0xDF21), put(0xA010, 0xDF22, b"\x01"), "00200080", "00CA0000"]
)
def test_ordinary_commands_keep_the_environment(between: str) -> None:
    card = user_card()
    card.run(mse("B6", 0x56))
    card.send(between)
    assert card.sw(pso(SIGN, b"text")) == "9000"


def test_a_reset_forgets_the_environment() -> None:
    card = user_card()
    card.run(mse("B6", 0x56))
    card.card.reset()
    card.login()
    assert card.send(pso(SIGN, b"text")) == "6985"


def test_another_channel_has_an_environment_of_its_own() -> None:
    card = user_card()
    card.run(mse("B6", 0x56), "0070000001", "0120008008" + PIN.hex())
    assert card.send("01" + pso(SIGN, b"text")[2:]) == "6985"


@pytest.mark.parametrize(
    ("event", "sw"),
    [
        (["00A4000C02B081", DELETE], "6A88"),
        ([ERASE], "6984"),
        (["00A4000C02B081", DELETE, create(key_fcp(exchange_crts(6))), ACTIVATE], "6984"),
        (["00A4000C02B081", DELETE, create(key_fcp([crt("B8", 0x46)])), ACTIVATE], "6985"),
        (["0047000008AC06800106830181"], "9000"),
    ],
    ids=["deleted", "erased", "made again without key", "made again for another use", "generated anew"],
)
def test_a_key_that_goes_away_after_mse(event: list[str], sw: str) -> None:
    card = user_card()
    card.run(mse("B6", 0x56), *event)
    assert card.sw(pso(SIGN, b"text")) == sw


def test_a_key_generated_after_mse_is_the_one_that_signs() -> None:
    card = user_card()
    card.run(mse("B6", 0x56), "0047000008AC06800106830181")
    new = card.read("00CB3FFF0A7008840181A5037F498000")[7:135]
    assert new != rsa_key(1024).n.to_bytes(128, "big")
    signature = int.from_bytes(signed(card, DIGEST_INFO), "big")
    block = pow(signature, 65537, int.from_bytes(new, "big")).to_bytes(128, "big")
    assert block.endswith(b"\x00" + DIGEST_INFO)


# --- elliptic curves

HASHES: dict[int, HashAlgorithm] = {32: SHA256(), 48: SHA384(), 64: SHA512(), 20: SHA1()}


@pytest.mark.parametrize("number", [P_256, P_384, P_521])
@pytest.mark.parametrize("size", [20, 32, 48, 64])
def test_ecdsa_over_a_digest(number: int, size: int) -> None:
    card = card_with_ec(number)
    card.login()
    card.run(mse("B6", 0x10 | number))
    digest = hashlib.shake_128(b"text").digest(size)
    signature = card.read(pso(SIGN, digest))
    public = ec_key(EC_KINDS[number]).library_key().public_key()
    public.verify(signature, digest, ec.ECDSA(Prehashed(HASHES[size])))


@pytest.mark.parametrize("size", [65, 128])
def test_a_digest_has_at_most_64_bytes(size: int) -> None:
    card = card_with_ec()
    card.login()
    card.run(mse("B6", 0x1C))
    assert card.send(pso(SIGN, bytes(size))) == "6700"


@pytest.mark.parametrize("number", [P_256, P_384, P_521])
@pytest.mark.parametrize("indicator", [b"", b"\x00"])
def test_deciphering_with_an_elliptic_curve_key_agrees_on_a_secret(number: int, indicator: bytes) -> None:
    card = card_with_ec(number)
    card.login()
    card.run(mse("B8", number))
    own = ec_key(EC_KINDS[number])
    other = ec.derive_private_key(7, own.library_key().curve)
    point = other.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    secret = other.exchange(ec.ECDH(), own.library_key().public_key())
    assert card.read(pso(DECIPHER, indicator + point)) == secret


@pytest.mark.parametrize("point", [b"\x04" + bytes(64), b"\x04" + b"\x01" * 64, b"\x00", b"\x05" + bytes(64)])
def test_what_is_no_point_of_the_curve_is_6a80(point: bytes) -> None:
    card = card_with_ec()
    card.login()
    card.run(mse("B8", P_256))
    assert card.send(pso(DECIPHER, point)) == "6A80"


@pytest.mark.parametrize(("tag", "operation"), [("B6", SIGN), ("B8", DECIPHER)])
def test_elliptic_curve_keys_ask_for_the_pin_as_well(tag: str, operation: str) -> None:
    card = card_with_ec()
    algorithm = 0x1C if tag == "B6" else 0x0C
    assert card.send(mse(tag, algorithm)) == "6982"
    card.login()
    card.run(mse(tag, algorithm))
    card.login(b"wrong")
    assert card.send(pso(operation, bytes(32))) == "6982"


def test_a_key_without_a_pin_rule_serves_everybody() -> None:
    fcp = key_fcp([crt("B6", 0x56)], rule="8F10001000")
    card = GidsCard(ready_state().with_file(key_file(fcp, rsa_key(1024))))
    card.run(mse("B6", 0x56))
    assert card.sw(pso(SIGN, b"text")) == "9000"


def test_one_pin_entry_is_good_for_so_many_uses() -> None:
    twice = key_fcp([crt("B6", 0x56, more="A30490020002")])
    card = GidsCard(ready_state().with_file(key_file(twice, rsa_key(1024))))
    sign = f"00{SIGN}14{'11' * 20}00"
    for _ in range(2):
        card.login()
        card.run(mse("B6", 0x56))
        assert [card.sw(sign) for _ in range(3)] == ["9000", "9000", "6985"]
