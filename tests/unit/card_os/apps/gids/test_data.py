"""GET DATA and PUT DATA: objects of files and of the application (gids.md 2.2, 2.3, 7.3)."""

from dataclasses import replace

import pytest

from card_os.access import AccessRule
from card_os.apps.gids import Gids
from card_os.apps.gids.state import DataFile, GidsState, LifeCycle
from card_os.pin import PinPolicy
from card_os.tlv import Tlv
from tests.unit.card_os.apps.gids.gids_card import (
    ACTIVATE,
    CARD_ID,
    DELETE,
    OTHER_PIN,
    PIN,
    SELECT_DF,
    GidsCard,
    blank_card,
    card_with_rsa,
    create,
    get,
    put,
    ready_card,
    ready_state,
)

CURRENT = "00A400040200" + "0000"
PHASES = ["CREATION", "INITIALISATION", "OPERATIONAL", "TERMINATED"]


def state_with(efid: int, *objects: Tlv) -> GidsState:
    file = ready_state().file(efid)
    assert isinstance(file, DataFile)
    return ready_state().with_file(replace(file, objects=objects))


def user_card(state: GidsState | None = None) -> GidsCard:
    card = GidsCard(state or ready_state())
    card.prove("user")
    return card


# --- GET DATA


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (get(0xA010, 0xDF23), "DF23009000"),
        (get(0xA010, 0xDF22), "DF22060000000000009000"),
        (get(0xA012, 0xDF20), f"DF2010{CARD_ID.hex().upper()}9000"),
        (get(0xA099, 0xDF1F), "6A82"),
        (get(0xA000, 0xDF20), "6A88"),
        (get(0xA014, 0xDF20), "6982"),
        (get(0xA013, 0xDF20), "6982"),
        (get(0xA011, 0xDF20), "6982"),
        (get(0xB080, 0xDF20), "6981"),
        (get(0xFFFF, 0xDF20), "6A86"),
        (get(0x0000, 0xDF20), "6986"),
        ("00CBA010035C02DF00", "6A80"),
        ("00CBA010045D02DF2100", "6A80"),
        ("00CBA010065C02DF215C0000", "6A80"),
        ("00CBA010045C02DFDF00", "6A80"),
        ("00CBA010015C00", "6A80"),
        ("00CBA010", "6700"),
        ("00CBA010025C0000", "DF21086D73637000000000DF2206000000000000DF23009000"),
        ("00CBA014025C0000", "6982"),
        ("00CBA010035C015C00", "5C06DF21DF22DF239000"),
        ("00CBA000035C015C00", "5C02DF1F9000"),
        ("00CBA010065C04DF23DF2200", "DF2300DF22060000000000009000"),
        ("00CBA010065C04DF23DF7000", "DF23009000"),
        ("00CB3FFF035C015C00", "5C0ADF1FDF21DF22DF23DF209000"),
        ("00CB3FFF045C02DF2300", "DF23009000"),
        ("00CB3FFF045C02DF7000", "6A88"),
        ("00CB3FFF045C027F6200", "6A88"),
        ("00CB3FFF045C027F6300", "6A88"),
        ("00CB3FFF045C027F7300", "6A88"),
        ("00CB3FFF045C027F7100", "7F71069701039301039000"),
        ("00CB3FFF045C027F7200", "7F72069701039301039000"),
        ("00CB3FFF075C057F717F725C00", None),
    ],
)
def test_get_data_of_a_fresh_card(command: str, answer: str | None) -> None:
    sent = ready_card().send(command)
    assert sent == answer if answer else sent.startswith("7F71069701039301037F72069701039301035C")


def test_an_unknown_file_on_a_blank_card_is_6a82_as_gids_tool_wants() -> None:
    assert blank_card().send("00CBA000045C02DF1F00") == "6A82"


def test_everything_readable_comes_with_5c00_on_the_application() -> None:
    card = ready_card()
    nobody = card.read("00CB3FFF025C0000")
    assert nobody == b"".join(card.read(f"00CB{efid}025C0000") for efid in ("A000", "A010", "A012"))
    card.prove("user")
    card.run(put(0xA013, 0xDF30, b"mine"))
    assert card.read("00CB3FFF025C0000") == nobody + bytes.fromhex("DF3004") + b"mine"
    card.run("00200082")
    assert card.read("00CB3FFF025C0000") == nobody


