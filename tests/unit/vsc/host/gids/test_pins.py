"""PIN and PUK: tries, policy, verify, change, reset."""

from dataclasses import replace

import pytest

from card_os.card import Card
from card_os.pin import CharacterRule, PinPolicy
from tests.unit.vsc.host.cards import FCI, RESPOND, SELECT, Cut, Refusing, Script, Wrapped, host, new_card, state_of
from tests.unit.vsc.samples import PIN, PIN_HEX, state
from vsc.errors import (
    AuthenticationRequired,
    CardRemoved,
    PinBlocked,
    PinPolicyViolation,
    RefusedError,
    UnexpectedStatus,
    UnsupportedCard,
    WrongAdminResponse,
    WrongPin,
)
from vsc.host import AdminForm, AdminKeyResponder, Tries

NEW = b"97531864"
PUK = b"11223344"


def with_puk() -> Card:
    start = state()
    return new_card(replace(start, puk=start.puk.with_value(PUK)))


def blocked() -> Card:
    card = new_card()
    for _ in range(3):
        with pytest.raises(WrongPin):
            host(card).verify_pin(b"00000000")
    return card


# --- tries


def test_tries_as_the_card_tells_them() -> None:
    gids = host(new_card())
    assert gids.pin_tries() == Tries(3, 3)
    with pytest.raises(WrongPin) as wrong:
        gids.verify_pin(b"00000000")
    assert wrong.value.tries_left == 2
    assert gids.pin_tries() == Tries(2, 3)
    gids.verify_pin(PIN)
    assert gids.pin_tries() == Tries(3, 3)


@pytest.mark.parametrize(
    ("answer", "tries"),
    [("63C2", Tries(2, None)), ("63C0", Tries(0, None)), ("6983", Tries(0, None)), ("9000", None), ("6A88", None)],
)
def test_tries_by_an_empty_verify_where_there_is_no_status(answer: str, tries: Tries | None) -> None:
    status = ("00CB3FFF045C027F7100", "6A88"), ("00CB3FFF045C027F7200", "6A88")
    assert host(Script((SELECT, FCI), *status, ("00200080", answer))).pin_tries() == tries


@pytest.mark.parametrize(
    ("status", "tries"),
    [
        ("7F71069701039301039000", Tries(3, 3)),
        ("7F71079F17010293010F9000", Tries(2, 15)),
        ("7F710A9F170101970102930105 9000", Tries(2, 5)),
        ("7F71039701049000", Tries(4, None)),
    ],
)
def test_tries_in_every_form(status: str, tries: Tries) -> None:
    assert host(Script((SELECT, FCI), ("00CB3FFF045C027F7100", status))).pin_tries() == tries


@pytest.mark.parametrize(
    "status", ["7F71009000", "7F7103930103 9000", "7F720097010 39000".replace(" ", ""), "97019000"]
)
def test_a_status_without_tries_is_none(status: str) -> None:
    script = Script((SELECT, FCI), ("00CB3FFF045C027F7100", status), ("00CB3FFF045C027F7200", "7F7203970105 9000"))
    assert host(script).pin_tries() == Tries(5, None)


def test_the_puk() -> None:
    assert host(new_card()).puk_tries() is None
    assert host(with_puk()).puk_tries() == Tries(3, 3)


# --- policy

STRICT = PinPolicy(min_length=6, max_length=10, uppercase=CharacterRule.REQUIRE_AT_LEAST_ONE)


def test_the_policy() -> None:
    assert host(new_card()).pin_policy() is None
    assert host(new_card(state(policy=PinPolicy()))).pin_policy() == PinPolicy()


@pytest.mark.parametrize("answer", ["DF7E0101 9000", "DF7E00 9000", "5C 9000", "6A82", "6982"])
def test_an_object_in_its_place_that_is_no_policy(answer: str) -> None:
    assert host(Script((SELECT, FCI), ("00CBA012045C02DF7E00", answer))).pin_policy() is None


# --- verify


def test_verify_to_the_end() -> None:
    gids = host(new_card())
    for left in (2, 1, 0):
        with pytest.raises(WrongPin) as wrong:
            gids.verify_pin(b"00000000")
        assert wrong.value.tries_left == left
    with pytest.raises(PinBlocked):
        gids.verify_pin(PIN)
    assert gids.pin_tries() == Tries(0, 3)


