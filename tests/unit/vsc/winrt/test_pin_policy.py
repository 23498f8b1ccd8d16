"""`SmartCardPinPolicy` and what becomes of it on a card."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_os.pin import CharacterRule, PinPolicy
from vsc.winrt import hresult
from vsc.winrt.enums import SmartCardPinCharacterPolicyOption as Option
from vsc.winrt.errors import WinRTError
from vsc.winrt.pin_policy import SmartCardPinPolicy, card_policy

CLASSES = ("uppercase_letters", "lowercase_letters", "digits", "special_characters")


def test_defaults() -> None:
    policy = SmartCardPinPolicy()
    assert (policy.min_length, policy.max_length) == (8, 127)
    assert [getattr(policy, name) for name in CLASSES] == [Option.ALLOW] * 4
    assert card_policy(policy) == PinPolicy()


def test_two_policies_are_independent() -> None:
    one, other = SmartCardPinPolicy(), SmartCardPinPolicy()
    one.min_length = 6
    assert other.min_length == 8


@pytest.mark.parametrize("arguments", [(6,), (None,)])
def test_the_constructor_takes_nothing(arguments: tuple[object, ...]) -> None:
    with pytest.raises(TypeError):
        SmartCardPinPolicy(*arguments)
    with pytest.raises(TypeError):
        SmartCardPinPolicy(min_length=6)  # type: ignore[call-arg]


@pytest.mark.parametrize("name", ["min_length", "max_length"])
@pytest.mark.parametrize("value", [0, 3, 128, 2**32 - 1])
def test_a_length_out_of_bounds_is_refused_at_once(name: str, value: int) -> None:
    policy = SmartCardPinPolicy()
    with pytest.raises(WinRTError) as raised:
        setattr(policy, name, value)
    assert raised.value.winerror == hresult.E_INVALIDARG
    assert (policy.min_length, policy.max_length) == (8, 127)


@pytest.mark.parametrize("value", [-1, 2**32])
def test_what_is_no_uint32_overflows(value: int) -> None:
    with pytest.raises(OverflowError):
        SmartCardPinPolicy().min_length = value


@pytest.mark.parametrize("value", ["6", 6.0, None])
def test_what_is_no_integer_is_a_type_error(value: object) -> None:
    policy = SmartCardPinPolicy()
    with pytest.raises(TypeError):
        policy.min_length = value  # type: ignore[assignment]
    with pytest.raises(TypeError):
        policy.digits = value  # type: ignore[assignment]


def test_an_option_may_be_a_number_that_means_something() -> None:
    policy = SmartCardPinPolicy()
    policy.digits = 2  # type: ignore[assignment]
    assert policy.digits is Option.DISALLOW
    with pytest.raises(WinRTError) as raised:
        policy.digits = Option(3)
    assert raised.value.winerror == hresult.E_INVALIDARG


def test_the_order_of_assignments_does_not_matter() -> None:
    policy = SmartCardPinPolicy()
    policy.max_length = 6
    policy.min_length = 6
    assert card_policy(policy).max_length == 6


lengths = st.integers(4, 127)
options = st.sampled_from(Option)


@given(lengths, lengths, st.tuples(options, options, options, options))
def test_every_policy_is_the_cards_or_refused(low: int, high: int, rules: tuple[Option, ...]) -> None:
    policy = SmartCardPinPolicy()
    policy.min_length, policy.max_length = low, high
    for name, rule in zip(CLASSES, rules, strict=True):
        setattr(policy, name, rule)
    if low > high or set(rules) == {Option.DISALLOW}:
        with pytest.raises(WinRTError) as raised:
            card_policy(policy)
        assert raised.value.winerror == hresult.E_INVALIDARG
        return
    made = card_policy(policy)
    assert (made.min_length, made.max_length) == (low, high)
    assert [made.uppercase, made.lowercase, made.digits, made.special] == [CharacterRule(rule) for rule in rules]
    assert made.other is CharacterRule.DISALLOW
