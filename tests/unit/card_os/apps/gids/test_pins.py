"""VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER (gids.md 5.1 to 5.4 and 7.3)."""

from dataclasses import replace

import pytest

from card_os.apps.gids.state import GidsState, LifeCycle
from card_os.memory import Persistent
from card_os.pin import CharacterRule, Pin, PinPolicy
from card_os.secret import Secret
from tests.unit.card_os.apps.gids.gids_card import (
    ACTIVATE,
    LOGOUT,
    OTHER_PIN,
    PIN,
    SELECT_DF,
    SELECT_GIDS,
    GidsCard,
    blank_card,
    card_with_rsa,
    mse,
    ready_card,
    ready_state,
)

PUK = b"99998888"
STATE = "00200080"
WRONG = b"00000000"


def change(old: bytes, new: bytes, p2: str = "80") -> str:
    return f"002400{p2}{len(old + new):02X}{(old + new).hex()}"


def set_new(new: bytes, p2: str = "80") -> str:
    return f"002401{p2}{len(new):02X}{new.hex()}"


def reset(new: bytes, p1p2: str = "0280") -> str:
    return f"002C{p1p2}{len(new):02X}{new.hex()}"


def blocked_state() -> GidsState:
    return replace(ready_state(), pin=Pin(Secret(PIN), 3, 0))


# --- VERIFY


def test_the_right_pin_verifies() -> None:
    card = ready_card()
    assert card.login() == "9000"
    assert card.send(STATE) == "9000"


def test_a_pin_that_is_blocked_is_proved_on_no_channel() -> None:
    card = ready_card()
    card.run("0070000001", "0120008008" + PIN.hex())
    assert [card.login(WRONG), card.login(WRONG), card.send("01200080")] == ["63C2", "63C1", "9000"]
    assert [card.login(WRONG), card.send("01200080")] == ["63C0", "6983"]


def test_wrong_pins_count_down_to_blocked() -> None:
    card = ready_card()
    assert [card.login(WRONG) for _ in range(5)] == ["63C2", "63C1", "63C0", "6983", "6983"]
    assert card.login() == "6983", "the right PIN comes too late"
    assert card.send(STATE) == "6983"


def test_the_right_pin_gives_all_tries_back() -> None:
    card = ready_card()
    card.login(WRONG)
    card.login(WRONG)
    assert card.login() == "9000"
    assert card.state.pin.tries_left == 3


def test_a_wrong_pin_takes_the_verification_back() -> None:
    card = ready_card()
    card.login()
    assert card.login(WRONG) == "63C2"
    assert card.send(STATE) == "63C2"


@pytest.mark.parametrize("guess", [b"1", b"123", PIN[:-1], PIN + b"9", b"\x00" * 8, b"1" * 127, b"1" * 128, b"1" * 255])
def test_an_impossible_length_is_a_wrong_pin(guess: bytes) -> None:
    card = ready_card()
    card.login()
    assert card.login(guess) == "63C2"
    assert card.send(STATE) == "63C2"


def test_the_policy_is_not_applied_to_verify() -> None:
    policy = PinPolicy(min_length=4, digits=CharacterRule.ALLOW, uppercase=CharacterRule.DISALLOW)
    card = ready_card(policy=policy)
    assert card.login(b"ABC") == "63C2"
    # A PIN from before the policy stays good.
    strict = PinPolicy(min_length=20)
    card = GidsCard(replace(ready_state(), pin_policy=strict))
    assert card.login() == "9000"


@pytest.mark.parametrize("command", ["00200080", "0020008000"])
def test_an_empty_verify_tells_the_state_and_never_counts(command: str) -> None:
    card = ready_card()
    before = card.state
    assert [card.send(command) for _ in range(20)] == ["63C3"] * 20
    card.login(WRONG)
    assert [card.send(command) for _ in range(20)] == ["63C2"] * 20
    card.login()
    assert [card.send(command) for _ in range(3)] == ["9000"] * 3
    assert card.state == before
    assert GidsCard(blocked_state()).send(command) == "6983"


@pytest.mark.parametrize("data", ["", "00", "083132333435363738"])
def test_82_logs_user_and_admin_out_whatever_data_it_has(data: str) -> None:
    card = ready_card()
    card.prove("both")
    assert card.send(LOGOUT + data) == "9000"
    assert not card.is_user
    assert not card.is_admin
    assert card.state == ready_state()