def test_a_readable_key_file_has_no_objects_to_give() -> None:
    assert card_with_rsa().read("00CB3FFF025C0000") == ready_card().read("00CB3FFF025C0000")


def test_an_object_that_two_files_have_comes_twice_from_the_application() -> None:
    card = user_card()
    card.run(put(0xA000, 0xDF20, b"\x01"))
    assert card.send("00CB3FFF045C02DF2000") == f"DF200101DF2010{CARD_ID.hex().upper()}9000"


def test_pin_status_counts_with_the_pin_and_puk_status_appears_with_a_puk() -> None:
    card = ready_card(puk=b"11112222", tries=5)
    card.login(b"wrong")
    card.send("002C0080" + "08" + b"wrong678".hex())
    assert card.send("00CB3FFF045C027F7100") == "7F71069701049301059000"
    assert card.send("00CB3FFF045C027F7200") == "7F72069701049301059000"
    assert card.send("00CB3FFF045C027F7300") == "7F73069701049301059000"


@pytest.mark.parametrize("command", [get(0xA010, 0xDF21), put(0xA010, 0xDF21, b"\x01")])
def test_a_successful_access_makes_the_file_current(command: str) -> None:
    card = user_card()
    card.run(command)
    assert "8302A010" in card.send(CURRENT)
    assert card.send(get(0, 0xDF22)) == "DF22060000000000009000"
    card.run(put(0, 0xDF22, b"\x07"))
    assert card.send(get(0xA010, 0xDF22)) == "DF2201079000"


@pytest.mark.parametrize(
    "command",
    [
        get(0xA010, 0xDF70),
        get(0xA014, 0xDF20),
        put(0xA012, 0xDF20, b"\x01"),
        "00DBA01003DF2405",
        get(0xB080, 0xDF20),
        get(0x2F01, 0x0043)[:8] + "035C014300",
    ],
)
def test_another_access_leaves_the_current_file(command: str) -> None:
    card = user_card()
    card.run("00A4000C02A000")
    card.send(command)
    assert "8302A000" in card.send(CURRENT)


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (251, ["9000"]),
        (252, ["9000"]),
        (253, ["6101", "9000"]),
        (300, ["6131", "9000"]),
        (507, ["6100", "9000"]),
        (508, ["6100", "6101", "9000"]),
        (1024, ["6100", "6100", "6100", "6105", "9000"]),
    ],
)
def test_a_long_answer_comes_in_parts_of_256_bytes(size: int, words: list[str]) -> None:
    value = bytes(range(256)) * 5
    whole = bytes(Tlv(0xDF24, value[:size]))
    card = GidsCard(state_with(0xA010, Tlv(0xDF24, value[:size])))
    answers = [card.send(get(0xA010, 0xDF24))]
    while answers[-1][-4:-2] == "61":
        answers.append(card.send("00C00000" + answers[-1][-2:]))
    assert "".join(answer[:-4] for answer in answers) == whole.hex().upper()
    # 508 bytes of value make 513 bytes with their header: 256 are sent, 257 are left.
    assert [answer[-4:] for answer in answers] == words


def test_le_smaller_than_the_answer_leaves_the_rest_to_get_response() -> None:
    card = ready_card()
    assert card.send("00CBA010045C02DF2102") == "DF216109"
    assert card.send("00C0000004") == "086D73636105"
    assert card.send("00C0000000") == "70000000009000"
    assert card.send("00C0000000") == "6985"


def test_any_other_command_drops_the_rest_of_an_answer() -> None:
    card = ready_card()
    assert card.sw("00CBA010045C02DF2102") == "6109"
    assert card.send("00A4000C02A010") == "9000"
    assert card.send("00C0000000") == "6985"


def test_an_answer_without_le_is_served_as_with_le_256() -> None:
    assert ready_card().send("00CBA010045C02DF23") == "DF23009000"


