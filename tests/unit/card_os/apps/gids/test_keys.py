"""Keys: made on the card, imported, erased, and their public halves (gids.md 5.8 and 6)."""

from collections.abc import Callable
from dataclasses import fields

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from card_os.admin import AdminKey, encrypt, key_check_value
from card_os.apps.gids.state import KeyFile
from card_os.ec import EcPrivateKey
from card_os.key_kind import KeyKind
from card_os.rsa import RsaPrivateKey
from card_os.tlv import Tlv, join
from tests.unit.card_os.apps.gids.gids_card import (
    ACTIVATE,
    ADMIN_KEY,
    EC_KINDS,
    P_256,
    P_384,
    P_521,
    RSA_1024,
    RSA_2048,
    FixedEnv,
    GidsCard,
    blank_card,
    card_with_ec,
    card_with_rsa,
    create,
    crt,
    ec_crts,
    ec_key,
    exchange_crts,
    key_fcp,
    key_file,
    ready_card,
    ready_state,
    rsa_key,
)
from vsc.world import SystemEnv

CURVES = [P_256, P_384, P_521]


def public_key(key_id: int = 0x81) -> str:
    return f"00CB3FFF0A70088401{key_id:02X}A5037F498000"


def generate(number: int, key_id: int = 0x81, le: str = "") -> str:
    return f"0047000008AC068001{number:02X}8301{key_id:02X}{le}"


def import_key(card: GidsCard, key_type: int | None, value: bytes, key_id: int = 0x81, *more: Tlv) -> str:
    kind = [] if key_type is None else [Tlv(0x83, bytes([key_type])), Tlv(0x84, b"\x00")]
    template = Tlv(0xA5, join([*kind, Tlv(0x87, value), *more]))
    return card.chain("DB3FFF", bytes(Tlv(0x70, join([Tlv(0x84, bytes([key_id])), template]))))


def der(key: RsaPrivateKey, encode: Callable[[int], bytes]) -> bytes:
    numbers = [0, *(getattr(key, field.name) for field in fields(key))]
    return bytes(Tlv(0x30, join(Tlv(0x02, encode(number)) for number in numbers)))