def test_82_succeeds_when_nobody_was_logged_in() -> None:
    assert ready_card().send(LOGOUT) == "9000"


@pytest.mark.parametrize("p2", ["00", "01", "81", "83", "FF"])
@pytest.mark.parametrize("data", ["", "0431323334"])
def test_an_unknown_reference_is_not_found(p2: str, data: str) -> None:
    card = ready_card()
    assert card.send(f"002000{p2}{data}") == "6A88"
    assert card.state == ready_state()


@pytest.mark.parametrize("p1", ["01", "80", "FF"])
def test_p1_of_verify_is_00(p1: str) -> None:
    card = ready_card()
    card.login()
    assert card.send(f"0020{p1}80") == "6A86"
    assert card.is_user


def test_a_pin_may_come_as_a_chain() -> None:
    card = ready_card()
    assert card.send("1020008004" + PIN[:4].hex()) == "9000"
    assert not card.is_user
    assert card.chain("200080", PIN, 3) == "9000"
    assert card.is_user


@pytest.mark.parametrize("forget", ["reset", "power"])
def test_a_reset_forgets_what_was_verified_and_keeps_the_counter(forget: str) -> None:
    card = ready_card()
    card.prove("both")
    card.send(change(WRONG, OTHER_PIN))
    card.prove("user")
    if forget == "reset":
        card.card.reset()
    else:
        card.card.power_off()
        card.card.power_on()
    assert card.send(STATE) == "63C3"
    assert not card.is_admin
    card.login(WRONG)
    card.card.reset()
    assert card.send(STATE) == "63C2"


def test_the_counter_is_stored_before_the_comparison() -> None:
    """Whoever cuts the power during the comparison has spent a try."""
    seen: list[Persistent] = []
    card = ready_card()
    card.card._memory._store = seen.append
    card.login()
    tries = [state.pin.tries_left for new in seen for _, state in new.applications if isinstance(state, GidsState)]
    assert tries == [2, 3]


@pytest.mark.parametrize(
    ("phase", "empty", "full"),
    [
        ("CREATION", "6986", "6986"),
        ("INITIALISATION", "9000", "6986"),
        ("OPERATIONAL", "63C3", "9000"),
        ("TERMINATED", "6985", "6985"),
    ],
)
def test_verify_in_every_life_cycle_state(phase: str, empty: str, full: str) -> None:
    card = GidsCard(replace(ready_state(), life_cycle=LifeCycle[phase]))
    assert card.send(STATE) == empty
    assert card.login() == full


@pytest.mark.parametrize(
    "command",
    [STATE, STATE + "08" + PIN.hex(), change(PIN, OTHER_PIN), change(b"", OTHER_PIN), reset(OTHER_PIN)],
)
def test_an_operational_card_without_a_pin_has_no_such_reference(command: str) -> None:
    """A PIN is made in the initialisation state or never (GIDS 7.2): nobody can smuggle one in later."""
    card = GidsCard(replace(ready_state(), pin=Pin(None, 3, 3)))
    card.prove("admin")
    before = card.state
    assert card.send(command) == "6A88"
    assert card.state == before


# --- CHANGE REFERENCE DATA


@pytest.mark.parametrize("new", [b"1234", b"\x00\xff\x20\x80", b"x" * 127])
def test_change_sets_the_new_pin_and_leaves_it_verified(new: bytes) -> None:
    card = ready_card()
    card.login(WRONG)
    assert card.send(change(PIN, new)) == "9000"
    assert card.is_user
    assert card.state.pin == Pin(Secret(new), 3, 3)
    card.card.reset()
    assert card.login(PIN) == "63C2"
    assert card.login(new) == "9000"


@pytest.mark.parametrize("old", [WRONG, PIN[:4], b""])
def test_a_wrong_old_pin_counts(old: bytes) -> None:
    card = ready_card()
    card.login()
    assert card.send(change(old, b"abcd")) == "63C2"
    assert not card.is_user
    assert card.send(change(old, b"abcd")) == "63C1"
    assert card.send(change(old, b"abcd")) == "63C0"
    assert card.send(change(PIN, OTHER_PIN)) == "6983"
    assert card.state.pin.value == Secret(PIN)


@pytest.mark.parametrize("new", [b"", b"123", b"1" * 128, b"1" * 247])
def test_a_refused_new_pin_leaves_the_old_one_verified_with_all_tries(new: bytes) -> None:
    card = ready_card()
    card.login(WRONG)
    assert card.send(change(PIN, new)) == "6A80"
    assert card.state == ready_state()
    assert card.is_user
    assert card.login(PIN) == "9000"


