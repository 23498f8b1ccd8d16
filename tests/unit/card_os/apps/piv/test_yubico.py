"""card_os.apps.piv.yubico: version, serial number, metadata, management key, retries, reset (piv.md section 8)."""

from dataclasses import replace

import pytest

from card_os.apps.piv.state import DEFAULT_ADMIN_KEY, AdminKey, Origin
from card_os.apps.piv.wire import PinPolicy, TouchPolicy
from card_os.key import public_objects
from card_os.key_kind import KeyKind
from card_os.symmetric import KEY_BYTES, SymmetricKey
from card_os.tlv import join
from tests.unit.card_os.apps.piv.piv_card import (
    NEW_PIN,
    NEW_PUK,
    PIN,
    PUK,
    YUBIKEY,
    PivCard,
    admin_card,
    key_of,
    new_state,
    slot_of,
)

WRONG = "393939393939FFFF"


def yubikey() -> PivCard:
    return PivCard(rules=YUBIKEY)


def test_version_and_serial_come_whether_or_not_le_is_there() -> None:
    for command in ("00FD0000", "00FD000000", "00FD000003"):
        assert yubikey().run(command) == "0507019000"
    for command in ("00F80000", "00F8000000"):
        assert yubikey().run(command) == "001122339000"


@pytest.mark.parametrize("ins", ["F6", "F7", "F8", "F9", "FA", "FB", "FD", "FE", "FF"])
def test_a_nist_card_has_none_of_these_commands(ins: str) -> None:
    assert PivCard().run(f"00{ins}0000") == "6D00"


@pytest.mark.parametrize(
    "command", ["00FD0001", "00F80100", "00FB0001", "00FB0100", "00F70180", "00FF009A1B", "00F99A01"]
)
def test_other_parameters_are_wrong(command: str) -> None:
    card = admin_card(rules=YUBIKEY)
    assert card.run(command) in ("6A86", "6700")
    assert card.run("00FDFFFF") == "6A86"


# --- metadata


def test_metadata_of_pins() -> None:
    card = yubikey()
    assert card.run("00F70080") == card.run("00F70081") == "0101FF05010106020303" + "9000"
    card.verify(WRONG)
    assert card.run("00F70080") == "0101FF05010106020302" + "9000"
    card.run("0024008010" + PIN + NEW_PIN)
    card.run("0024008110" + PUK + NEW_PUK)
    assert card.run("00F70080") == card.run("00F70081") == "0101FF05010006020303" + "9000"


def test_metadata_of_the_management_key() -> None:
    assert yubikey().run("00F7009B") == "0101030202000105010" + "19000"
    key = SymmetricKey.of(KeyKind.AES_256, bytes(32))
    card = PivCard(replace(new_state(), admin=AdminKey(key, TouchPolicy.CACHED)), YUBIKEY)
    assert card.run("00F7009B") == "01010C020200030501009000"


def test_metadata_of_slots() -> None:
    slot = slot_of(0x9A, KeyKind.P384, PinPolicy.ALWAYS, TouchPolicy.CACHED, Origin.IMPORTED)
    card = PivCard(new_state(slot, slot_of(0x9C, KeyKind.RSA_2048)), YUBIKEY)
    public = join(public_objects(key_of(KeyKind.P384))).hex().upper()
    assert card.run("00F7009A") == "010114020203030301020463" + public + "9000"
    rsa = card.read("00F7009C")
    assert rsa[:14] == bytes.fromhex("0101070202020103010104820109")[:14]
    assert rsa.endswith(bytes.fromhex("8203010001"))


@pytest.mark.parametrize("reference", ["9A", "82", "95", "F9", "96", "00", "04", "98"])
def test_what_is_not_there_has_no_metadata(reference: str) -> None:
    assert yubikey().run(f"00F700{reference}") == "6A88"


def test_older_yubikeys_have_no_metadata() -> None:
    assert YUBIKEY.yubico is not None
    rules = replace(YUBIKEY, yubico=replace(YUBIKEY.yubico, has_metadata=False))
    assert PivCard(rules=rules).run("00F7009B") == "6D00"


# --- SET MANAGEMENT KEY


@pytest.mark.parametrize(
    ("algorithm", "kind"),
    [("03", KeyKind.TDES), ("08", KeyKind.AES_128), ("0A", KeyKind.AES_192), ("0C", KeyKind.AES_256)],
)
@pytest.mark.parametrize(
    ("p2", "touch"), [("FF", TouchPolicy.NEVER), ("FE", TouchPolicy.ALWAYS), ("FD", TouchPolicy.CACHED)]
)
def test_a_management_key_of_any_cipher(algorithm: str, kind: KeyKind, p2: str, touch: TouchPolicy) -> None:
    card = admin_card(rules=YUBIKEY)
    value = bytes(range(1, 1 + KEY_BYTES[kind]))
    assert card.run(f"00FFFF{p2}{3 + len(value):02X}{algorithm}9B{len(value):02X}" + value.hex()) == "9000"
    assert card.state.admin == AdminKey(SymmetricKey.of(kind, value), touch)
    # Who has proved the old one may go on.
    assert card.put("5FC105", "00") == "9000"
    card.card.reset()
    if touch == TouchPolicy.NEVER:
        card.administer(card.state.admin.key)