def signed(number: int) -> bytes:
    """An INTEGER as DER wants it, with a leading 00 where the top bit is set."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def unsigned(number: int) -> bytes:
    """An INTEGER as OpenSC writes it, never with a leading 00."""
    return number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big")


def padded(number: int) -> bytes:
    return b"\x00\x00" + unsigned(number)


def ec_value(key: EcPrivateKey, *, point: bytes | None = None, scalar: bytes | None = None) -> bytes:
    scalar = key.scalar.to_bytes(key.field_bytes, "big") if scalar is None else scalar
    return bytes(Tlv(0x30, join([Tlv(0x02, b"\x01"), Tlv(0x04, scalar), Tlv(0x04, point or key.point)])))


def with_file(fcp: str, who: str = "user", env: FixedEnv | None = None) -> GidsCard:
    """A personalised card with an empty key file, active."""
    card = ready_card(env)
    card.prove(who)
    card.run(create(fcp), ACTIVATE)
    return card


def rsa_file(number: int = RSA_1024) -> str:
    return key_fcp(exchange_crts(number))


def stored(card: GidsCard, key_id: int = 0x81) -> object:
    file = card.state.key_file(key_id)
    assert isinstance(file, KeyFile)
    return file.key


# --- public keys


def test_the_public_half_of_rsa_1024() -> None:
    n = rsa_key(1024).n.to_bytes(128, "big").hex().upper()
    assert card_with_rsa().send(public_key()) == f"7F498188818180{n}8203010001" + "9000"


def test_the_public_half_of_rsa_2048_comes_in_256_and_14_bytes() -> None:
    n = rsa_key(2048).n.to_bytes(256, "big").hex().upper()
    card = card_with_rsa(2048)
    first = card.send(public_key())
    assert first[-4:] == "610E"
    second = card.send("00C000000E")
    assert first[:-4] + second == f"7F4982010981820100{n}8203010001" + "9000"


@pytest.mark.parametrize("number", CURVES)
def test_the_public_half_of_an_elliptic_curve_key_is_a_point(number: int) -> None:
    key = ec_key(EC_KINDS[number])
    assert card_with_ec(number).read(public_key()) == bytes(Tlv(0x7F49, bytes(Tlv(0x86, key.point))))


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        (public_key(0x82), "6A88"),
        (public_key(0x80), "6982"),
        ("00CB3FFF0970078401" + "81A5027F4900", "6A80"),
        ("00CB3FFF0A7008840181A5037F490000", "6A80"),
        ("00CB3FFF08700684028182" + "A50000", "6A80"),
        ("00CB3FFF057003840181" + "00", "6A80"),
        ("00CB3FFF077005A5037F498000", "6A80"),
        ("00CBA0100A7008840181A5037F498000", "6A80"),
    ],
)
def test_requests_for_no_public_key(command: str, sw: str) -> None:
    assert card_with_rsa().send(command) == sw


def test_there_is_no_public_half_before_there_is_a_key() -> None:
    assert with_file(rsa_file()).send(public_key()) == "6A88"


def test_a_symmetric_key_has_no_public_half() -> None:
    fcp = key_fcp([crt("A4", 2, 0x82)], 0xB082, rule="870020" + "00")
    card = GidsCard(ready_state().with_file(key_file(fcp, AdminKey.new(ADMIN_KEY))))
    assert card.send(public_key(0x82)) == "6A88"


# --- GENERATE


@pytest.mark.parametrize(("le", "answer"), [("00", 142), ("", 142)])
def test_generate_answers_the_public_key_with_le_and_without(le: str, answer: int) -> None:
    card = with_file(rsa_file())
    sent = card.send(generate(RSA_1024, le=le))
    assert len(sent) == 2 * answer
    assert sent == card.send(public_key())


def test_generate_with_the_le_of_windows() -> None:
    assert with_file(rsa_file()).sw(generate(RSA_1024, le="8C")) == "9000"


@pytest.mark.parametrize(
    ("number", "bits"),
    [(6, 1024), (7, 2048), *(pytest.param(*size, marks=pytest.mark.long) for size in ((8, 3072), (9, 4096)))],
)
def test_rsa_keys_of_every_size(number: int, bits: int) -> None:
    card = with_file(rsa_file(number))
    data = card.read(generate(number))
    n = int.from_bytes(data[data.index(b"\x82\x03\x01\x00\x01") - bits // 8 :][: bits // 8], "big")
    assert n.bit_length() == bits
    assert card.read(public_key()) == data
    key = stored(card)
    assert isinstance(key, RsaPrivateKey)
    assert (key.n, key.e) == (n, 65537)
    key.library_key(check=True)


@pytest.mark.parametrize("number", CURVES)
def test_elliptic_curve_keys_of_every_curve(number: int) -> None:
    card = with_file(key_fcp(ec_crts(number)))
    data = card.read(generate(number, le="00"))
    key = stored(card)
    assert isinstance(key, EcPrivateKey)
    assert key.kind == EC_KINDS[number]
    assert data == card.read(public_key()) == bytes(Tlv(0x7F49, bytes(Tlv(0x86, key.point))))


def test_the_systems_own_generator_makes_good_keys() -> None:
    card = GidsCard(ready_state(), SystemEnv())
    card.prove("user")
    card.run(create(rsa_file()), ACTIVATE, generate(RSA_1024))
    key = stored(card)
    assert isinstance(key, RsaPrivateKey)
    assert key.bits == 1024


def test_a_second_key_replaces_the_first() -> None:
    card = with_file(rsa_file())
    assert card.read(generate(RSA_1024)) != card.read(generate(RSA_1024))


@pytest.mark.parametrize(
    ("data", "sw"),
    [
        ("AC06800107830181", "6A80"),
        ("AC0680010C830181", "6A80"),
        ("AC0680010A830181", "6A81"),
        ("AC0680010B830181", "6A81"),
        ("AC06800101830181", "6A81"),
        ("AC068001FF830181", "6A81"),
        ("AC06800106830182", "6A88"),
        ("AC03830181", "6A80"),
        ("AC03800106", "6A80"),
        ("AC0780010683028182", "6A80"),
        ("AC0780020006830181", "6A80"),
        ("AD06800106830181", "6A80"),
        ("AC0680010683018100", "6A80"),
        ("AC", "6A80"),
    ],
)
def test_generate_refuses(data: str, sw: str) -> None:
    card = with_file(rsa_file())
    before = card.state
    assert card.send(f"00470000{len(data) // 2:02X}{data}") == sw
    assert card.state == before


@pytest.mark.parametrize(("who", "sw"), [("nobody", "6982"), ("user", "9000"), ("admin", "6982"), ("both", "9000")])
def test_only_the_user_generates(who: str, sw: str) -> None:
    card = GidsCard(ready_state().with_file(key_file(rsa_file(), None)))
    card.prove(who)
    assert card.sw(generate(RSA_1024)) == sw


def test_generate_needs_an_active_file_once_operational() -> None:
    card = ready_card()
    card.login()
    card.run(create(rsa_file()))
    assert card.send(generate(RSA_1024)) == "6985"
    card.run(ACTIVATE)
    assert card.sw(generate(RSA_1024)) == "9000"


def test_generate_works_in_the_initialisation_state() -> None:
    card = blank_card()
    card.run(create(rsa_file()))
    assert card.sw(generate(RSA_1024)) == "9000"


def test_the_admin_key_file_generates_nothing() -> None:
    card = ready_card()
    card.prove("both")
    assert card.send("0047000008AC06800102830180") == "6982"


# --- import of RSA keys


@pytest.mark.parametrize("encode", [signed, unsigned, padded])
def test_rsa_keys_come_with_and_without_leading_zeros(encode: Callable[[int], bytes]) -> None:
    card = with_file(rsa_file())
    assert import_key(card, 2, der(rsa_key(1024), encode)) == "9000"
    assert stored(card) == rsa_key(1024)


def test_an_rsa_2048_key_comes_in_five_parts() -> None:
    card = with_file(rsa_file(RSA_2048))
    assert len(der(rsa_key(2048), signed)) > 4 * 255
    assert import_key(card, 2, der(rsa_key(2048), signed)) == "9000"
    assert card.read(public_key())[9:265] == rsa_key(2048).n.to_bytes(256, "big")


def swapped(key: RsaPrivateKey) -> RsaPrivateKey:
    return RsaPrivateKey(key.n, key.e, key.d, key.q, key.p, key.dq, key.dp, pow(key.p, -1, key.q))


def test_p_and_q_come_in_either_order() -> None:
    for key in (rsa_key(1024), swapped(rsa_key(1024))):
        assert import_key(with_file(rsa_file()), 2, der(key, signed)) == "9000"


def test_other_public_exponents_are_taken_and_shown() -> None:
    library = rsa.generate_private_key(3, 1024)
    key = RsaPrivateKey.from_library(library)
    card = with_file(rsa_file())
    assert import_key(card, 2, der(key, signed)) == "9000"
    assert card.read(public_key()).endswith(bytes.fromhex("820103"))


def broken(name: str) -> bytes:
    key = rsa_key(1024)
    values = {field.name: getattr(key, field.name) for field in fields(key)}
    values[name] += 2
    return der(RsaPrivateKey(**values), signed)


@pytest.mark.parametrize(
    "value",
    [broken(name) for name in ("n", "e", "d", "p", "q", "dp", "dq", "qinv")]
    + [
        b"",
        b"\x30\x00",
        der(rsa_key(1024), signed) + b"\x00",
        der(rsa_key(1024), signed)[:-1],
        b"\x31" + der(rsa_key(1024), signed)[1:],
        der(rsa_key(2048), signed),
        bytes(Tlv(0x30, bytes(Tlv(0x02)) * 9)),
        bytes(Tlv(0x30, bytes(Tlv(0x02, b"\x01")) * 9)),
    ],
)
def test_a_wrong_rsa_key_is_6a80_and_changes_nothing(value: bytes) -> None:
    card = with_file(rsa_file())
    before = card.state
    assert import_key(card, 2, value) == "6A80"
    assert card.state == before


@pytest.mark.parametrize(("who", "sw"), [("nobody", "6982"), ("user", "9000"), ("admin", "6982")])
def test_only_the_user_imports_into_a_container(who: str, sw: str) -> None:
    card = GidsCard(ready_state().with_file(key_file(rsa_file(), None)))
    card.prove(who)
    assert import_key(card, 2, der(rsa_key(1024), signed)) == sw


@pytest.mark.parametrize(
    ("data", "sw"),
    [
        ("7005840182A500", "6A88"),
        ("7003840181", "6A80"),
        ("7002A500", "6A80"),
        ("7006" + "84028182A500", "6A80"),
        ("70088401" + "81A503830102", "6A80"),
        ("700D840181A508830104" + "87030102" + "03", "6A81"),
        ("7010840181A50B830102" + "840105" + "8703010203", "6A81"),
        ("7105840181A500", "6A80"),
        ("700E840181A50983020002" + "8703010203", "6A80"),
        ("700C840181A5078300" + "8703010203", "6A80"),
    ],
)
def test_put_key_refuses(data: str, sw: str) -> None:
    card = card_with_rsa()
    card.login()
    before = card.state
    assert card.send(f"00DB3FFF{len(data) // 2:02X}{data}") == sw
    assert card.state == before


def test_an_absent_transport_key_means_none() -> None:
    card = with_file(rsa_file())
    value = der(rsa_key(1024), signed)
    header = Tlv(0xA5, join([Tlv(0x83, b"\x02"), Tlv(0x87, value)]))
    assert card.chain("DB3FFF", bytes(Tlv(0x70, join([Tlv(0x84, b"\x81"), header])))) == "9000"


def test_an_empty_template_erases_the_key() -> None:
    card = card_with_rsa()
    assert card.send("00DB3FFF077005840181A500") == "6982"
    card.login()
    assert card.send("00DB3FFF077005840181A500") == "9000"
    assert stored(card) is None
    assert card.send(public_key()) == "6A88"
    assert card.sw(generate(RSA_1024)) == "9000", "the file stays, ready for another key"


# --- import of elliptic curve keys


@pytest.mark.parametrize("number", CURVES)
def test_elliptic_curve_keys_are_imported(number: int) -> None:
    key = ec_key(EC_KINDS[number])
    card = with_file(key_fcp(ec_crts(number)))
    assert import_key(card, 3, ec_value(key)) == "9000"
    assert stored(card) == key


@pytest.mark.parametrize(
    "value",
    [
        ec_value(ec_key(KeyKind.P256), point=ec_key(KeyKind.P384).point),
        ec_value(ec_key(KeyKind.P256), point=b"\x04" + bytes(64)),
        ec_value(ec_key(KeyKind.P256), point=ec_key(KeyKind.P256).point[:-1]),
        ec_value(ec_key(KeyKind.P256), scalar=b"\x00" * 32),
        ec_value(ec_key(KeyKind.P256), scalar=b"\xff" * 32),
        ec_value(ec_key(KeyKind.P384)),
        ec_value(ec_key(KeyKind.P256)) + b"\x00",
        bytes(Tlv(0x30, join([Tlv(0x02, b"\x01"), Tlv(0x04, b"\x05")]))),
        b"\x31" + ec_value(ec_key(KeyKind.P256))[1:],
        ec_value(ec_key(KeyKind.P256)).replace(b"\x02\x01\x01", b"\x02\x01\x02"),
        b"",
    ],
)
def test_a_wrong_elliptic_curve_key_is_6a80_and_changes_nothing(value: bytes) -> None:
    card = with_file(key_fcp(ec_crts(P_256)))
    before = card.state
    assert import_key(card, 3, value) == "6A80"
    assert card.state == before


def test_a_key_of_another_kind_does_not_fit_the_file() -> None:
    assert import_key(with_file(rsa_file()), 3, ec_value(ec_key(KeyKind.P256))) == "6A80"
    assert import_key(with_file(key_fcp(ec_crts(P_256))), 2, der(rsa_key(1024), signed)) == "6A80"
    assert import_key(with_file(rsa_file()), 1, ADMIN_KEY) == "6A80"


# --- the admin key

NEW_KEY = bytes.fromhex("00112233445566778899AABBCCDDEEFF0011223344556677")


def put_admin(value: bytes, kcv: bytes | None) -> str:
    check = "" if kcv is None else bytes(Tlv(0x88, kcv)).hex()
    template = bytes(Tlv(0x87, value)).hex() + check
    inner = f"840180A5{len(template) // 2:02X}{template}"
    return f"00DB3FFF{len(inner) // 2 + 2:02X}70{len(inner) // 2:02X}{inner}"


def test_key_check_values_as_in_the_reference() -> None:
    assert key_check_value(ADMIN_KEY).hex() == "4eba73"
    assert key_check_value(bytes.fromhex("0102030405060708" * 3)).hex() == "b073dc"
    assert key_check_value(bytes(24)).hex() == "8ca64d"


@pytest.mark.parametrize("kcv", [None, key_check_value(NEW_KEY), bytes.fromhex("B073DC")])
def test_the_administrator_changes_the_admin_key(kcv: bytes | None) -> None:
    """With the right check value, with OpenSC's constant one, and without any."""
    card = ready_card()
    card.prove("admin")
    command = put_admin(NEW_KEY, kcv)
    if kcv:
        assert command.upper().startswith("00DB3FFF267024840180A51F8718")
    assert card.send(command) == "9000"
    assert card.is_admin, "the admin state survives"
    card.run("00200082")
    assert card.admin_login(ADMIN_KEY) == "6982"
    assert card.admin_login(NEW_KEY) == "9000"