def test_an_extended_le_brings_everything_at_once() -> None:
    card = GidsCard(state_with(0xA010, Tlv(0xDF24, bytes(2000))))
    assert len(card.send("00CBA0100000045C02DF240000")) == 2 * (5 + 2000 + 2)


# --- PUT DATA


def test_a_new_object_with_length_0_is_made_empty_and_a_second_time_deleted() -> None:
    card = user_card()
    assert card.send(put(0xA010, 0xDF30, b"")) == "9000"
    assert card.send(get(0xA010, 0xDF30)) == "DF30009000"
    assert card.send(put(0xA010, 0xDF30, b"")) == "9000"
    assert card.send(get(0xA010, 0xDF30)) == "6A88"


def test_an_existing_object_is_deleted_at_once_by_length_0() -> None:
    card = user_card()
    card.run(put(0xA010, 0xDF30, b"text"), put(0xA010, 0xDF30, b""))
    assert card.send(get(0xA010, 0xDF30)) == "6A88"


def test_a_new_value_replaces_the_old_one_in_its_place() -> None:
    card = user_card()
    card.run(put(0xA010, 0xDF21, b"\x01\x02"))
    assert card.send("00CBA010025C0000") == "DF21020102DF2206000000000000DF23009000"


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        (put(0xA099, 0xDF30, b"\x01"), "6A82"),
        (put(0xB080, 0xDF30, b"\x01"), "6981"),
        (put(0xA012, 0xDF30, b"\x01"), "6982"),
        (put(0xFFFF, 0xDF30, b"\x01"), "6A86"),
        (put(0x0000, 0xDF30, b"\x01"), "6986"),
        (put(0x2F01, 0xDF30, b"\x01"), "6A82"),
        (put(0x2F00, 0xDF30, b"\x01"), "6A82"),
        (put(0x3FFF, 0xDF30, b"\x01"), "6A80"),
        ("00DBA01004DF300201", "6A85"),
        ("00DBA01005DF30010102", "6A85"),
        ("00DBA01007DF300101DF3100", "6A85"),
        ("00DBA01002DF30", "6A80"),
        ("00DBA01001DF", "6A80"),
        ("00DBA010", "6700"),
    ],
)
def test_refused_writes_change_nothing(command: str, sw: str) -> None:
    card = user_card()
    before = card.state
    assert card.send(command) == sw
    assert card.state == before


@pytest.mark.parametrize("size", [240, 255, 1])
def test_a_chain_of_parts_of_any_size_writes_one_object(size: int) -> None:
    value = bytes(range(256)) * 4 if size > 1 else bytes(300)
    card = user_card()
    assert card.chain("DBA010", bytes(Tlv(0xDF24, value)), size) == "9000"
    assert card.read(get(0xA010, 0xDF24)) == bytes(Tlv(0xDF24, value))


@pytest.mark.parametrize(
    ("end", "sw"),
    [
        ("00DBA010020000", "6A85"),
        ("00DBA010", "6A85"),
        ("00DBA0110186", "6A80"),
        ("00CBA010045C02DF2300", "9000"),
        ("00DBA0100500", "6700"),
        ("80DBA0100186", "6E00"),
    ],
)
def test_a_chain_that_does_not_end_well_leaves_the_old_value(end: str, sw: str) -> None:
    card = user_card()
    card.run(put(0xA010, 0xDF24, b"old"))
    before = card.state
    assert card.send("10DBA01008DF24068182838485") == "9000"
    assert card.sw(end) == sw
    assert card.state == before
    assert card.send(get(0xA010, 0xDF24)) == "DF24036F6C649000"


def test_a_chain_without_the_right_is_refused_at_its_end_and_writes_nothing() -> None:
    card = ready_card()
    before = card.state
    assert card.send("10DBA01004DF240401") == "9000"
    assert card.send("00DBA01003020304") == "6982"
    assert card.state == before


def test_another_command_ends_a_chain_and_is_carried_out() -> None:
    card = user_card()
    assert card.send("10DBA01004DF240401") == "9000"
    assert card.send(get(0xA010, 0xDF23)) == "DF23009000"
    assert card.send("00DBA01003020304")[:2] == "6A"
    assert card.send(get(0xA010, 0xDF24)) == "6A88"


