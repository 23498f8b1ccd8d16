"""SELECT in all its forms, what it answers, and what must not answer (gids.md 1)."""

from dataclasses import replace

import pytest

from card_os.apps.gids import Gids
from card_os.apps.gids.select import application_template
from card_os.apps.gids.state import GidsState, LifeCycle
from card_os.card import Card
from card_os.memory import Persistent
from tests.unit.card_os.apps.gids.gids_card import (
    SELECT_DF,
    SELECT_GIDS,
    FixedEnv,
    GidsCard,
    blank_card,
    ready_card,
    ready_state,
)
from tests.unit.each import each
from vsc.profiles import GIDS

AID = "A000000397425446590201"
FCI = "61124F0BA00000039742544659020173034001C0"
FCP = "6218820138840BA0000003974254465902018A01058C03033030"
FMD = "64095F2F01407F65028000"
FCP_A010 = "620F8201398302A0108A01058C03033000"
FCP_B080 = "621D8201188302B0808A01058C04870020FFA50BA4098001028301809501C0"
CURRENT_FCP = "00A400040200" + "0000"


@pytest.mark.parametrize("size", [5, 9, 10, 11])
def test_the_full_aid_and_its_prefixes_select_the_application(size: int) -> None:
    assert ready_card().send(f"00A40400{size:02X}{AID[: 2 * size]}00") == FCI + "9000"


@pytest.mark.parametrize(
    "aid",
    [
        AID + "00",
        "A00000039742544658",
        "A000000308000010" + "00",
        "A00000039743494445" + "01",
        "000003974254465902",
        "42544659",
    ],
)
def test_another_aid_is_not_found_and_changes_nothing(aid: str) -> None:
    card = ready_card()
    card.login()
    assert card.send(f"00A40400{len(aid) // 2:02X}{aid}00") == "6A82"
    assert card.is_user


@pytest.mark.parametrize(("p2", "answer"), [("00", FCI), ("04", FCP), ("08", FMD), ("0C", "")])
@pytest.mark.parametrize("name", ["0400 09A00000039742544659", "0000 023FFF"])
def test_p2_says_which_information_about_the_df_comes_back(name: str, p2: str, answer: str) -> None:
    le = "00" if answer else ""
    command = "00A4" + name.replace("00 ", f"{p2} ", 1).replace(" ", "") + le
    assert ready_card().send(command) == answer + "9000"


@pytest.mark.parametrize(
    ("efid", "p2", "answer"),
    [
        ("A010", "00", FCP_A010),
        ("A010", "04", FCP_A010),
        ("A010", "08", "6400"),
        ("A010", "0C", ""),
        ("B080", "04", FCP_B080),
    ],
)
def test_an_ef_is_selected_by_its_identifier(efid: str, p2: str, answer: str) -> None:
    card = ready_card()
    assert card.send(f"00A400{p2}02{efid}") == answer + "9000"
    assert efid in card.send(CURRENT_FCP)


@pytest.mark.parametrize("form", ["00", "04"])
def test_0000_tells_about_the_current_ef(form: str) -> None:
    card = ready_card()
    assert card.send(f"00A400{form}02000000") == "6A82"
    card.run("00A4000C02A010")
    assert card.send(f"00A400{form}02000000") == FCP_A010 + "9000"


@pytest.mark.parametrize("reselect", [SELECT_GIDS, SELECT_DF])
def test_selecting_the_df_again_leaves_no_current_ef(reselect: str) -> None:
    card = ready_card()
    card.run("00A4000C02A010", reselect)
    assert card.send(CURRENT_FCP) == "6A82"


def test_next_occurrence_walks_all_files_once() -> None:
    card = ready_card()
    card.run("00A4000C02A014", SELECT_DF)
    seen = [card.read("00A4000600")[7:9].hex().upper() for _ in range(7)]
    assert seen == ["A000", "A010", "A011", "A012", "A013", "A014", "B080"]
    assert card.send("00A4000600") == "6A82"
    assert "B080" in card.send(CURRENT_FCP), "a refused SELECT keeps the current EF"


@pytest.mark.parametrize(("form", "answer"), [("02", FCP_A010), ("06", FCP_A010), ("0A", "6400"), ("0E", "")])
def test_next_occurrence_answers_as_p2_wants(form: str, answer: str) -> None:
    card = ready_card()
    card.run("00A4000C02A000")
    assert card.send(f"00A400{form}") == answer + "9000"


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("00A4000C02A099", "6A82"),
        ("00A40000023F0000", "6A82"),
        ("00A40000", "6A82"),
        ("00A4000C01A0", "6700"),
        ("00A4000C03A01000", "6700"),
        ("00A4000602A010", "6700"),
        ("00A4080002A010", "6A86"),
        ("00A4090002A010", "6A86"),
        ("00A4030000", "6A86"),
        ("00A4020002A010", "6A86"),
        ("00A4010002A010", "6A86"),
        ("00A4000102A010", "6A86"),
        ("00A4001002A010", "6A86"),
        ("00A4041009A0000003974254465900", "6A86"),
        ("00A40400", "6A87"),
    ],
)
def test_refused_forms_keep_the_current_ef(command: str, sw: str) -> None:
    card = ready_card()
    card.run("00A4000C02A010")
    assert card.send(command) == sw
    assert card.send(CURRENT_FCP) == FCP_A010 + "9000"


