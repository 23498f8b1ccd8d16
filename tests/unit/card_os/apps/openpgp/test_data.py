"""card_os.apps.openpgp.data and objects: what can be read and written, and by whom."""

import pytest

from card_os.apps.openpgp.objects import OBJECTS
from card_os.apps.openpgp.rules import Rules
from card_os.apps.openpgp.wire import Key
from card_os.key_kind import KeyKind
from card_os.tlv import parse_all
from tests.unit.card_os.apps.openpgp.openpgp_card import (
    ADMIN,
    PIN,
    VERIFY_ADMIN,
    VERIFY_USER,
    YUBIKEY,
    OpenPgpCard,
    admin_card,
    card_with,
)

BLANK = (
    "6E81FE4F10D276000124010304FFFE0000004200005F520A0031F573C001E00590007F660802020800020208007F7403810120"
    "7381CBC00A7F000400080008000001C106010800002000C206010800002000C306010800002000C407007F7F7F030003"
    + "C53C"
    + "00" * 60
    + "C63C"
    + "00" * 60
    + "CD0C"
    + "00" * 12
    + "DE06010002000300D6020020D7020020D8020020"
)


def test_application_data_of_a_blank_card_come_with_their_tag() -> None:
    assert OpenPgpCard().get("6E") == BLANK + "9000"


def test_application_data_by_short_commands_too() -> None:
    card = OpenPgpCard()
    first = card.run("00CA006E00")
    assert first[-4:] == "6101"
    assert first[:-4] + card.run("00C0000000") == BLANK + "9000"


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ("4F", "D276000124010304FFFE000000420000"),
        ("5F52", "0031F573C001E0059000"),
        ("C4", "007F7F7F030003"),
        ("5E", ""),
        ("5F50", ""),
        ("0101", ""),
        ("0102", ""),
        ("7F21", ""),
        ("65", "65085B005F2D005F3500"),
        ("7A", "7A059303000000"),
        ("93", "000000"),
        ("F9", "810100"),
        ("DE", "010002000300"),
        ("D6", "0020"),
    ],
)
def test_what_a_new_card_answers(tag: str, value: str) -> None:
    assert OpenPgpCard().get(tag) == value + "9000"


@pytest.mark.parametrize("tag", ["5F51", "FFFF", "D3", "D5", "00", "FC", "DA", "3FFF"])
def test_what_is_not_there_is_not_found(tag: str) -> None:
    card = admin_card()
    assert card.get(tag) == "6A88"
    if tag not in ("D3", "D5"):
        assert card.put(tag, "00") == "6A88"


def test_without_a_button_there_are_no_flags() -> None:
    card = OpenPgpCard(rules=Rules(has_touch=False))
    assert card.get("D6") == card.get("7F74") == "6A88"
    assert "7F74" not in card.get("6E")


def test_algorithm_information_has_everything_that_may_be_put() -> None:
    card = admin_card()
    (information,) = parse_all(card.read("00CA00FA"))
    entries = parse_all(information.value)
    for one in entries:
        assert card.put(f"{one.tag:02X}", one.value) == "9000"
        assert card.get(f"{one.tag:02X}") == one.value.hex().upper() + "9000"
    assert (information.tag, len(entries)) == (0xFA, 33)


RIGHTS = [("5B", "", ADMIN), ("0101", PIN, ""), ("0102", "", ADMIN), ("0103", PIN, ""), ("0104", "", ADMIN)]


@pytest.mark.parametrize(("tag", "pin", "admin"), RIGHTS)
def test_who_may_write(tag: str, pin: str, admin: str) -> None:
    card = OpenPgpCard()
    assert card.put(tag, "41") == "6982"
    card.run(VERIFY_USER)
    assert card.put(tag, "41") == ("9000" if pin else "6982")
    card.run(VERIFY_ADMIN)
    card.run("0020FF82")
    assert card.put(tag, "42") == ("9000" if admin else "6982")


def test_who_may_read_is_asked_before_what_is_there() -> None:
    card = OpenPgpCard()
    assert card.get("0103") == card.get("0104") == "6982"
    assert card.run(VERIFY_USER) == "9000"
    assert (card.get("0103"), card.get("0104")) == ("9000", "6982")
    assert card.run(VERIFY_ADMIN) == "9000"
    assert card.get("0104") == "9000"


