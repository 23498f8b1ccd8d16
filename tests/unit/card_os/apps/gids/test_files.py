"""CREATE, ACTIVATE, DELETE FILE and TERMINATE DF: the life cycle (gids.md 3 and 4)."""

from dataclasses import replace

import pytest

from card_os.access import AccessRule
from card_os.apps.gids.state import DataFile, GidsState, KeyFile, LifeCycle, file_life_cycle
from tests.unit.card_os.apps.gids.gids_card import (
    ACTIVATE,
    DELETE,
    PIN,
    SELECT_DF,
    SELECT_GIDS,
    GidsCard,
    blank_card,
    card_with_rsa,
    create,
    exchange_crts,
    get,
    key_fcp,
    put,
    ready_card,
    ready_state,
)
from tests.unit.each import each

NEW = "620C8201398302A0208C03033000"
KEY = key_fcp(exchange_crts(6))
TERMINATE = "00E60000"
CURRENT = "00A400040200" + "0000"


def life_cycle(card: GidsCard, efid: str) -> str:
    fcp = card.send(f"00A4000402{efid}00")
    return fcp[fcp.index("8A01") + 4 :][:2]


def terminable(rule: str = "2320" + "3030") -> GidsCard:
    """A card whose DF rule says who may terminate: the administrator."""
    return GidsCard(replace(ready_state(), rule=AccessRule.parse(bytes.fromhex(rule))))


@pytest.mark.parametrize(("who", "sw"), [("nobody", "6982"), ("user", "9000"), ("admin", "9000"), ("both", "9000")])
def test_files_are_created_and_deleted_by_user_or_administrator(who: str, sw: str) -> None:
    card = ready_card()
    card.prove(who)
    assert card.send(create(NEW)) == sw
    card.run("00A4000C02A013")
    assert card.send(DELETE) == sw
    assert (card.state.file(0xA020) is not None) == (sw == "9000")
    assert (card.state.file(0xA013) is None) == (sw == "9000")


def test_a_new_file_is_current() -> None:
    card = blank_card()
    card.run(create(NEW))
    assert "8302A020" in card.send(CURRENT)


@pytest.mark.parametrize(
    ("fcp", "sw"),
    [
        ("620C8201398302A0108C03033000", "6A89"),
        ("620C8201398302FFFF8C03033000", "6A80"),
        ("620F8201398302A0208A01058C03033000", "6A80"),
        (key_fcp(exchange_crts(6), 0xB080), "6A89"),
    ],
)
def test_a_refused_file_leaves_the_current_one(fcp: str, sw: str) -> None:
    card = ready_card()
    card.login()
    card.run("00A4000C02A010")
    before = card.state
    assert card.send(create(fcp)) == sw
    assert card.state == before
    assert "8302A010" in card.send(CURRENT)


def test_there_is_room_for_64_files() -> None:
    card = blank_card()
    for number in range(64):
        card.run(create(f"620C8201398302C0{number:02X}8C03033000"))
    assert card.send(create(NEW)) == "6A84"
    card.run(ACTIVATE, SELECT_DF, ACTIVATE)
    card.send("00A4000C02C000")
    assert len(card.state.files) == 64


def test_create_file_needs_data() -> None:
    assert blank_card().send("00E00000") == "6700"


# --- activation


@pytest.mark.parametrize("command", ["00440000", "0044000000"])
def test_activation_with_and_without_le(command: str) -> None:
    card = blank_card()
    assert card.send(command) == "9000"
    assert card.state.life_cycle == LifeCycle.OPERATIONAL


def test_activation_acts_on_the_current_file_first() -> None:
    card = blank_card()
    card.run(create(NEW), ACTIVATE)
    assert life_cycle(card, "A020") == "05"
    assert life_cycle(card, "3FFF") == "03"
    card.run(SELECT_DF, ACTIVATE)
    assert life_cycle(card, "3FFF") == "05"


def test_activating_twice_changes_nothing() -> None:
    card = ready_card()
    card.prove("both")
    before = card.state
    card.run(SELECT_DF, ACTIVATE, "00A4000C02A010", ACTIVATE)
    assert card.state == before
    assert card.is_user, "an activation that changes nothing forgets nothing"