def test_a_value_of_16_kb_fits_and_one_byte_more_does_not() -> None:
    card = user_card()
    assert card.chain("DBA010", bytes(Tlv(0xDF24, bytes(16 * 1024)))) == "9000"
    before = card.state
    assert card.chain("DBA010", bytes(Tlv(0xDF24, bytes(16 * 1024 + 1)))) == "6A84"
    assert card.state == before


def test_a_file_takes_100_objects_and_then_only_new_values() -> None:
    tags = [0xDF20 + i for i in range(0x5E)] + [0x5F20 + i for i in range(6)]
    card = user_card(state_with(0xA010, *(Tlv(tag, b"\x01") for tag in tags[:99])))
    assert card.send(put(0xA010, tags[99], b"\x01")) == "9000"
    assert card.send(put(0xA010, 0x5F40, b"\x01")) == "6A84"
    assert card.send(put(0xA010, 0x5F40, b"")) == "6A84"
    assert card.send(put(0xA010, tags[0], b"\x02")) == "9000"
    assert card.send(put(0xA010, tags[0], b"")) == "9000"
    assert card.send(put(0xA010, 0x5F40, b"\x01")) == "9000"


@pytest.mark.parametrize(
    ("efid", "write", "read"),
    [
        ("A000", "user admin both", "nobody user admin both"),
        ("A010", "user admin both", "nobody user admin both"),
        ("A011", "user admin both", ""),
        ("A012", "admin both", "nobody user admin both"),
        ("A013", "user admin both", "user admin both"),
        ("A014", "admin both", "admin both"),
    ],
)
@pytest.mark.parametrize("who", ["nobody", "user", "admin", "both"])
def test_who_may_write_and_read_the_six_files(efid: str, write: str, read: str, who: str) -> None:
    number = int(efid, 16)
    file = ready_state().file(number)
    assert isinstance(file, DataFile)
    card = GidsCard(ready_state().with_file(file.with_object(Tlv(0xDF40, b"\x05"))))
    card.prove(who)
    before = card.state
    assert card.send(get(number, 0xDF40)) == ("DF4001059000" if who in read.split() else "6982")
    assert card.send(f"00CB{efid}035C015C00")[-4:] == ("9000" if who in read.split() else "6982")
    assert card.send(put(number, 0xDF40, b"\x06")) == ("9000" if who in write.split() else "6982")
    assert (card.state != before) == (who in write.split())


def test_a_missing_right_is_named_in_the_reason() -> None:
    reason = ready_card().exchange(put(0xA012, 0xDF20, b"\x01")).reason
    assert reason is not None
    assert "A012" in reason.subject
    assert reason.missing == "admin key"


# --- the life cycle


@pytest.mark.parametrize(
    ("efid", "answers"),
    [
        (0xA012, ["6986", "9000", "9000", "9000"]),
        (0xA013, ["6986", "9000", "6982", "6982"]),
        (0xA011, ["6986", "9000", "6982", "6982"]),
    ],
)
def test_reads_in_every_life_cycle_state(efid: int, answers: list[str]) -> None:
    file = ready_state().file(efid)
    assert isinstance(file, DataFile)
    state = ready_state().with_file(file.with_object(Tlv(0xDF40, b"\x05")))
    for phase, answer in zip(PHASES, answers, strict=True):
        card = GidsCard(replace(state, life_cycle=LifeCycle[phase]))
        assert card.sw(get(efid, 0xDF40)) == answer, phase


@pytest.mark.parametrize(("phase", "answer"), list(zip(PHASES, ["6A86", "9000", "6982", "6985"], strict=True)))
def test_writes_in_every_life_cycle_state(phase: str, answer: str) -> None:
    card = GidsCard(replace(ready_state(), life_cycle=LifeCycle[phase]))
    assert card.send(put(0xA012, 0xDF40, b"\x05")) == answer