STRICT = PinPolicy(
    min_length=6,
    max_length=10,
    uppercase=CharacterRule.REQUIRE_AT_LEAST_ONE,
    lowercase=CharacterRule.REQUIRE_AT_LEAST_ONE,
    digits=CharacterRule.REQUIRE_AT_LEAST_ONE,
    special=CharacterRule.DISALLOW,
)


@pytest.mark.parametrize(
    ("new", "sw"),
    [
        (b"Abcde1", "9000"),
        (b"Abcdefgh12", "9000"),
        (b"Abcd1", "6A80"),
        (b"Abcdefgh123", "6A80"),
        (b"abcde1", "6A80"),
        (b"ABCDE1", "6A80"),
        (b"Abcdef", "6A80"),
        (b"Abcde1!", "6A80"),
        (b"Abcde1 ", "6A80"),
        (b"Abcde1\xc3\xa4", "6A80"),
    ],
)
def test_every_way_to_a_new_pin_asks_the_policy(new: bytes, sw: str) -> None:
    state = replace(ready_state(puk=PUK), pin_policy=STRICT)
    card = GidsCard(state)
    assert card.send(change(PIN, new)) == sw
    card = GidsCard(state)
    assert card.send(reset(PUK + new, "0080")) == sw
    card = GidsCard(replace(ready_state(), pin_policy=STRICT))
    card.prove("admin")
    assert card.send(reset(new)) == sw
    card = blank_card(pin_policy=STRICT)
    assert card.send(set_new(new)) == sw


def test_the_policy_is_not_the_puks() -> None:
    card = blank_card(pin_policy=STRICT)
    assert card.send(set_new(b"1234", "81")) == "9000"
    assert card.send(set_new(b"123", "81")) == "6A80"


@pytest.mark.parametrize("p2", ["80", "81"])
def test_a_new_value_alone_is_for_the_initialisation_state(p2: str) -> None:
    card = blank_card()
    assert card.send(set_new(b"24681357", p2)) == "9000"
    assert card.send(set_new(b"13572468", p2)) == "9000", "and as often as one likes"
    before = card.state
    assert card.send(change(b"13572468", PIN, p2)) == "6986"
    assert card.state == before
    card.run(ACTIVATE)
    before = card.state
    assert card.send(set_new(PIN, p2)) == "6986"
    assert card.state == before


@pytest.mark.parametrize("p2", ["00", "01", "82", "FF"])
@pytest.mark.parametrize("p1", ["00", "01"])
def test_change_knows_no_other_reference(p1: str, p2: str) -> None:
    for card in (blank_card(), ready_card()):
        before = card.state
        assert card.send(f"0024{p1}{p2}0831323334" + "35363738") in ("6A88", "6986")
        assert card.state == before
    assert ready_card().send(f"002400{p2}0831323334" + "35363738") == "6A88"


@pytest.mark.parametrize(("command", "sw"), [("00240280" + "0431323334", "6A86"), ("00240080", "6700")])
def test_change_refuses_wrong_forms(command: str, sw: str) -> None:
    assert ready_card().send(command) == sw


def test_change_of_the_puk_compares_and_counts_the_puk() -> None:
    card = ready_card(puk=PUK)
    assert card.send(change(WRONG, b"77776666", "81")) == "63C2"
    assert card.state.pin.tries_left == 3
    assert card.send(change(PUK, b"77776666", "81")) == "9000"
    assert card.state.puk == Pin(Secret(b"77776666"), 3, 3)
    assert not card.is_user, "a PUK verifies no PIN"


def test_verify_of_the_puk_compares_and_counts_the_puk() -> None:
    card = ready_card(puk=PUK)
    assert card.send("00200081") == "63C3"
    assert card.send("0020008108" + WRONG.hex()) == "63C2"
    card.login()
    assert card.send("00200081") == "63C2", "a verified PIN verifies no PUK"
    card.run(LOGOUT)
    assert card.send("0020008108" + PUK.hex()) == "9000"
    assert card.send("00200081") == "63C3"
    assert not card.is_user


# --- RESET RETRY COUNTER