def test_activating_the_application_forgets_everything_verified() -> None:
    card = GidsCard(replace(ready_state(), life_cycle=LifeCycle.INITIALISATION))
    assert card.send("00200080") == "9000"
    card.run(SELECT_DF, ACTIVATE)
    assert card.send("00200080") == "63C3"
    assert not card.is_admin


@pytest.mark.parametrize(
    ("rule", "before", "after"),
    [("033000", "9000", "6982"), ("030000", "9000", "9000"), ("03FF00", "9000", "6982")],
)
def test_rules_hold_once_file_and_application_are_operational(rule: str, before: str, after: str) -> None:
    card = blank_card()
    card.run(create(f"620C8201398302A0208C03{rule}"))
    write = put(0xA020, 0xDF30, b"\x01")
    assert card.send(write) == before
    card.run(ACTIVATE)
    assert card.send(write) == before, "the application is not yet operational"
    card.run(SELECT_DF, ACTIVATE)
    assert card.send(write) == after


def test_opensc_loads_before_and_the_minidriver_text_after_activation() -> None:
    card = blank_card()
    card.run(
        f"0024018008{PIN.hex()}",
        create(NEW),
        ACTIVATE,
        put(0xA020, 0xDF30, b"\x01"),
        SELECT_DF,
        ACTIVATE,
    )
    assert card.send(put(0xA020, 0xDF31, b"\x01")) == "6982"
    card.login()
    assert card.send(put(0xA020, 0xDF31, b"\x01")) == "9000"


def test_a_file_deleted_on_another_channel_cannot_be_activated() -> None:
    state = replace(ready_state(), rule=AccessRule.parse(bytes.fromhex("030000")))
    card = GidsCard(state)
    card.run("0070000001", "00A4000C02A010", "01A4000C02A010", DELETE)
    assert card.send("01440000") == "6A82"
    assert card.send("01" + DELETE[2:]) == "6A82"


# --- life-cycle bytes of files


def test_life_cycle_bytes_of_data_files() -> None:
    card = blank_card()
    card.run(create(NEW))
    assert life_cycle(card, "A020") == "03"
    card.run(ACTIVATE)
    assert life_cycle(card, "A020") == "05"
    card.run(SELECT_DF, ACTIVATE)
    assert life_cycle(card, "A020") == "05", "bit b2 tells when the file was made"
    card = ready_card()
    card.login()
    card.run(create(NEW))
    assert life_cycle(card, "A020") == "03"
    card.run(ACTIVATE)
    assert life_cycle(card, "A020") == "07"


def test_a_key_file_is_deactivated_while_it_has_no_key() -> None:
    card = ready_card()
    card.login()
    card.run(create(KEY))
    assert life_cycle(card, "B081") == "03"
    card.run(ACTIVATE)
    assert life_cycle(card, "B081") == "06"
    card.run("0047000008AC0680010683018100")
    assert life_cycle(card, "B081") == "07"
    card.run("00DB3FFF077005840181A500")
    assert life_cycle(card, "B081") == "06"


def test_a_key_made_before_activation_is_activated_at_once() -> None:
    card = blank_card()
    card.run(create(KEY), "0047000008AC0680010683018100")
    assert life_cycle(card, "B081") == "03", "the key alone activates nothing"
    card.run(ACTIVATE)
    assert life_cycle(card, "B081") == "05"


@pytest.mark.parametrize("born", [False, True])
def test_the_byte_by_the_table(born: bool) -> None:
    rule = AccessRule()
    late = 0x02 if born else 0
    assert file_life_cycle(DataFile(1, rule, is_active=True, born_operational=born)) == 0x05 | late
    assert file_life_cycle(KeyFile(1, rule, (), is_active=True, born_operational=born)) == 0x04 | late
    assert file_life_cycle(DataFile(1, rule, born_operational=born)) == 0x03


# --- deletion


def test_after_deletion_the_df_is_current() -> None:
    card = ready_card()
    card.login()
    card.run("00A4000C02A010", DELETE)
    assert card.send(CURRENT) == "6A82"
    assert card.send(DELETE) == "6986", "nothing is selected"
    assert card.send("00A4000C02A010") == "6A82"
    assert card.send(get(0xA010, 0xDF21)) == "6A82"


