"""card_os.apps.openpgp.keys: keys are made, read and imported."""

import pytest

from card_os import key as keys
from card_os.apps.openpgp.algorithm import attributes
from card_os.apps.openpgp.wire import Key
from card_os.key_kind import KeyKind
from card_os.rsa import RsaPrivateKey
from card_os.tlv import Tlv, parse_all
from tests.unit.card_os.apps.openpgp.openpgp_card import VERIFY_ADMIN, YUBIKEY, OpenPgpCard, admin_card, card_with
from vsc.testing.quick import QuickEnv

CRTS = {Key.SIGNATURE: b"\xb6\x00", Key.DECRYPTION: b"\xb8\x00", Key.AUTHENTICATION: b"\xa4\x00"}
CURVES = [kind for kind in KeyKind if kind not in (KeyKind.TDES, KeyKind.RSA_1024) and "A" not in str(kind)[:1]][3:]
ED25519_SEED = "B98C4AF911A31C47BC08B13D569C852295D8E6BDEAA8316FE19F0334AAC010B9"
ED25519_POINT = "53D6FAC768AC2B539CDD9C3212D640BE0B1A1F3D0F229A8D475CCF1C8ECFFFD9"
X25519_SCALAR = "69F0CF182CB384B92F3F314185C7C0E7EE065B312FCFB8C103472C5B7273EF60"
X25519_POINT = "CE92CB434A892193254D60C58693CB6350E0FEE9B44004479837B4E707D68443"


def list_of(crt: bytes, *numbers: tuple[int, bytes]) -> bytes:
    """The extended header list of an import."""
    template = b"".join(bytes(Tlv(tag, value))[: -len(value)] for tag, value in numbers)
    values = b"".join(value for _, value in numbers)
    return bytes(Tlv(0x4D, crt + bytes(Tlv(0x7F48, template)) + bytes(Tlv(0x5F48, values))))


def prepared(kind: KeyKind, key: Key) -> OpenPgpCard:
    card = admin_card()
    tag = {Key.SIGNATURE: "C1", Key.DECRYPTION: "C2", Key.AUTHENTICATION: "C3"}[key]
    assert card.put(tag, attributes(kind, key).raw) == "9000"
    return card


@pytest.mark.parametrize("kind", CURVES, ids=str)
def test_a_key_is_made_of_the_kind_that_the_attributes_say(kind: KeyKind) -> None:
    key = Key.DECRYPTION if kind == KeyKind.X25519 else Key.SIGNATURE
    card = prepared(kind, key)
    crt = CRTS[key]
    made = card.read("00478000", crt)
    assert card.read("00478100", crt) == made
    slot = card.state.slot(key)
    assert slot is not None
    assert slot.stored is not None
    assert slot.stored.key.kind == kind
    ((public,),) = (parse_all(one.value) for one in parse_all(made))
    assert public.value == slot.stored.key.point  # type: ignore[union-attr]
    assert card.get("DE")[4 * (key - 1) :][:4] == f"{key:02X}01"


def test_an_rsa_key_is_modulus_and_exponent_in_minimal_form() -> None:
    card = admin_card()
    answer = card.read("00478000", b"\xb6\x00").hex().upper()
    assert answer.startswith("7F4982010981820100")
    assert answer.endswith("8203010001")
    assert len(answer) == 2 * 270
    # By a short command, in two parts.
    assert card.run("0047810002B60000")[-4:] == "610E"


def test_nothing_is_there_before() -> None:
    card = OpenPgpCard()
    for crt in ("B600", "B800", "A400", "B603840101", "A403840103"):
        assert card.send("00478100", crt) == "6A88"
    for crt in ("B603840181", "B603840104", "B603850101", "B700", "B600B800"):
        assert card.send("00478100", crt) in ("6A80", "6A88")
    assert card.send("00478000", "B600") == "6982"


def test_a_yubikey_has_a_key_of_its_own() -> None:
    card = admin_card(rules=YUBIKEY)
    assert card.send("00478100", "B603840181") == "6A88"
    assert card.put("DA", attributes(KeyKind.P256, Key.ATTESTATION).raw) == "9000"
    assert card.send("00478000", "B603840181")[-4:] == "9000"
    assert card.send("00478100", "B603840181").startswith("7F49438641")


def test_making_a_key_disturbs_no_state_and_sets_the_counter_back() -> None:
    card = card_with(KeyKind.ED25519)
    assert card.run(VERIFY_ADMIN, "00DA00C40101", "0020008106313233343536", "002A9E9A0141")[-4:] == "9000"
    assert card.get("93") == "0000019000"
    assert card.send("00478000", "B600")[-4:] == "9000"
    assert card.get("93") == "0000009000"
    assert card.run("002A9E9A0141")[-4:] == "9000"


