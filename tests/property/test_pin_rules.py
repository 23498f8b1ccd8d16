"""The card's verdict on a new PIN against an oracle that knows nothing of the card: rules by regular expressions.

The oracle is written from winrt-smartcards.md 2.1 and 2.2, where the 32 special characters are listed.
"""

import re
from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import vsc
from card_os.card import Card
from card_os.pin import CharacterRule, PinPolicy
from tests.unit.each import each
from vsc.factory import create as make
from vsc.factory import powered
from vsc.store.memory import MemoryStore
from vsc.testing.strategies import policies

ALLOW, REQUIRED, DISALLOWED = CharacterRule
SPECIAL = b"""!"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"""
OUTSIDE = {"a space": b" ", "é": "é".encode(), "NUL": b"\x00", "DEL": b"\x7f", "tab": b"\t", "FF": b"\xff"}
CLASSES = {
    "uppercase": b"[A-Z]",
    "lowercase": b"[a-z]",
    "digits": b"[0-9]",
    "special": b"[" + re.escape(SPECIAL) + b"]",
    "other": b"[^A-Za-z0-9" + re.escape(SPECIAL) + b"]",
}
SAMPLES = {"uppercase": b"Q", "lowercase": b"q", "digits": b"7", "special": b"~", "other": b" "}
ADMIN_KEY = bytes(range(24))


def takes(policy: PinPolicy, pin: bytes) -> bool:
    """The oracle."""
    if not re.fullmatch(b"(?s).{%d,%d}" % (policy.min_length, policy.max_length), pin):
        return False
    for name, members in CLASSES.items():
        is_there = re.search(members, pin) is not None
        if is_there != {REQUIRED: True, DISALLOWED: False}.get(getattr(policy, name), is_there):
            return False
    return True


def some_pin(policy: PinPolicy) -> bytes:
    """One that the oracle takes."""
    required = b"".join(SAMPLES[name] for name in CLASSES if getattr(policy, name) == REQUIRED)
    filler = next(SAMPLES[name] for name in CLASSES if getattr(policy, name) != DISALLOWED)
    return required.ljust(policy.min_length, filler)


@st.composite
def nearly(draw: st.DrawFn, policy: PinPolicy) -> bytes:
    """PINs around the rules: a good one with some bytes changed, added or taken away; or anything."""
    if draw(st.booleans()):
        return draw(st.binary(min_size=1, max_size=128))
    pin = bytearray(some_pin(policy))
    for _ in range(draw(st.integers(0, 4))):
        pin[draw(st.integers(0, len(pin) - 1))] = draw(st.sampled_from(b"AZaz09" + SPECIAL + b" \x00\x7f\x80\xff@[`{"))
    size = draw(st.sampled_from([len(pin), policy.min_length - 1, policy.max_length, policy.max_length + 1]))
    return bytes(pin[:size]).ljust(min(size, 128), draw(st.sampled_from([b"x", b"X", b"5", b"#"])))


def change(card: Card, old: bytes, new: bytes) -> str:
    return card.transmit(bytes([0, 0x24, 0, 0x80, len(old + new)]) + old + new).hex().upper()


@given(st.data(), policies())
def test_the_card_takes_exactly_the_pins_that_the_oracle_takes(data: st.DataObject, policy: PinPolicy) -> None:
    store, old = MemoryStore(), some_pin(policy)
    new = data.draw(nearly(policy))
    assume(len(old) + len(new) <= 255)
    make("c", pin=old, policy=policy, store=store)
    with powered("c", store=store) as card:
        assert change(card, old, new) == ("9000" if takes(policy, new) else "6A80")


@given(st.data(), policies())
def test_so_do_creation_change_and_reset(data: st.DataObject, policy: PinPolicy) -> None:
    new, is_good = data.draw(nearly(policy).map(lambda pin: (pin, takes(policy, pin))))
    attempts: list[Callable[[MemoryStore], object]] = [
        lambda store: vsc.create("new", pin=new, policy=policy, store=store),
        lambda store: vsc.open("c", store=store).change_pin(old=some_pin(policy), new=new),
        lambda store: vsc.open("c", store=store).reset_pin(new=new, admin_key=ADMIN_KEY),
    ]
    for attempt in attempts:
        store = MemoryStore()
        vsc.create("c", pin=some_pin(policy), policy=policy, admin_key=ADMIN_KEY, store=store)
        before = store.read("c")
        if is_good:
            attempt(store)
            continue
        with pytest.raises(vsc.PinPolicyViolation) as caught:
            attempt(store)
        assert caught.value.rules
        assert (store.read("c"), store.exists("new")) == (before, False)


@given(
    st.integers(-1, 130),
    st.integers(-1, 130),
    st.tuples(*[st.sampled_from(CharacterRule)] * 5) | st.just((DISALLOWED,) * 5) | st.just((REQUIRED,) * 5),
)
def test_a_contradictory_policy_is_refused_and_any_other_has_a_pin(
    shortest: int, longest: int, rules: tuple[CharacterRule, ...]
) -> None:
    is_possible = 4 <= shortest <= longest <= 127 and set(rules) != {DISALLOWED} and rules.count(REQUIRED) <= longest
    if not is_possible:
        with pytest.raises(ValueError):
            PinPolicy(shortest, longest, *rules)
        return
    policy, store = PinPolicy(shortest, longest, *rules), MemoryStore()
    assert takes(policy, some_pin(policy))
    vsc.create("c", pin=some_pin(policy), policy=policy, store=store).verify_pin(some_pin(policy))


def test_there_are_32_special_characters() -> None:
    assert len(set(SPECIAL)) == 32


def test_each_special_character_is_one() -> None:
    for char in each(SPECIAL):
        pin, store = bytes([char]) * 8, MemoryStore()
        only = PinPolicy(uppercase=DISALLOWED, lowercase=DISALLOWED, digits=DISALLOWED, special=REQUIRED)
        vsc.create("only", pin=pin, policy=only, store=store).verify_pin(pin)
        with pytest.raises(vsc.PinPolicyViolation, match="special characters are not allowed"):
            vsc.create("none", pin=b"1234567" + bytes([char]), policy=PinPolicy(special=DISALLOWED), store=store)


@pytest.mark.parametrize("char", OUTSIDE.values(), ids=OUTSIDE)
def test_what_is_in_no_class_is_refused_wherever_there_is_a_policy(char: bytes) -> None:
    store = MemoryStore()
    for policy in (PinPolicy(), PinPolicy(special=REQUIRED)):
        with pytest.raises(vsc.PinPolicyViolation, match="blanks and other characters are not allowed"):
            vsc.create("c", pin=b"Abc123~~" + char, policy=policy, store=store)
    vsc.create("c", pin=b"Abc123~~" + char, store=store)  # Without one, any bytes.
