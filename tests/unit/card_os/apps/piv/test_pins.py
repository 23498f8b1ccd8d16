"""card_os.apps.piv.pins: VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER (SP 800-73-5 part 2, 3.2.1 to 3.2.3)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_os.apps.piv.personalisation import new_pin, personalised
from card_os.apps.piv.pins import is_well_formed
from card_os.apps.piv.rules import Rules
from card_os.apps.piv.wire import UsagePolicy
from card_os.pin import Pin
from tests.unit.card_os.apps.piv.piv_card import (
    NEW_PIN,
    NEW_PUK,
    PIN,
    PUK,
    STRICT,
    YUBIKEY,
    PivCard,
    contactless,
    new_state,
    slot_of,
)

WRONG = "393939393939FFFF"
BOTH = pytest.mark.parametrize("rules", [STRICT, YUBIKEY], ids=["NIST", "YubiKey"])


@BOTH
def test_a_right_pin_is_verified_until_the_reset(rules: Rules) -> None:
    card = PivCard(rules=rules)
    assert card.run("00200080") == "63C3"
    assert card.verify() == "9000"
    # The query comes as case 1 and, from yubico-piv-tool, with a fifth byte 00.
    assert card.run("00200080") == card.run("0020008000") == "9000"
    card.card.reset()
    assert card.run("00200080") == "63C3"


@BOTH
def test_a_wrong_pin_costs_a_try_and_ends_the_proof(rules: Rules) -> None:
    card = PivCard(rules=rules)
    assert card.verify() == "9000"
    assert card.verify(WRONG) == "63C2"
    assert card.run("00200080") == "63C2"
    assert card.verify() == "9000"
    assert card.tries() == (3, 3)


def test_a_blocked_pin_stays_blocked() -> None:
    for rules, query in ((STRICT, "63C0"), (YUBIKEY, "6983")):
        card = PivCard(rules=rules)
        assert [card.verify(WRONG) for _ in range(3)] == ["63C2", "63C1", "63C0"]
        assert card.verify() == "6983"
        assert card.run("00200080") == query
        assert card.tries() == (0, 3)


@pytest.mark.parametrize("malformed", ["FFFFFFFFFFFFFFFF", "3132333435FFFFFF", "41424344454647FF", "313233FF343536FF"])
def test_what_cannot_be_a_pin_costs_nothing_or_a_try(malformed: str) -> None:
    card = PivCard()
    card.verify()
    assert card.verify(malformed) == "6A80"
    assert (card.tries(), card.run("00200080")) == ((3, 3), "9000")
    card = PivCard(rules=YUBIKEY)
    card.verify()
    assert card.verify(malformed) == "63C2"
    assert card.run("00200080") == "63C2"


@pytest.mark.parametrize("size", [1, 6, 7, 9, 16])
def test_a_value_has_8_bytes(size: int) -> None:
    card = PivCard()
    assert card.run(f"00200080{size:02X}" + "31" * size) == "6700"
    assert card.run(f"00240080{size + 8:02X}" + "31" * (size + 8))[:2] in ("67", "6A", "63")
    assert card.run("0024008008" + PIN) == card.run("002C008008" + PUK) == card.run("00240080") == "6700"
    assert card.tries()[1] == 3


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("0020008108" + PUK, "6A88"),
        ("00200081", "6A88"),
        ("00200000", "6A88"),
        ("0020000008" + PIN, "6A88"),
        ("00200096", "6A88"),
        ("00200098", "6A88"),
        ("0020018008" + PIN, "6A86"),
        ("0020FF8008" + PIN, "6700"),
        ("0020FF81", "6A88"),
        ("0024000010" + PIN + NEW_PIN, "6A88"),
        ("0024008210" + PIN + NEW_PIN, "6A88"),
        ("0024018010" + PIN + NEW_PIN, "6A86"),
        ("002C008110" + PUK + NEW_PUK, "6A88"),
        ("002C000010" + PUK + NEW_PIN, "6A88"),
        ("002C018010" + PUK + NEW_PIN, "6A86"),
    ],
)
def test_other_references_and_parameters_change_nothing(command: str, answer: str) -> None:
    card = PivCard()
    before = card.state
    assert card.run(command) == answer
    assert card.state == before


def test_log_out_ends_the_proof_and_keeps_the_counter() -> None:
    card = PivCard()
    card.verify(WRONG)
    assert card.run("0020FF80") == "9000"
    assert card.run("00200080") == "63C2"
    card.verify()
    assert card.run("0020FF80") == "9000"
    assert card.run("00200080") == "63C3"


def test_a_proof_ends_on_other_channels_once_the_pin_is_blocked_or_changed() -> None:
    for commands in (["0020008008" + WRONG] * 3, ["0024008010" + PIN + NEW_PIN], ["002C008010" + PUK + NEW_PIN]):
        card = PivCard()
        assert card.run("0070000001") == "019000"
        assert card.run("0120008008" + PIN) == "9000"
        for command in commands:
            card.run(command)
        assert card.run("01200080")[:3] == "63C"


# --- CHANGE REFERENCE DATA


@BOTH
def test_a_pin_is_changed_and_then_verified(rules: Rules) -> None:
    card = PivCard(rules=rules)
    card.verify(WRONG)
    assert card.run("0024008010" + PIN + NEW_PIN) == "9000"
    assert card.run("00200080") == "9000"
    assert card.verify(NEW_PIN) == "9000"
    assert card.verify(PIN) == "63C2"


@BOTH
def test_a_puk_is_changed(rules: Rules) -> None:
    card = PivCard(rules=rules)
    assert card.run("0024008110" + PUK + NEW_PUK) == "9000"
    assert card.run("0024008110" + PUK + NEW_PUK) == "63C2"
    assert card.run("002C008010" + NEW_PUK + NEW_PIN) == "9000"
    assert card.tries() == (3, 3)


def test_a_wrong_old_value_costs_a_try_and_a_malformed_new_one_nothing() -> None:
    card = PivCard()
    card.verify()
    assert card.run("0024008010" + WRONG + NEW_PIN) == "63C2"
    assert card.run("00200080") == "63C2"
    assert card.run("0024008010" + PIN + "FF" * 8) == "6A80"
    assert card.run("0024008010" + WRONG + "FF" * 8) == "6A80"
    assert card.tries() == (2, 3)
    # A YubiKey compares first.
    card = PivCard(rules=YUBIKEY)
    assert card.run("0024008010" + WRONG + "FF" * 8) == "63C2"
    assert card.run("0024008010" + PIN + "FF" * 8) == "6A80"
    assert card.verify() == "9000"


def test_no_value_is_changed_once_blocked() -> None:
    card = PivCard()
    for _ in range(3):
        card.run("0024008110" + NEW_PUK + NEW_PUK)
    assert card.run("0024008110" + PUK + NEW_PUK) == "6983"
    assert card.run("002C008010" + PUK + NEW_PIN) == "6983"


# --- RESET RETRY COUNTER


@pytest.mark.parametrize("was_verified", [True, False])
def test_a_puk_gives_a_new_pin_and_leaves_the_proof_as_it_was(was_verified: bool) -> None:
    card = PivCard()
    if was_verified:
        card.verify()
    assert card.run("002C008010" + PUK + NEW_PIN) == "9000"
    assert card.run("00200080") == ("9000" if was_verified else "63C3")
    assert card.verify(NEW_PIN) == "9000"


def test_a_wrong_puk_costs_a_try_of_its_own_and_ends_the_proof() -> None:
    card = PivCard()
    card.verify()
    assert card.run("002C008010" + NEW_PUK + NEW_PIN) == "63C2"
    assert card.tries() == (3, 2)
    assert card.run("00200080") == "63C3"
    assert card.run("002C008010" + PUK + "FF" * 8) == "6A80"
    assert card.tries() == (3, 2)


def test_ykman_blocks_a_puk_with_values_that_are_none() -> None:
    card = PivCard(rules=YUBIKEY)
    assert [card.run("002C008010" + "FF" * 16) for _ in range(4)] == ["63C2", "63C1", "63C0", "6983"]


# --- the global PIN


def global_card() -> PivCard:
    policy = UsagePolicy.PIN | UsagePolicy.GLOBAL_PIN
    state = personalised(policy=policy, preference=0x10, global_pin=new_pin(b"888888", 5))
    return PivCard(state.with_slot(slot_of(0x9A)))


def test_a_global_pin_has_its_own_counter_and_opens_the_same_keys() -> None:
    card = global_card()
    sign = "0087119A267C2482008120" + "11" * 32 + "00"
    assert card.run("00200000") == "63C5"
    assert card.run(sign) == "6982"
    assert card.run("0020000008" + PIN) == "63C4"
    assert card.run("0020000008" + b"888888".hex() + "FFFF") == "9000"
    assert card.run(sign)[-4:] == "9000"
    assert card.run("00200080") == "63C3"
    assert card.run("0024000010" + b"888888".hex() + "FFFF" + NEW_PIN) == "9000"
    assert card.run("0020FF00") == "9000"
    assert card.run("0020000008" + NEW_PIN) == "9000"


def test_a_global_pin_that_the_policy_does_not_name_is_none() -> None:
    card = PivCard(replace(new_state(), global_pin=new_pin(b"888888")))
    assert card.run("00200000") == "6A88"


# --- without contact


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("00200080", "6982"),
        ("0020008008" + PIN, "6982"),
        ("0020FF80", "6982"),
        ("0024008010" + PIN + NEW_PIN, "6982"),
        ("0024008110" + PUK + NEW_PUK, "6982"),
        ("002C008010" + PUK + NEW_PIN, "6A81"),
    ],
)
def test_no_pin_without_contact_and_without_a_secure_channel(command: str, answer: str) -> None:
    card = PivCard(rules=contactless())
    before = card.state
    assert card.run(command) == answer
    assert card.state == before


# --- what is a PIN


@given(st.binary(min_size=8, max_size=8))
def test_a_pin_is_6_to_8_characters_then_ff(value: bytes) -> None:
    body = value.rstrip(b"\xff")
    is_digits = all(0x30 <= byte <= 0x39 for byte in body)
    assert is_well_formed(value, 0x80, STRICT) == (len(body) >= 6 and is_digits)
    assert is_well_formed(value, 0x80, YUBIKEY) == (len(body) >= 6)
    assert is_well_formed(value, 0x81, STRICT)


@pytest.mark.parametrize("tries", [1, 15])
def test_a_counter_of_any_size_is_shown(tries: int) -> None:
    pin = Pin(new_pin(b"123456").value, tries, tries)
    assert PivCard(replace(new_state(), pin=pin)).run("00200080") == f"63C{tries:X}"