def test_25519_keys_are_imported_as_clients_send_them() -> None:
    card = prepared(KeyKind.ED25519, Key.SIGNATURE)
    assert card.send("00DB3FFF", f"4D2AB6007F480292205F4820{ED25519_SEED}") == "9000"
    assert card.send("00478100", "B600") == f"7F49228620{ED25519_POINT}9000"
    card.put("C2", attributes(KeyKind.X25519, Key.DECRYPTION).raw)
    assert card.send("00DB3FFF", f"4D2AB8007F480292205F4820{X25519_SCALAR}") == "9000"
    assert card.send("00478100", "B800") == f"7F49228620{X25519_POINT}9000"
    assert card.get("DE") == "0102020203009000"


def test_the_point_may_come_along_and_must_be_the_right_one() -> None:
    card = prepared(KeyKind.ED25519, Key.SIGNATURE)
    body = "4D4DB6007F48049220992{}5F48{}" + ED25519_SEED
    assert card.send("00DB3FFF", body.format("1", "41") + "40" + ED25519_POINT) == "9000"
    assert card.send("00DB3FFF", body.format("1", "41") + "40" + X25519_POINT) == "6A80"


@pytest.mark.parametrize("kind", CURVES, ids=str)
def test_scalars_of_every_curve(kind: KeyKind) -> None:
    key = Key.DECRYPTION if kind == KeyKind.X25519 else Key.AUTHENTICATION
    made = keys.generate(kind, QuickEnv(1).random_bytes, QuickEnv(1).rsa_key)
    raw = bytes(made)[::-1] if kind == KeyKind.X25519 else bytes(made)
    card = prepared(kind, key)
    assert card.send("00DB3FFF", list_of(CRTS[key], (0x92, raw))) == "9000"
    # One zero too many.
    assert card.send("00DB3FFF", list_of(CRTS[key], (0x92, b"\0" + raw))) == "9000"
    slot = card.state.slot(key)
    assert slot is not None
    assert slot.stored is not None
    assert slot.stored.key == made
    assert card.send("00DB3FFF", list_of(CRTS[key], (0x92, b"\x01" + raw))) == "6A80"
    assert card.send("00DB3FFF", list_of(CRTS[key], (0x93, raw))) == "6A80"


def rsa_key() -> RsaPrivateKey:
    return QuickEnv(3).rsa_key(2048)


def number(value: int, size: int) -> bytes:
    return value.to_bytes(size, "big")


def test_rsa_keys_in_every_form() -> None:
    key, card = rsa_key(), admin_card()
    e, p, q = number(key.e, 4), number(key.p, 128), number(key.q, 128)
    crt = [(0x94, number(key.qinv, 128)), (0x95, number(key.dp, 128)), (0x96, number(key.dq, 128))]
    n = (0x97, number(key.n, 256))
    first = [(0x91, e), (0x92, p), (0x93, q)]
    for numbers in (first, [*first, n], [*first, *crt], [*first, *crt, n]):
        assert card.send("00DB3FFF", list_of(b"\xb6\x00", *numbers)) == "9000"
    assert card.send("00478100", "B600").startswith("7F4982010981820100" + number(key.n, 256).hex().upper())
    wrong = (0x97, number(key.n + 2, 256))
    assert card.send("00DB3FFF", list_of(b"\xb6\x00", *first, wrong)) == "6A80"
    assert card.send("00DB3FFF", list_of(b"\xb6\x00", (0x91, e), (0x92, p), (0x93, p))) == "6A80"
    assert card.send("00DB3FFF", list_of(b"\xb6\x00", (0x91, e), (0x92, p))) == "6A80"


def test_lengths_of_p_and_q_that_are_those_of_the_modulus() -> None:
    # As johnnycanencrypt sends it.
    key, card = rsa_key(), admin_card()
    values = number(key.e, 3) + number(key.p, 128) + number(key.q, 128)
    template = bytes.fromhex("91039282010093820100")
    body = b"\xb6\x00" + bytes(Tlv(0x7F48, template)) + bytes(Tlv(0x5F48, values))
    assert card.send("00DB3FFF", bytes(Tlv(0x4D, body))) == "9000"


def test_an_import_in_parts() -> None:
    key, card = rsa_key(), admin_card()
    raw = list_of(b"\xb6\x00", (0x91, number(key.e, 4)), (0x92, number(key.p, 128)), (0x93, number(key.q, 128)))
    rest = raw[254:]
    assert card.run("10DB3FFFFE" + raw[:254].hex(), f"00DB3FFF{len(rest):02X}" + rest.hex()) == "9000"


@pytest.mark.parametrize(
    "data",
    [
        "",
        "B600",
        "4D00",
        "4D02B600",
        "4D04B6007F48",
        "4D07B6007F48005F48",
        "4D0AB6007F480292205F480141",
        "4D05B600920100",
    ],
)
def test_what_is_no_import(data: str) -> None:
    card = admin_card()
    assert card.send("00DB3FFF", data) in ("6A80", "6700")
    assert card.state.slot(Key.SIGNATURE).stored is None  # type: ignore[union-attr]