def test_nothing_is_deleted_without_a_current_file() -> None:
    card = ready_card()
    card.prove("both")
    before = card.state
    for reselect in (SELECT_DF, SELECT_GIDS):
        card.run(reselect)
        assert card.send(DELETE) == "6986"
    assert card.state == before


@pytest.mark.parametrize("data", ["0100", "02A010", "02A01000"])
def test_delete_file_takes_no_data(data: str) -> None:
    card = ready_card()
    card.login()
    card.run("00A4000C02A010")
    assert card.send(DELETE + data) == "6700"


def test_a_deleted_key_file_takes_its_key_with_it() -> None:
    card = card_with_rsa()
    card.login()
    card.run("00A4000C02B081", DELETE, create(KEY), ACTIVATE)
    assert card.send("00CB3FFF0A7008840181A5037F498000") == "6A88"


def test_files_are_not_deleted_before_the_card_is_operational() -> None:
    card = blank_card()
    card.run(create(NEW))
    assert card.send(DELETE) == "6986"


# --- termination


@pytest.mark.parametrize("who", ["nobody", "user", "admin", "both"])
def test_nobody_terminates_a_card_whose_rule_does_not_name_it(who: str) -> None:
    card = ready_card()
    card.prove(who)
    before = card.state
    assert card.send(TERMINATE) == "6982"
    assert card.state == before


@pytest.mark.parametrize(("who", "sw"), [("nobody", "6982"), ("user", "6982"), ("admin", "9000"), ("both", "9000")])
def test_who_may_terminate_is_in_the_rule_of_the_df(who: str, sw: str) -> None:
    card = terminable()
    card.prove(who)
    assert card.send(TERMINATE) == sw
    assert (card.state.life_cycle == LifeCycle.TERMINATED) == (sw == "9000")


def test_a_rule_loaded_in_the_creation_state_can_allow_termination() -> None:
    card = GidsCard(GidsState(life_cycle=LifeCycle.CREATION, template=b"", fmd=b""))
    card.run(
        "00DB00000F610D4F0BA000000397425446590201",
        "00DB00000664045F2F0140",
        "00DB00000B62098201388C0423000000",
    )
    card.run(SELECT_DF, ACTIVATE, TERMINATE)
    assert card.send(SELECT_GIDS)[-4:] == "6285"


def test_after_termination_only_free_objects_can_be_read() -> None:
    for command, sw in each(
        [
            (get(0xA010, 0xDF21), "9000"),
            (get(0xA012, 0xDF20), "9000"),
            (get(0xA013, 0xDF20), "6982"),
            (get(0xA014, 0xDF20), "6982"),
            ("00CB2F01025C0000", "9000"),
            ("00CB3FFF025C0000", "9000"),
            ("00CB3FFF045C027F7100", "9000"),
            (put(0xA010, 0xDF21, b"\x01"), "6985"),
            ("00200080", "6985"),
            ("0020008008" + PIN.hex(), "6985"),
            ("0024008010" + PIN.hex() * 2, "6985"),
            ("0024018008" + PIN.hex(), "6985"),
            ("002C028008" + PIN.hex(), "6985"),
            ("0022C1A403830180", "6985"),
            ("00870000047C02810000", "6985"),
            ("002A9E9A020102", "6985"),
            ("0047000008AC06800106830181", "6985"),
            ("00880000047C02810000", "6985"),
            (create(NEW), "6985"),
            (DELETE, "6985"),
            (ACTIVATE, "6985"),
            (TERMINATE, "6985"),
        ]
    ):
        card = terminable("2300" + "3030")
        card.prove("both")
        card.run(TERMINATE)
        before = card.state
        assert card.sw(command) == sw
        assert card.state == before


def test_what_was_proved_before_termination_opens_nothing_after_it() -> None:
    card = terminable()
    card.prove("both")
    card.run("0070000001", "0120008008" + PIN.hex(), TERMINATE)
    assert card.send("00CBA013025C0000") == "6982"
    assert card.send("01CBA013025C0000") == "6982", "nor on another channel"


def test_terminate_takes_no_data_and_is_for_the_operational_state() -> None:
    card = terminable("2300" + "0000")
    assert card.send(TERMINATE + "0100") == "6700"
    assert blank_card().send(TERMINATE) == "6986"