@pytest.mark.parametrize(
    ("value", "kcv"),
    [
        (NEW_KEY, b"\x00\x00\x00"),
        (NEW_KEY, b"\xb0\x73"),
        (NEW_KEY, b""),
        (NEW_KEY[:16], None),
        (NEW_KEY + b"\x00", None),
    ],
)
def test_a_wrong_admin_key_is_6a80(value: bytes, kcv: bytes | None) -> None:
    card = ready_card()
    card.prove("admin")
    before = card.state
    assert card.send(put_admin(value, kcv)) == "6A80"
    assert card.state == before


@pytest.mark.parametrize(("who", "sw"), [("nobody", "6982"), ("user", "6982"), ("admin", "9000"), ("both", "9000")])
def test_who_changes_the_admin_key(who: str, sw: str) -> None:
    card = ready_card()
    card.prove(who)
    assert card.send(put_admin(NEW_KEY, None)) == sw


def test_a_new_admin_key_has_all_its_tries() -> None:
    card = ready_card(admin_try_limit=5)
    card.ask_challenge()
    card.respond(bytes(8))
    card.prove("admin")
    card.run(put_admin(NEW_KEY, None))
    assert stored(card, 0x80) == AdminKey.new(NEW_KEY, try_limit=5)


def test_a_key_changed_on_another_channel_answers_no_open_challenge() -> None:
    card = ready_card()
    card.run("0070000001")
    card.prove("admin")
    card.send("01" + "22C1A403830180")
    challenge = bytes.fromhex(card.send("0187" + "0000047C02810000"))[4:12]
    card.run(put_admin(NEW_KEY, None))
    old = encrypt(ADMIN_KEY, challenge).hex()
    assert card.send(f"018700000C7C0A8208{old}00") == "6982"