@pytest.mark.parametrize("make", [ready_state, blocked_state])
def test_the_admin_key_resets_the_pin_and_everything_verified_is_forgotten(make: type[GidsState]) -> None:
    card = GidsCard(make())
    card.login()
    card.prove("admin")
    assert card.send(reset(OTHER_PIN)) == "9000"
    assert card.state.pin == Pin(Secret(OTHER_PIN), 3, 3)
    assert not card.is_admin
    assert card.send(STATE) == "63C3"
    assert card.send(reset(PIN)) == "6982"
    assert card.login(OTHER_PIN) == "9000"


@pytest.mark.parametrize("who", ["nobody", "user"])
def test_nobody_else_resets_the_pin(who: str) -> None:
    card = ready_card()
    card.prove(who)
    before = card.state
    assert card.send(reset(OTHER_PIN)) == "6982"
    assert card.state == before
    assert card.is_user == (who == "user")


@pytest.mark.parametrize("new", [b"123", b"1" * 128])
def test_a_refused_reset_keeps_the_admin_authentication(new: bytes) -> None:
    card = GidsCard(blocked_state())
    card.prove("admin")
    assert card.send(reset(new)) == "6A80"
    assert card.state == blocked_state()
    assert card.is_admin
    assert card.send(reset(OTHER_PIN)) == "9000"


@pytest.mark.parametrize(
    ("p1p2", "sw"),
    [("0200", "6A88"), ("0281", "6A88"), ("0282", "6A88"), ("0080", "6A88"), ("0081", "6A88"), ("0180", "6A86")],
)
def test_reset_knows_only_the_pin_and_without_a_puk_only_the_admin_form(p1p2: str, sw: str) -> None:
    card = ready_card()
    card.prove("admin")
    before = card.state
    assert card.send(reset(PUK + OTHER_PIN, p1p2)) == sw
    assert card.state == before
    assert card.is_admin


@pytest.mark.parametrize("phase", ["INITIALISATION", "TERMINATED"])
def test_reset_is_for_the_operational_state(phase: str) -> None:
    card = GidsCard(replace(ready_state(), life_cycle=LifeCycle[phase]))
    assert card.send(reset(OTHER_PIN)) == ("6986" if phase == "INITIALISATION" else "6985")


def puk_card() -> GidsCard:
    """A card as personalised with a PUK by APDU: 24 01 81 while initialising."""
    card = blank_card()
    card.run(set_new(PIN), set_new(PUK, "81"), SELECT_DF, ACTIVATE)
    return card


def test_the_puk_resets_a_blocked_pin_and_leaves_the_security_status() -> None:
    card = puk_card()
    for _ in range(4):
        card.login(WRONG)
    assert card.send(reset(WRONG + OTHER_PIN, "0080")) == "63C2"
    assert card.send(reset(PUK + OTHER_PIN, "0080")) == "9000"
    assert card.state.puk.tries_left == card.state.puk.try_limit, "both counters are at their limits"
    assert card.state.pin == Pin(Secret(OTHER_PIN), 3, 3)
    assert card.send(STATE) == "63C3"
    card.login(OTHER_PIN)
    assert card.send(reset(PUK + PIN, "0080")) == "9000"
    assert card.is_user


def test_wrong_puks_block_the_puk_but_not_the_pin() -> None:
    card = ready_card(puk=PUK)
    answers = [card.send(reset(WRONG + OTHER_PIN, "0080")) for _ in range(4)]
    assert answers == ["63C2", "63C1", "63C0", "6983"]
    assert card.send(reset(PUK + OTHER_PIN, "0080")) == "6983"
    assert card.login() == "9000"


def test_a_right_puk_with_a_bad_pin_is_6a80_and_spends_no_try() -> None:
    card = ready_card(puk=PUK)
    before = card.state
    assert card.send(reset(PUK + b"123", "0080")) == "6A80"
    assert card.state == before


def test_a_card_with_a_puk_is_not_reset_by_the_admin_key() -> None:
    card = ready_card(puk=PUK)
    card.prove("admin")
    assert card.send(reset(OTHER_PIN)) == "6985"
    assert card.state.pin.value == Secret(PIN)


def test_a_reset_forgets_the_security_environment() -> None:
    card = card_with_rsa()
    card.prove("both")
    card.run(mse("B6", 0x56), reset(OTHER_PIN))
    card.login(OTHER_PIN)
    assert card.send("002A9E9A020102") == "6985"


@pytest.mark.parametrize("reselect", [SELECT_GIDS, SELECT_DF])
def test_selecting_the_application_again_keeps_what_was_verified(reselect: str) -> None:
    card = ready_card()
    card.prove("both")
    card.run(reselect)
    assert card.is_user
    assert card.is_admin
