"""The faults of the applet in the field (gids.md 10.1) must not come back; one test for each, by its number there."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from card_os.access import AccessRule
from card_os.apps.gids.state import LifeCycle
from tests.unit.card_os.apps.gids.gids_card import (
    ACTIVATE,
    ASK_CHALLENGE,
    DELETE,
    LOGOUT,
    OTHER_PIN,
    PIN,
    FixedEnv,
    GidsCard,
    card_with_ec,
    card_with_rsa,
    create,
    crt,
    exchange_crts,
    get,
    key_fcp,
    key_file,
    mse,
    put,
    ready_card,
    ready_state,
    rsa_key,
)

SIGN = "002A9E9A020102"


def test_hole_1_nothing_is_deleted_or_terminated_without_authentication() -> None:
    card = card_with_rsa()
    before = card.state
    for file in card.state.files:
        card.run(f"00A4000C02{file.efid:04X}")
        assert card.send(DELETE) == "6982"
    assert card.send("00E60000") == "6982"
    assert card.state == before


def test_hole_2_a_terminated_card_verifies_and_writes_nothing() -> None:
    rule = AccessRule.parse(bytes.fromhex("23003030"))
    card = GidsCard(replace(ready_state(), rule=rule))
    card.prove("both")
    card.run("00E60000")
    before = card.state
    assert card.send("00A4040C09A00000039742544659") == "6285"
    assert card.login() == "6985"
    assert card.send(put(0xA010, 0xDF21, b"")) == "6985"
    assert card.send(create("620C8201398302A0208C03033000")) == "6985"
    assert card.state == before
    assert card.state.life_cycle == LifeCycle.TERMINATED


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("00CBA010025D00", "6A80"),
        (get(0xA010, 0xDF70), "6A88"),
        (create(key_fcp(exchange_crts(6))), "6A89"),
        ("002A9E9A020102", "6985"),
        (mse("B6", 0x58), "6A80"),
        ("00CB3FFF0A7008840182A5037F498000", "6A88"),
        (mse("B6", 0x56, 0x82), "6A88"),
        ("00DBA01003DF2402", "6A85"),
    ],
)
def test_hole_3_every_error_has_its_own_status_word(command: str, sw: str) -> None:
    state = ready_state().with_file(key_file(key_fcp(exchange_crts(6)), rsa_key(1024)))
    card = GidsCard(state.with_file(key_file(key_fcp(exchange_crts(6, 0x82), 0xB082), None)))
    card.login()
    assert card.send(command) == sw


def test_hole_4_empty_verify_says_9000_when_verified_and_a_wrong_length_counts() -> None:
    card = ready_card()
    card.login()
    assert card.send("00200080") == "9000"
    assert card.login(b"1") == "63C2"
    assert card.send("00200080") == "63C2"


def test_hole_5_the_pin_is_not_replaced_without_the_old_one_in_operation() -> None:
    card = ready_card()
    card.login()
    before = card.state
    assert card.send("0024018008" + OTHER_PIN.hex()) == "6986"
    assert card.state == before
    assert card.is_user


def test_hole_6_nothing_is_signed_after_logout() -> None:
    card = card_with_rsa()
    card.login()
    card.run(mse("B6", 0x56), SIGN, LOGOUT)
    assert card.send(SIGN) == "6985"
    card.login()
    card.run(mse("B6", 0x56))
    card.login(b"wrong")
    assert card.send(SIGN) == "6982", "PSO asks for the PIN as MSE does"


@pytest.mark.parametrize("inner", ["0397425446", "0000039742", "54465902", "9742544659"])
def test_hole_7_an_inner_part_of_the_aid_selects_nothing(inner: str) -> None:
    assert ready_card().send(f"00A40400{len(inner) // 2:02X}{inner}00") == "6A82"


def test_hole_8_a_padding_indicator_is_possible() -> None:
    cryptogram = rsa_key(1024).library_key().public_key().encrypt(b"text", PKCS1v15()).hex()
    card = card_with_rsa()
    card.login()
    card.run(mse("B8", 0x46))
    for data in (cryptogram, "00" + cryptogram):
        assert card.send(f"002A8086{len(data) // 2:02X}{data}00") == b"text".hex().upper() + "9000"


def test_hole_9_challenges_do_not_follow_from_what_the_host_sends() -> None:
    card = ready_card()
    seen = set()
    for _ in range(20):
        card.send("0022C1A403830180")
        seen.add(card.send("0087000014" + "7C128110" + "11" * 16 + "00"))
        seen.add(card.send(ASK_CHALLENGE))
    assert len(seen) == 40


def test_hole_10_admin_keys_have_a_counter_if_wanted_and_no_user_makes_one() -> None:
    card = ready_card(admin_try_limit=1)
    card.ask_challenge()
    assert card.respond(bytes(8)) == "6982"
    assert card.admin_login() == "6983"
    card = ready_card()
    card.login()
    assert card.send(create(key_fcp([crt("A4", 2, 0x82, usage=0x80)], 0xB082))) == "6982"
    # An asymmetric or missing key under A4 is a status word, not an exception.
    card = card_with_ec()
    card.login()
    card.run("002241A403840181")
    assert card.send(ASK_CHALLENGE) == "6A81"
    card.run("00A4000C02B081", DELETE)
    assert card.send(ASK_CHALLENGE) == "6A88"


def test_hole_11_the_list_of_tags_is_a_list_ef_dir_is_there_and_no_global_pin_is_claimed() -> None:
    card = ready_card()
    assert card.send("00CBA010035C015C00") == "5C06DF21DF22DF239000"
    assert card.send("00CB2F00025C0000") == "61124F0BA00000039742544659020173034001C09000"
    assert "5F2F0140" in card.send("00A40008023FFF")
    assert card.send("00200000" + "08" + PIN.hex()) == "6A88"


def test_hole_12_keys_above_2048_bits_are_imported() -> None:
    card = GidsCard(ready_state(), FixedEnv())
    card.login()
    card.run(create(key_fcp(exchange_crts(8))), ACTIVATE)
    value = bytes(rsa_key(3072, 1))
    header = bytes.fromhex("830102840100") + b"\x87\x82" + len(value).to_bytes(2, "big") + value
    template = b"\x84\x01\x81\xa5\x82" + len(header).to_bytes(2, "big") + header
    assert card.chain("DB3FFF", b"\x70\x82" + len(template).to_bytes(2, "big") + template) == "9000"
    file = card.state.key_file(0x81)
    assert file is not None
    assert file.key == rsa_key(3072, 1)
