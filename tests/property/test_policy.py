"""PIN policies: wire form both ways, and each one that can be made allows some PIN."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_os.pin import CharacterRule, PinPolicy, character_class
from card_os.wire import WireError
from tests.property.strategies import damaged
from vsc.testing.strategies import policies

SAMPLES = {"uppercase": b"A", "lowercase": b"a", "digits": b"1", "special": b"#", "other": b" "}


def rules_of(policy: PinPolicy) -> dict[str, CharacterRule]:
    return {name: getattr(policy, name) for name in SAMPLES}


@given(policies())
def test_a_policy_comes_back_from_its_bytes(policy: PinPolicy) -> None:
    assert PinPolicy.parse(bytes(policy)) == policy
    assert len(bytes(policy)) == 32


@given(damaged(policies().map(bytes)))
def test_a_policy_that_is_accepted_is_written_the_same(raw: bytes) -> None:
    try:
        policy = PinPolicy.parse(raw)
    except WireError:
        return
    assert bytes(policy) == raw


@given(policies())
def test_every_policy_allows_some_pin(policy: PinPolicy) -> None:
    rules = rules_of(policy)
    required = b"".join(SAMPLES[name] for name, rule in rules.items() if rule == CharacterRule.REQUIRE_AT_LEAST_ONE)
    filler = next(SAMPLES[name] for name, rule in rules.items() if rule != CharacterRule.DISALLOW)
    assert policy.violation(required.ljust(policy.min_length, filler)) is None


@pytest.mark.parametrize("longest", [4, 5])
def test_a_policy_can_be_made_exactly_if_some_pin_meets_it(longest: int) -> None:
    for rules in product(CharacterRule, repeat=5):
        required = rules.count(CharacterRule.REQUIRE_AT_LEAST_ONE)
        possible = required <= longest and rules.count(CharacterRule.DISALLOW) < 5
        try:
            PinPolicy(4, longest, *rules)
        except ValueError:
            assert not possible
        else:
            assert possible


@given(policies(), st.binary(max_size=130))
def test_a_pin_is_allowed_exactly_if_length_and_classes_are(policy: PinPolicy, pin: bytes) -> None:
    present = {character_class(byte) for byte in pin}
    forbidden = {name for name, rule in rules_of(policy).items() if rule == CharacterRule.DISALLOW}
    required = {name for name, rule in rules_of(policy).items() if rule == CharacterRule.REQUIRE_AT_LEAST_ONE}
    good = policy.min_length <= len(pin) <= policy.max_length and not present & forbidden and required <= present
    assert (policy.violation(pin) is None) is good