@pytest.mark.parametrize("pin", [b"", bytes(256)])
def test_a_pin_that_cannot_be_sent(pin: bytes) -> None:
    """An empty one would only ask for the state, and a verified card would say yes."""
    with pytest.raises(RefusedError, match="a PIN has 1 to 255 bytes"):
        host(Script((SELECT, FCI))).verify_pin(pin)


def test_another_refusal_of_verify() -> None:
    with pytest.raises(UnexpectedStatus, match="verifying the PIN: 6A88"):
        host(Refusing(new_card(), ("0020", "6A88"))).verify_pin(PIN)


def test_log_out() -> None:
    card = new_card()
    gids = host(card)
    gids.verify_pin(PIN)
    gids.log_out()
    assert card.transmit(bytes.fromhex("00200080")) == b"\x63\xc3"


# --- change


def test_change() -> None:
    card = new_card()
    host(card).change_pin(old=PIN, new=NEW)
    host(card).verify_pin(NEW)
    with pytest.raises(WrongPin):
        host(card).verify_pin(PIN)


def test_change_with_a_wrong_old_pin_spends_one_try_and_nothing_else() -> None:
    card = new_card()
    with pytest.raises(WrongPin) as wrong:
        host(card).change_pin(old=b"00000000", new=NEW)
    assert wrong.value.tries_left == 2
    host(card).verify_pin(PIN)


def test_change_of_a_blocked_pin() -> None:
    with pytest.raises(PinBlocked):
        host(blocked()).change_pin(old=PIN, new=NEW)


def test_an_old_pin_that_only_begins_like_the_right_one_is_wrong() -> None:
    """The card would split PIN+1 and new where its own PIN ends, and take 1+new for the new one."""
    card = new_card()
    with pytest.raises(WrongPin):
        host(card).change_pin(old=PIN + b"1", new=NEW)
    host(card).verify_pin(PIN)


def test_a_new_pin_against_the_policy_names_every_rule() -> None:
    card = new_card(replace(state(), pin_policy=STRICT))
    with pytest.raises(PinPolicyViolation) as caught:
        host(card).change_pin(old=PIN, new=b"123")
    assert caught.value.rules == STRICT.violations(b"123")
    assert len(caught.value.rules) == 2
    host(card).verify_pin(PIN)


@pytest.mark.parametrize("sw", ["6A80", "6700", "63C2"])
def test_a_card_that_does_not_say_its_rules(sw: str) -> None:
    """63C2 after a right old PIN: the reference applet, for a new PIN out of its range (gids.md 5.3)."""
    with pytest.raises(PinPolicyViolation) as caught:
        host(Refusing(new_card(), ("0024", sw))).change_pin(old=PIN, new=NEW)
    assert caught.value.rules == ()


def test_no_new_pin_at_all_or_one_that_does_not_fit() -> None:
    card = new_card(state(policy=PinPolicy()))
    for new in (b"", b"1" * 250):
        with pytest.raises(PinPolicyViolation) as caught:
            host(card).change_pin(old=PIN, new=new)
        assert caught.value.rules == PinPolicy().violations(new)
    host(card).verify_pin(PIN)


def test_another_refusal_of_change() -> None:
    with pytest.raises(UnexpectedStatus, match="changing the PIN: 6985"):
        host(Refusing(new_card(), ("0024", "6985"))).change_pin(old=PIN, new=NEW)


# --- reset by the admin key


@pytest.mark.parametrize("form", AdminForm)
def test_reset_of_a_blocked_pin(form: AdminForm) -> None:
    card = blocked()
    gids = host(card)
    gids.reset_pin(new=NEW, respond=RESPOND, form=form)
    assert gids.pin_tries() == Tries(3, 3)
    gids.verify_pin(NEW)
    with pytest.raises(AuthenticationRequired):
        gids.change_admin_key(bytes(24))


def test_reset_with_a_wrong_key_changes_nothing() -> None:
    card = blocked()
    before = state_of(card)
    with pytest.raises(WrongAdminResponse):
        host(card).reset_pin(new=NEW, respond=AdminKeyResponder(bytes(24)))
    assert state_of(card) == before