def test_a_file_that_is_not_active_is_free_for_all() -> None:
    rule = AccessRule.parse(bytes.fromhex("03FFFF"))
    card = GidsCard(ready_state().with_file(DataFile(0xA020, rule)))
    assert card.send(put(0xA020, 0xDF40, b"\x05")) == "9000"
    assert card.send(get(0xA020, 0xDF40)) == "DF4001059000"
    card.run("00A4000C02A020", ACTIVATE)
    assert card.send(put(0xA020, 0xDF40, b"\x05")) == "6982"
    assert card.send(get(0xA020, 0xDF40)) == "6982"


def creation_card() -> GidsCard:
    return GidsCard(GidsState(life_cycle=LifeCycle.CREATION, template=b"", fmd=b""))


TEMPLATE = "6112" + "4F0BA000000397425446590201" + "7303400140"
LOAD_TEMPLATE = "00DB000014" + TEMPLATE
LOAD_FMD = "00DB0000066404" + "5F2F0160"
LOAD_FCP = "00DB00000A6208" + "820138" + "8C03211020"


def test_the_creation_state_takes_61_64_62_and_ends() -> None:
    card = creation_card()
    card.run(LOAD_TEMPLATE, LOAD_FMD)
    assert "8A0101" in card.send("00A40004023FFF")
    card.run(LOAD_FCP)
    assert "8A0103" in card.send("00A40004023FFF")
    assert card.send("00A4040009A0000003974254465900") == TEMPLATE + "9000"
    assert card.send("00A4040809A0000003974254465900") == "6409" + "5F2F0160" + "7F65028000" + "9000"
    assert "8C03211020" in card.send("00A4040409A0000003974254465900")


def test_a_memory_template_that_was_loaded_is_not_added_again() -> None:
    card = creation_card()
    card.run(LOAD_TEMPLATE, "00DB00000B6409" + "5F2F0160" + "7F65028000")
    assert card.send("00A40008023FFF") == "6409" + "5F2F0160" + "7F65028000" + "9000"


@pytest.mark.parametrize(
    ("before", "command", "sw"),
    [
        ([], LOAD_FMD, "6985"),
        ([], LOAD_FCP, "6985"),
        ([LOAD_TEMPLATE], LOAD_TEMPLATE, "6985"),
        ([LOAD_TEMPLATE], LOAD_FCP, "6985"),
        ([], "00DBA000" + LOAD_TEMPLATE[8:], "6A86"),
        ([], "00DB00000D610B4F09A00000039742544659", "6A80"),
        ([], "00DB00000761057303400140", "6A80"),
        ([], "00DB00000761054003400140", "6A80"),
        ([LOAD_TEMPLATE], "00DB000005640380" + "0160", "6A80"),
        ([LOAD_TEMPLATE, LOAD_FMD], "00DB00000A6208" + "820139" + "8C03211020", "6A80"),
        ([LOAD_TEMPLATE, LOAD_FMD], "00DB0000056203" + "820138", "6A80"),
        ([LOAD_TEMPLATE, LOAD_FMD], "00DB0000096207" + "820138" + "8C022110", "6A80"),
    ],
)
def test_the_creation_state_refuses_what_is_out_of_order_or_wrong(before: list[str], command: str, sw: str) -> None:
    card = creation_card()
    card.run(*before)
    state = card.state
    assert card.send(command) == sw
    assert card.state == state


@pytest.mark.parametrize(
    "command",
    [
        get(0xA010, 0xDF21),
        create("620C8201398302A0008C03033000"),
        ACTIVATE,
        "0024018004" + "31323334",
        "00200080",
        "0022C1A403830180",
    ],
)
def test_nothing_else_works_in_the_creation_state(command: str) -> None:
    card = creation_card()
    assert card.send(command) == "6986"
    assert card.send(SELECT_DF) == "9000"


# --- the PIN policy as a data object

POLICY = PinPolicy(min_length=6, max_length=8)
PUT_POLICY = put(0xA012, 0xDF7E, bytes(POLICY))
GET_POLICY = get(0xA012, 0xDF7E)


