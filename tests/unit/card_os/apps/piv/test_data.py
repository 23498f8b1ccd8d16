"""card_os.apps.piv.data: GET DATA and PUT DATA (SP 800-73-5 part 2, 3.1.2 and 3.3.2)."""

from dataclasses import replace

import pytest

from card_os.apps.piv.containers import CERTIFICATES, CONTAINERS
from card_os.apps.piv.personalisation import CARD_ID_PREFIX, FASC_N
from card_os.apps.piv.wire import Tag
from tests.unit.card_os.apps.piv.piv_card import (
    GUID,
    STRICT,
    YUBIKEY,
    PivCard,
    admin_card,
    contactless,
    new_state,
)

PIN_OBJECTS = {"5FC103", "5FC108", "5FC109", "5FC121", "5FC123"}
OPEN_OBJECTS = {"5FC101", "5FC102", "5FC122", "7E", "7F61"}
NAMES = [f"{tag:X}" for tag in CONTAINERS]


def test_there_are_all_objects_of_table_3() -> None:
    assert len(NAMES) == 36
    assert {f"{one.tag:X}" for one in CONTAINERS.values() if one.needs_pin} == PIN_OBJECTS
    assert {f"{one.tag:X}" for one in CONTAINERS.values() if one.is_open} == OPEN_OBJECTS
    assert CERTIFICATES[0x82] == 0x5FC10D
    assert CERTIFICATES[0x95] == 0x5FC120


def test_a_new_card_says_who_it_is() -> None:
    card = PivCard()
    assert card.get("7E") == "7E124F0BA0000003080000100001005F2F0240009000"
    chuid = "3019" + FASC_N.hex() + "3410" + GUID.hex() + "3508" + b"20491231".hex() + "3E00FE00"
    assert card.get("5FC102") == f"533B{chuid}9000".upper()
    ccc = "F015" + CARD_ID_PREFIX.hex() + GUID[:14].hex() + "F10121F20121F300F40100F50110F600F700FA00FB00FC00FD00FE00"
    assert card.get("5FC107") == f"5333{ccc}9000".upper()


def test_long_answers_come_in_parts_and_in_one_piece() -> None:
    value = bytes(range(256)) * 8
    card = admin_card()
    assert card.put("5FC105", value) == "9000"
    whole = card.read("00CB3FFF", "5C035FC105")
    assert whole == b"\x53\x82\x08\x00" + value
    # OpenSC asks for 8 bytes first, to learn how long the object is.
    assert card.run("00CB3FFF055C035FC10508") == whole[:8].hex().upper() + "6100"
    got, answer = b"", bytes.fromhex(card.run("00CB3FFF055C035FC10500"))
    while answer[-2] == 0x61:
        got += answer[:-2]
        answer = bytes.fromhex(card.run("00C00000"))
    assert got + answer[:-2] == whole


def test_a_chain_writes_an_object() -> None:
    card = admin_card()
    data = bytes.fromhex("5C035FC105538201000102") + bytes(254)
    for at in range(0, 255, 255):
        assert card.run("10DB3FFFFF" + data[at : at + 255].hex()) == "9000"
    assert card.run(f"00DB3FFF{len(data) - 255:02X}" + data[255:].hex()) == "9000"
    assert card.read("00CB3FFF", "5C035FC105") == data[5:]


@pytest.mark.parametrize("name", NAMES)
def test_every_object_is_written_by_the_administrator_alone_read_back_and_deleted(name: str) -> None:
    card = PivCard(new_state(guid=None).without_object(Tag.DISCOVERY))
    value = "4F01AA5F2F024000"
    bare = name in ("7E", "7F61")
    command = name + "08" + value if bare else f"5C{len(name) // 2:02X}{name}5308{value}"
    before = card.state
    assert card.send("00DB3FFF", command) == "6982"
    assert card.state == before
    card.administer()
    assert card.send("00DB3FFF", command) == "9000"
    if name in PIN_OBJECTS:
        assert card.get(name) == "6982"
        card.verify()
    assert card.get(name) == (name if bare else "53") + "08" + value + "9000"
    empty = name + "00" if bare else f"5C{len(name) // 2:02X}{name}5300"
    assert card.send("00DB3FFF", empty) == "9000"
    assert card.get(name) == "6A82"
    assert card.send("00DB3FFF", empty) == "9000"