def test_a_new_management_key_ends_the_proof_on_other_channels() -> None:
    card = admin_card(rules=YUBIKEY)
    card.run("0070000001")
    witness = bytes.fromhex(card.run("0187039B047C028000"))[4:12]
    proof = card.state.admin.key.decrypt_block(witness).hex()
    assert card.run("0187039B167C148008" + proof + "8108" + "00" * 8)[-4:] == "9000"
    assert card.run("01DB3FFF0A5C035FC1055303AABBCC") == "9000"
    assert card.run("00FFFFFF13089B10" + "AA" * 16) == "9000"
    assert card.run("01DB3FFF0A5C035FC1055303AABBCC") == "6982"


@pytest.mark.parametrize(
    "data",
    [
        *("00", "03", "039B", "039B17" + "00" * 23, "039B18" + "00" * 23, "039B18" + "00" * 25, "039A18" + "00" * 24),
        *("019B18" + "00" * 24, "089B18" + "00" * 24, "0C9B10" + "00" * 16, "119B20" + "00" * 32),
    ],
)
def test_a_management_key_that_is_none_changes_nothing(data: str) -> None:
    card = admin_card(rules=YUBIKEY)
    assert card.send("00FFFFFF", data) == "6A80"
    assert card.state.admin.is_default


def test_a_cipher_that_the_card_has_not() -> None:
    card = admin_card(rules=replace(YUBIKEY, ciphers=frozenset({KeyKind.TDES})))
    assert card.run("00FFFFFF13089B10" + "AA" * 16) == "6A80"
    assert PivCard(rules=YUBIKEY).run("00FFFFFF13089B10" + "AA" * 16) == "6982"


# --- SET PIN RETRIES, RESET


def test_retries_are_set_by_pin_and_management_key_and_values_are_the_default_again() -> None:
    card = admin_card(rules=YUBIKEY)
    assert card.run("00FA0504") == "6982"
    card.run("0024008010" + PIN + NEW_PIN)
    assert card.run("00FA050400") == "9000"
    assert card.tries() == (5, 4)
    assert card.run("00200080") == "63C5"
    assert card.verify() == "9000"
    assert PivCard(rules=YUBIKEY).run("00FA0504") == "6982"


@pytest.mark.parametrize("command", ["00FA0003", "00FA0300", "00FA0000"])
def test_no_tries_at_all_are_wrong(command: str) -> None:
    card = admin_card(rules=YUBIKEY)
    card.verify()
    assert card.run(command) == "6A86"
    assert card.tries() == (3, 3)


def blocked(pin: bool, puk: bool) -> PivCard:
    card = PivCard(new_state(slot_of(0x9A), slot_of(0xF9)).with_object(0x5FFF01, b"\x70\x00"), YUBIKEY)
    for _ in range(3):
        if pin:
            card.verify(WRONG)
        if puk:
            card.run("002C008010" + "FF" * 16)
    return card


def test_a_card_is_as_new_once_pin_and_puk_are_blocked() -> None:
    card = blocked(pin=True, puk=True)
    assert card.run("00FB000000") == "9000"
    assert card.tries() == (3, 3)
    assert [one.reference for one in card.state.slots] == [0xF9]
    assert [f"{one.tag:X}" for one in card.state.objects] == ["7E", "5FFF01"]
    assert card.state.admin.key.value.reveal() == DEFAULT_ADMIN_KEY
    assert card.verify() == "9000"
    assert card.run("00F80000") == "001122339000"


@pytest.mark.parametrize(("pin", "puk"), [(False, False), (True, False), (False, True)])
def test_a_card_that_can_still_be_used_is_not_reset(pin: bool, puk: bool) -> None:
    card = blocked(pin=pin, puk=puk)
    before = card.state
    assert card.run("00FB0000") == "6985"
    assert card.state == before


def test_a_reset_leaves_the_default_cipher_of_the_card_and_no_proof() -> None:
    card = PivCard(rules=replace(YUBIKEY, default_cipher=KeyKind.AES_192))
    card.administer()
    for _ in range(3):
        card.verify(WRONG)
        card.run("002C008010" + "FF" * 16)
    assert card.put("5FC105", "00") == "9000"
    assert card.run("00FB0000") == "9000"
    assert card.state.admin.key.kind == KeyKind.AES_192
    assert card.put("5FC105", "00") == "6982"
    assert card.run("00F7009B").startswith("01010A")