FOREIGN = [
    "00A40400 07 6276 01FF 000000 00",
    "00A40400 06 A00000000101 00",
    "00A40400 0B E82B0601040181C31F0201 00",
    "00A4040C 0F D23300000045737445494420763335",
    "00CADF3005",
    "00CB3FFF 03 5C017E 08",
    "00CB3FFF 03 5C017E",
    "00A40400 09 A00000030800001000 00",
    "00A4040C 07 A0000001 16DB00",
    "00A4040C 07 A0000000 791000",
    *(f"00A4040C 07 A0000000 7901{last:02X}" for last in range(16)),
    "00A40400 0C F276A288BCFBA69D34F31001",
    "00A4040C 0C F276A288BCFBA69D34F31001",
    # Windows: Plug and Play, then its object.
    "00A40400 0B A0000003974349445F0100 00",
    "00CA7F6800",
    # OpenSC's search for PKCS#15, and what follows a PIN change.
    "00A40800 02 2F00 00",
    "00A4080C 02 5015",
    "00A40800 02 5015",
    "00A40800 02 5031 00",
    "00A40800 04 50154946 00",
]


def test_what_other_drivers_ask_for_is_an_error_and_loses_nothing() -> None:
    for probe in each(FOREIGN):
        for make in each([ready_card, blank_card]):
            card = make()
            card.login()
            card.exchange("00A4000C02A010")
            before = card.send(CURRENT_FCP)
            assert card.send(probe)[:2] in ("69", "6A", "6D", "6E", "67")
            assert card.send(CURRENT_FCP) == before
            assert card.is_user


@pytest.mark.parametrize("reselect", [SELECT_GIDS, SELECT_DF])
def test_a_terminated_application_answers_6285_with_its_information(reselect: str) -> None:
    card = GidsCard(replace(ready_state(), life_cycle=LifeCycle.TERMINATED))
    assert card.send(SELECT_GIDS) == FCI + "6285"
    assert card.send("00A40000023FFF00") == FCI + "6285"
    assert card.send("00A4040409A0000003974254465900") == FCP.replace("8A0105", "8A010C") + "6285"
    assert card.send(SELECT_DF) == "6285"


def test_a_card_in_the_creation_state_answers_with_what_every_card_has() -> None:
    card = GidsCard(GidsState(life_cycle=LifeCycle.CREATION, template=b"", fmd=b""))
    assert card.send(SELECT_GIDS) == FCI + "9000"
    assert card.send("00A40008023FFF") == FMD + "9000"


EF_ATR = "4301F4" + "4703D801DF" + "4607" + b"virtual".hex().upper() + "7F660A0203010008" + "0203010002"


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ("2F01 02 5C00", EF_ATR),
        ("2F01 03 5C0143", "4301F4"),
        ("2F01 03 5C0147", "4703D801DF"),
        ("2F01 03 5C015C", "5C0543" + "4746" + "7F66"),
        ("2F00 02 5C00", FCI),
        ("2F00 03 5C0161", FCI),
    ],
)
def test_ef_atr_and_ef_dir_are_free_and_select_nothing(request_: str, answer: str) -> None:
    card = ready_card()
    card.run("00A4000C02A010")
    assert card.send(f"00CB{request_}00") == answer + "9000"
    assert card.send(CURRENT_FCP) == FCP_A010 + "9000"


def test_ef_dir_names_every_application_of_the_card() -> None:
    class Second(Gids):
        aid = bytes.fromhex("F000000001")

        def template(self, state: GidsState) -> bytes:
            return bytes.fromhex("61074F05F000000001")

    first, second = Gids(), Second()
    state = ready_state()
    card = Card((first, second), Persistent(((first.aid, state), (second.aid, state))), FixedEnv(), atr=GIDS.atr)
    both = application_template(state) + second.template(state)
    for request_ in ("00CB2F00025C0000", "00CB2F00035C016100"):
        assert card.transmit(bytes.fromhex(request_)) == both + b"\x90\x00"


def test_capabilities_in_ef_atr_are_true() -> None:
    """Third byte: chaining (80), extended length (40), channels by card and host, eight or more (1F)."""
    card = ready_card()
    assert card.send("10DBA01002DF24") == "9000"
    assert card.send("00CBA010000004" + "5C02DF21" + "0000")[-4:] == "9000"
    assert [card.send("0070000001") for _ in range(7)] == [f"{number:02X}9000" for number in range(1, 8)]


@pytest.mark.parametrize("state", ["creation", "initialisation", "operational"])
def test_the_fcp_tells_the_life_cycle(state: str) -> None:
    card = GidsCard(replace(ready_state(), life_cycle=LifeCycle[state.upper()]))
    assert f"8A01{LifeCycle[state.upper()]:02X}" in card.send("00A40004023FFF")