# --- the key usage counter (GIDS 7.4)


def counted(uses: int) -> GidsCard:
    fcp = key_fcp([crt("B6", 0x56, more=f"A3049002{uses:04X}"), crt("B8", 0x46)])
    card = GidsCard(ready_state().with_file(key_file(fcp, rsa_key(1024))))
    card.login()
    card.run("002241B606800156840181")
    return card


SIGN = "002A9E9A0401020304"


def test_a_pin_is_good_for_as_many_uses_as_the_counter_says() -> None:
    card = counted(2)
    assert [card.sw(SIGN) for _ in range(4)] == ["9000", "9000", "6985", "6985"]
    card.run("002241B606800156840181")
    assert card.sw(SIGN) == "6985", "MSE does not start it afresh"
    card.login()
    assert [card.sw(SIGN) for _ in range(3)] == ["9000", "9000", "6985"]


def test_a_counter_of_0_never_ends() -> None:
    card = counted(0)
    assert {card.sw(SIGN) for _ in range(10)} == {"9000"}


def test_a_use_without_counter_is_not_limited_by_its_neighbour() -> None:
    card = counted(1)
    card.run(SIGN, "002241B806800146840181")
    assert card.sw(SIGN) == "6985"
    cryptogram = rsa_key(1024).library_key().public_key().encrypt(b"text", PKCS1v15()).hex()
    assert card.send(f"002A808680{cryptogram}00") == b"text".hex() + "9000"


def test_the_counter_is_shown_in_the_fcp() -> None:
    assert "A304900201F4" in counted(500).send("00A4000402B08100")
