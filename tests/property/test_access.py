"""Access rules: wire form both ways, and what the algebra of rights promises."""

from hypothesis import given
from hypothesis import strategies as st

from card_os.access import ALWAYS, NEVER, AccessRule, Right, satisfies
from card_os.wire import WireError
from tests.property.strategies import BYTE, RULES, damaged

RIGHTS = st.sampled_from([Right.NONE, Right.USER, Right.EXTERNAL, Right.USER | Right.EXTERNAL])
OPERATIONS = st.sampled_from([0x40, 0x20, 0x10, 0x08, 0x04, 0x02, 0x01])


@given(RULES)
def test_a_rule_comes_back_from_its_bytes(rule: AccessRule) -> None:
    assert AccessRule.parse(bytes(rule)) == rule


@given(st.binary(max_size=20) | damaged(RULES.map(bytes)))
def test_a_rule_that_is_accepted_is_written_the_same(raw: bytes) -> None:
    try:
        rule = AccessRule.parse(raw)
    except WireError:
        return
    assert bytes(rule) == raw


@given(RULES, OPERATIONS, RIGHTS, RIGHTS)
def test_more_rights_never_allow_less(rule: AccessRule, operation: int, granted: Right, more: Right) -> None:
    if rule.allows(operation, granted):
        assert rule.allows(operation, granted | more)


@given(RULES, OPERATIONS, RIGHTS)
def test_an_operation_that_no_alternative_names_is_not_allowed(
    rule: AccessRule, operation: int, granted: Right
) -> None:
    named = any(amb & operation for amb, _ in rule.alternatives)
    assert len(rule.conditions(operation)) == sum(bool(amb & operation) for amb, _ in rule.alternatives)
    if not named:
        assert not rule.allows(operation, granted)


@given(RULES, OPERATIONS, RIGHTS)
def test_any_alternative_is_enough(rule: AccessRule, operation: int, granted: Right) -> None:
    alone = [AccessRule((one,)).allows(operation, granted) for one in rule.alternatives]
    assert rule.allows(operation, granted) is any(alone)


@given(BYTE, RIGHTS, st.sampled_from([1, 2]))
def test_always_never_and_what_is_between(scb: int, granted: Right, environment: int) -> None:
    assert satisfies(ALWAYS, granted, environment)
    assert not satisfies(NEVER, granted, environment)
    names_nothing = not scb & 0x70
    if satisfies(scb, Right.NONE, environment):
        assert names_nothing