@pytest.mark.parametrize("name", sorted(PIN_OBJECTS))
def test_who_may_read_is_asked_before_what_is_there(name: str) -> None:
    card = PivCard()
    assert card.get(name) == "6982"
    card.verify()
    assert card.get(name) == "6A82"


@pytest.mark.parametrize("name", NAMES)
def test_without_contact_open_objects_alone_are_read(name: str) -> None:
    card = PivCard(new_state().with_object(int(name, 16), b"\x01"), contactless())
    card.verify()
    assert card.get(name)[-4:] == ("9000" if name in OPEN_OBJECTS else "6982")
    assert card.put("5FC102", "00") == "6A81"


@pytest.mark.parametrize("name", ["5FC124", "5FC100", "5FFF00", "5FFF15", "5F0000", "6F", "01", "7F49"])
def test_other_objects_do_not_exist_but_on_a_yubikey(name: str) -> None:
    card = admin_card()
    assert card.get(name) == "6A82"
    assert card.put(name, "0102") == "6A81"
    card = admin_card(rules=YUBIKEY)
    exists = name.startswith("5F")
    assert card.get(name) == "6A82"
    assert card.put(name, "0102") == ("9000" if exists else "6A81")
    assert card.get(name) == ("530201029000" if exists else "6A82")


@pytest.mark.parametrize(
    "data",
    ["00", "5C", "5C00", "5C045FC10200", "5C035FC1", "53035FC102", "5C035FC1025300", "5C035FC1025C017E", "5F2F00"],
)
def test_a_request_holds_one_tag(data: str) -> None:
    assert PivCard().send("00CB3FFF", data) == "6A80"


@pytest.mark.parametrize(
    "data",
    [
        *("00", "5300", "5C035FC105", "5C035FC10571025300", "53005C035FC105", "5C035FC1055301", "5C017E53024000"),
        *("7E0100", "7E054F00AABBCC", "7E074F01AA5F2F0140", "7E055F2F024000", "7E034F01AA", "7E027F61", "7E007E00"),
    ],
)
def test_what_cannot_be_written_changes_nothing(data: str) -> None:
    card = admin_card()
    before = card.state
    assert card.send("00DB3FFF", data) == ("9000" if data == "7E00" else "6A80")
    assert card.state == before


@pytest.mark.parametrize("command", ["00CB0000055C035FC102", "00CB3FFE055C035FC102", "00DB00000A5C035FC1025300"])
def test_p1_p2_are_3fff(command: str) -> None:
    assert PivCard().run(command) in ("6A86", "6700")
    assert PivCard().run("00CB3FFF") == "6700"


def test_an_object_has_a_bound_and_so_have_all_together() -> None:
    card = admin_card(rules=replace(STRICT, max_object_bytes=100, max_bytes=300))
    assert card.put("5FC105", bytes(101)) == "6A84"
    assert card.put("5FC105", bytes(100)) == "9000"
    assert card.put("5FC10A", bytes(100)) == "6A84"
    assert card.get("5FC10A") == "6A82"
    assert card.put("5FC105", b"\x01" * 100) == "9000"


def test_a_certificate_is_replaced_as_a_whole() -> None:
    card = admin_card()
    card.put("5FC105", "7003AABBCC710100FE00")
    card.put("5FC105", "7001AA710100FE00")
    assert card.get("5FC105") == "53087001AA710100FE009000"


def test_objects_are_equal_whichever_was_written_first() -> None:
    one, other = new_state(), new_state()
    assert one.with_object(1, b"a").with_object(2, b"b") == other.with_object(2, b"b").with_object(1, b"a")
