"""card_os.apps.openpgp.pins: three passwords, their states and counters."""

import pytest

from tests.unit.card_os.apps.openpgp.openpgp_card import (
    ADMIN,
    CODE,
    NEW_PIN,
    PIN,
    TELLING,
    VERIFY_ADMIN,
    VERIFY_SIGNING,
    VERIFY_USER,
    OpenPgpCard,
    admin_card,
)

WRONG = "393939393939"


@pytest.mark.parametrize(("reference", "right"), [("81", PIN), ("82", PIN), ("83", ADMIN)])
def test_a_query_says_how_many_tries_are_left_and_costs_none(reference: str, right: str) -> None:
    card = OpenPgpCard()
    assert card.run(f"002000{reference}") == "63C3"
    assert card.run(f"002000{reference}{len(right) // 2:02X}{right}") == "9000"
    assert card.run(f"002000{reference}") == "9000"
    assert card.run(f"0020FF{reference}", f"002000{reference}") == "63C3"
    assert card.tries == (3, 0, 3)


def test_the_pin_has_two_states_and_one_counter() -> None:
    card = OpenPgpCard()
    assert card.run(VERIFY_SIGNING, "00200082") == "63C3"
    assert card.run("0020008206" + WRONG) == "6982"
    assert card.tries == (2, 0, 3)
    # A wrong PIN as 82 leaves 81 alone, and the other way round.
    assert card.run("00200081") == "9000"
    assert card.run(VERIFY_USER, "0020008106" + WRONG, "00200082") == "9000"
    assert card.run("00200081") == "63C2"


@pytest.mark.parametrize("length", [1, 5, 8, 32, 200])
def test_a_wrong_password_of_any_length_is_counted_and_the_third_blocks(length: int) -> None:
    card, command = OpenPgpCard(), f"00200081{length:02X}" + "40" * length
    assert card.run(command) == "6982"
    assert card.tries == (2, 0, 3)
    assert card.run(command, command) == "6982"
    assert card.run(VERIFY_SIGNING) == "6983"
    assert card.run(VERIFY_USER) == "6983"


def test_some_cards_say_how_many_tries_are_left() -> None:
    card = OpenPgpCard(rules=TELLING)
    assert [card.run("0020008306" + WRONG) for _ in range(4)] == ["63C2", "63C1", "63C0", "6983"]


def test_a_blocked_pin_proves_nothing_any_more_on_any_channel() -> None:
    card = OpenPgpCard()
    assert card.run(VERIFY_SIGNING, VERIFY_USER, "0070000001") == "019000"
    other = "01" + VERIFY_SIGNING[2:]
    assert card.run("01A4040006D27600012401", other) == "9000"
    for _ in range(3):
        card.run("0020008206" + WRONG)
    assert [card.run(one) for one in ("00200081", "00200082", "01200081")] == ["63C0"] * 3


def test_change_knows_where_the_old_one_ends() -> None:
    card = OpenPgpCard()
    assert card.run(VERIFY_SIGNING, "002400810E" + PIN + "3837363534333231") == "9000"
    assert card.run("00200081") == "63C3"
    assert card.run("0020008108" + "3837363534333231") == "9000"
    assert card.run("0024008310" + ADMIN + "3837363534333231") == "9000"
    assert card.run(VERIFY_ADMIN) == "6982"


def test_a_wrong_old_one_is_counted_and_a_new_one_of_a_wrong_length_refused() -> None:
    card = OpenPgpCard()
    assert card.run("002400810C" + WRONG + NEW_PIN) == "6982"
    assert card.tries == (2, 0, 3)
    assert card.run("002400810B" + PIN + "3132333435") == "6700"
    assert card.run(VERIFY_SIGNING) == "9000"
    assert card.run("002400830F" + ADMIN + "31323334353637") == "6700"
    assert card.run("00240082" + "0C" + PIN + NEW_PIN) == "6A86"


def test_the_resetting_code_unblocks() -> None:
    card = admin_card()
    assert card.run("002C00810E" + CODE + NEW_PIN) == "6982"
    assert card.put("D3", CODE) == "9000"
    assert card.tries == (3, 3, 3)
    for _ in range(3):
        card.run("0020008106" + WRONG)
    assert card.run("002C00810E" + ADMIN + NEW_PIN) == "6982"
    assert card.tries == (0, 2, 3)
    assert card.run("002C00810E" + CODE + NEW_PIN) == "9000"
    assert card.tries == (3, 3, 3)
    assert card.run("0020008106" + NEW_PIN) == "9000"
    assert card.put("D3") == "9000"
    assert card.tries == (3, 0, 3)
    assert card.put("D3", "31") == "6700"


def test_a_resetting_code_can_be_blocked() -> None:
    card = admin_card()
    assert card.put("D3", CODE) == "9000"
    for _ in range(3):
        assert card.run("002C00810E" + ADMIN + NEW_PIN) == "6982"
    assert card.run("002C00810E" + CODE + NEW_PIN) == "6983"


def test_the_administrator_unblocks() -> None:
    card = OpenPgpCard()
    assert card.run("002C028106" + NEW_PIN) == "6982"
    for _ in range(3):
        card.run("0020008106" + WRONG)
    assert card.run(VERIFY_ADMIN, "002C028105" + "3132333435") == "6700"
    assert card.run("002C028106" + NEW_PIN) == "9000"
    assert card.run("0020008206" + NEW_PIN) == "9000"


def test_selecting_again_keeps_what_was_verified_and_so_does_a_select_that_fails() -> None:
    card = OpenPgpCard()
    assert card.run(VERIFY_USER, "00A4040006D27600012401", "00200082") == "9000"
    assert card.run("00A4040009A00000030800001000", "00200082") == "9000"
    assert card.run("00A4000C023F00") == "6A82"
    assert card.run("00200082") == "9000"
    card.card.reset()
    assert card.run("00200082") == "63C3"