def test_a_card_without_a_policy_shows_none() -> None:
    card = ready_card()
    assert card.send(GET_POLICY) == "6A88"
    assert card.send("00CBA012035C015C00") == "5C02DF209000"


def test_the_administrator_writes_the_policy_and_everybody_reads_it() -> None:
    card = ready_card()
    assert card.send(PUT_POLICY) == "6982"
    card.prove("user")
    assert card.send(PUT_POLICY) == "6982"
    card.prove("admin")
    assert card.send(PUT_POLICY) == "9000"
    assert card.state.pin_policy == POLICY
    card.card.reset()
    assert card.send(GET_POLICY) == ("DF7E2001000000060000000800000000000000000000000000000000000000020000009000")
    assert card.send("00CBA012035C015C00") == "5C04DF20DF7E9000"


@pytest.mark.parametrize(
    "value",
    [
        bytes(POLICY)[:-1],
        bytes(POLICY) + b"\x00",
        b"\x02" + bytes(POLICY)[1:],
        bytes(POLICY)[:4] + b"\x03" + bytes(POLICY)[5:],
        bytes(POLICY)[:4] + b"\x09" + bytes(POLICY)[5:],
        bytes(POLICY)[:8] + b"\x80" + bytes(POLICY)[9:],
        bytes(POLICY)[:12] + b"\x03" + bytes(POLICY)[13:],
        bytes(POLICY)[:12] + b"\x02\x00\x00\x00" * 5,
        b"",
    ],
)
def test_a_wrong_policy_is_6a80_and_changes_nothing(value: bytes) -> None:
    card = ready_card()
    card.prove("admin")
    before = card.state
    assert card.send(put(0xA012, 0xDF7E, value)) == "6A80"
    assert card.state == before


def test_the_policy_is_enforced_on_change_and_reset_until_it_is_taken_away() -> None:
    card = ready_card()
    card.prove("admin")
    card.run(PUT_POLICY)
    long = b"123456789"
    assert card.send("0024008011" + (PIN + long).hex()) == "6A80"
    assert card.send("002C028009" + long.hex()) == "6A80"
    card.run(put(0xA012, 0xDF7E, b""))
    assert card.send(GET_POLICY) == "6A88"
    assert card.send("0024008011" + (PIN + long).hex()) == "9000"
    card.prove("admin")
    assert card.send("002C028008" + OTHER_PIN.hex()) == "9000"


@pytest.mark.parametrize("after", [[], [ACTIVATE]])
@pytest.mark.parametrize("value", [b"", bytes(PinPolicy(min_length=4))])
def test_the_user_does_not_get_round_the_policy_by_making_its_file_anew(after: list[str], value: bytes) -> None:
    card = ready_card(policy=POLICY)
    card.login()
    card.run("00A4000C02A012", DELETE, create("620C8201398302A0128C03030000"), *after)
    assert card.send(put(0xA012, 0xDF7E, value)) == "6982"
    assert card.state.pin_policy == POLICY


def test_a_new_policy_replaces_the_old_one_and_shows_in_no_other_file() -> None:
    card = ready_card(policy=PinPolicy(min_length=4))
    card.prove("both")
    card.run(PUT_POLICY)
    assert card.state.pin_policy == POLICY
    assert card.send(get(0xA010, 0xDF7E)) == "6A88"
    assert card.send("00CBA013035C015C00") == "5C009000"


def test_the_policy_is_free_before_the_card_is_operational() -> None:
    card = GidsCard(replace(ready_state(), life_cycle=LifeCycle.INITIALISATION))
    assert card.send(PUT_POLICY) == "9000"


def test_the_same_tag_in_another_file_is_only_an_object() -> None:
    card = user_card()
    assert card.send(put(0xA010, 0xDF7E, b"\x01")) == "9000"
    assert card.state.pin_policy is None


def test_put_data_hides_keys_and_nothing_else() -> None:
    row = Gids().table.find(0xDB, 0xB080)
    assert row is not None
    assert all(efid in row.hides for efid in (0x3FFF, 0xB080, 0xB081, 0xB08F))
    assert not any(efid in row.hides for efid in (0xA000, 0xA010, 0xA012, 0x2F01))