def test_reset_to_a_pin_against_the_policy_ends_the_administration() -> None:
    card = new_card(state(policy=PinPolicy()))
    gids = host(card)
    with pytest.raises(PinPolicyViolation) as caught:
        gids.reset_pin(new=b"1", respond=RESPOND)
    assert caught.value.rules == PinPolicy().violations(b"1")
    with pytest.raises(AuthenticationRequired):
        gids.change_admin_key(bytes(24))
    gids.verify_pin(PIN)


def test_reset_on_a_card_with_a_puk() -> None:
    card = with_puk()
    with pytest.raises(UnsupportedCard, match="reset with its PUK, not with the admin key"):
        host(card).reset_pin(new=NEW, respond=RESPOND)
    host(card).verify_pin(PIN)


def test_a_card_that_forgets_the_administrator_before_the_reset() -> None:
    with pytest.raises(AuthenticationRequired, match="resetting the PIN needs the admin key first"):
        host(Refusing(new_card(), ("002C", "6982"))).reset_pin(new=NEW, respond=RESPOND)


def test_a_card_that_goes_during_a_reset_hears_no_more() -> None:
    inner = new_card()
    card = Cut(inner, 4, did=False)
    with pytest.raises(CardRemoved):
        host(card).reset_pin(new=NEW, respond=RESPOND)
    assert card.sent[-1].hex().startswith("002c0280")
    host(inner).verify_pin(PIN)


def test_an_error_of_the_responder_passes_and_nobody_is_the_administrator() -> None:
    class Unplugged(Exception):
        pass

    def respond(challenge: bytes) -> bytes:
        raise Unplugged

    card = Wrapped(new_card())
    with pytest.raises(Unplugged):
        host(card).reset_pin(new=NEW, respond=respond)
    assert card.sent[-1].hex() == "00200082"
    host(card).verify_pin(PIN)


# --- reset with the PUK


def test_reset_with_the_puk() -> None:
    card = with_puk()
    gids = host(card)
    gids.reset_pin_with_puk(puk=PUK, new=NEW)
    gids.verify_pin(NEW)


def test_a_wrong_puk_is_counted_once_and_then_blocked() -> None:
    card = with_puk()
    gids = host(card)
    for left in (2, 1, 0):
        with pytest.raises(WrongPin, match="wrong PUK") as wrong:
            gids.reset_pin_with_puk(puk=b"00000000", new=NEW)
        assert wrong.value.tries_left == left
    with pytest.raises(PinBlocked, match="the PUK is blocked"):
        gids.reset_pin_with_puk(puk=PUK, new=NEW)
    gids.verify_pin(PIN)


def test_a_puk_that_only_begins_like_the_right_one_is_wrong() -> None:
    card = with_puk()
    with pytest.raises(WrongPin):
        host(card).reset_pin_with_puk(puk=PUK + b"1", new=NEW)
    host(card).verify_pin(PIN)


def test_a_card_without_a_puk() -> None:
    with pytest.raises(UnsupportedCard, match="no PUK: the admin key resets its PIN"):
        host(new_card()).reset_pin_with_puk(puk=PUK, new=NEW)


def test_a_new_pin_against_the_policy_after_the_puk() -> None:
    card = with_puk()
    with pytest.raises(PinPolicyViolation):
        host(card).reset_pin_with_puk(puk=PUK, new=b"1")
    host(card).verify_pin(PIN)


def test_a_card_that_knows_the_puk_only_in_reset() -> None:
    """Some cannot verify it by itself; then the one command decides."""
    card = Refusing(with_puk(), ("00200081", "6A86"))
    with pytest.raises(WrongPin, match="wrong PUK"):
        host(card).reset_pin_with_puk(puk=b"00000000", new=NEW)
    host(card).reset_pin_with_puk(puk=PUK, new=NEW)
    host(card).verify_pin(NEW)


def test_63cx_after_a_right_puk_is_about_the_new_pin() -> None:
    with pytest.raises(PinPolicyViolation):
        host(Refusing(with_puk(), ("002C", "63C2"))).reset_pin_with_puk(puk=PUK, new=NEW)


def test_no_secret_is_in_a_message() -> None:
    card = new_card(replace(state(), pin_policy=STRICT))
    with pytest.raises(PinPolicyViolation) as caught:
        host(card).change_pin(old=PIN, new=b"secret pin that is long")
    assert "secret pin" not in str(caught.value)
    assert PIN_HEX not in str(caught.value)