@pytest.mark.parametrize(
    ("tag", "value", "answer"),
    [
        ("5B", "41" * 40, "6700"),
        ("5F2D", "6465" * 5, "6700"),
        ("5F35", "33", "6A80"),
        ("5F35", "39", "9000"),
        ("5E", "41" * 2049, "6700"),
        ("7F21", "41" * 2049, "6700"),
        ("C4", "0000", "6700"),
        ("C4", "02", "6A80"),
        ("C7", "00" * 19, "6700"),
        ("CE", "00" * 3, "6700"),
        ("D5", "00" * 24, "6700"),
        ("D6", "0320", "6A80"),
        ("D6", "0121", "6A80"),
        ("D6", "01", "6700"),
        ("C1", "", "6A80"),
        ("C1", "0104000020", "6A80"),
        ("C1", "01080000200004", "6A80"),
        ("C1", "01080000FF00", "6A80"),
        ("C1", "122B060104019755010501", "6A80"),
        ("C2", "162B06010401DA470F01", "6A80"),
        ("C1", "162A8648CE3D030107", "6A80"),
        ("C1", "13", "6A80"),
        ("C1", "FF", "6A80"),
        ("4F", "00", "6982"),
        ("C0", "00", "6982"),
        ("F9", "810103", "6A80"),
    ],
)
def test_values_that_make_no_sense(tag: str, value: str, answer: str) -> None:
    card = admin_card()
    before = card.state
    assert card.put(tag, value) == answer
    assert (card.state == before) == (answer != "9000")


def test_the_newer_object_identifiers_come_back_as_they_were_put() -> None:
    card = admin_card()
    for tag, value in (("C1", "162B6570"), ("C2", "122B656E"), ("C3", "132A8648CE3D030107FF")):
        assert card.put(tag, value) == "9000"
        assert card.get(tag) == value + "9000"


def test_other_attributes_delete_the_key_and_the_same_ones_do_not() -> None:
    card = card_with(KeyKind.ED25519)
    card.run(VERIFY_ADMIN)
    card.put("C7", "11" * 20)
    card.put("CE", "01020304")
    assert card.put("C1", "162B06010401DA470F01FF") == "9000"
    assert card.get("DE") == "0101020003009000"
    assert card.put("C1", "010800001100") == "9000"
    assert card.get("DE") == "0100020003009000"
    assert card.get("C5") == "00" * 60 + "9000"
    assert card.get("CD") == "00" * 12 + "9000"


def test_certificates_are_three_and_the_first_is_of_aut() -> None:
    card = admin_card()
    for number, (key, _) in enumerate([(Key.AUTHENTICATION, 0), (Key.DECRYPTION, 1), (Key.SIGNATURE, 2)]):
        assert card.send(f"00A5{number:02X}04", "60045C027F21") == "9000"
        assert card.put("7F21", f"3001{number:02X}") == "9000"
        slot = card.state.slot(key)
        assert slot is not None
        assert slot.certificate.hex() == f"3001{number:02x}"
    # Writing one selects the first again.
    assert card.get("7F21") == "3001009000"
    assert card.send("00CC7F21") == "3001019000"
    assert card.send("00CC7F21") == "3001029000"
    assert card.send("00CC7F21") == "6A88"
    assert card.run("00A4040006D27600012401") == "9000"
    assert card.send("00CC7F21") == "6985"
    assert card.get("7F21") == "3001009000"


def test_select_data_as_clients_send_it() -> None:
    card = OpenPgpCard()
    assert card.run("00A502040660045C027F2100") == "9000"
    assert card.run("00A50104070660045C027F21") == "9000"
    assert card.run("00A503040660045C027F21") == "6A88"
    assert card.run("00A500040660045C025F50") == "6A80"


def test_an_empty_value_as_ykman_sends_it() -> None:
    card = admin_card()
    card.put("7F21", "3000")
    assert card.run("00DA7F2100") == "9000"
    assert card.get("7F21") == "9000"


def test_a_value_in_parts() -> None:
    card = admin_card()
    assert card.run("10DA010203414141", "00DA010203424242") == "9000"
    assert card.get("0102") == "4141414242429000"


def test_a_flag_for_ever_stays() -> None:
    card = admin_card()
    assert card.put("D7", "0120") == card.put("D7", "0220") == "9000"
    assert card.put("D7", "0020") == "6985"
    assert card.get("D7") == "02209000"


def test_a_yubikey_has_a_fourth_key() -> None:
    card = admin_card(rules=YUBIKEY)
    answer = card.get("6E")
    assert answer.index("DA060108") > answer.index("C3060108")
    assert "DE080100020003008100" in answer
    for tag, value in (("DB", "22" * 20), ("DC", "33" * 20), ("DD", "01020304"), ("D9", "0320"), ("FC", "3000")):
        assert card.put(tag, value) == "9000"
        assert card.get(tag) == value + "9000"


def test_every_object_has_a_right_and_a_reader_or_a_writer() -> None:
    for tag, row in OBJECTS.items():
        assert row.get or row.put, f"{tag:X}"
