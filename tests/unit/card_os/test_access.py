"""card_os.access: the decoded examples of gids.md 3 and every meaning of a security condition byte."""

from enum import IntFlag
from itertools import product

import pytest

from card_os.access import ALWAYS, MAX_ALTERNATIVES, NEVER, AccessRule, Right, not_allowed, satisfies, words
from card_os.sw import SW, CardError, Reason
from card_os.wire import WireError
from tests.unit.each import each

NONE, USER, ADMIN, BOTH = Right.NONE, Right.USER, Right.EXTERNAL, Right.USER | Right.EXTERNAL
EVERYBODY = {NONE, USER, ADMIN, BOTH}
NOBODY: set[Right] = set()

GENERATE, MSE, PUT, GET = 0x08, 0x04, 0x02, 0x01
TERMINATE, CREATE, DELETE = 0x20, 0x02, 0x01


def who(rule: AccessRule, operation: int) -> set[Right]:
    return {granted for granted in EVERYBODY if rule.allows(operation, granted)}


@pytest.mark.parametrize(
    ("raw", "allowed"),
    [
        ("033000", {PUT: {USER, ADMIN, BOTH}, GET: EVERYBODY, MSE: NOBODY, GENERATE: NOBODY}),
        ("8F10101000", {GENERATE: {USER, BOTH}, MSE: {USER, BOTH}, PUT: {USER, BOTH}, GET: EVERYBODY}),
        ("870020FF", {GENERATE: NOBODY, MSE: EVERYBODY, PUT: {ADMIN, BOTH}, GET: NOBODY}),
        ("033030", {TERMINATE: NOBODY, CREATE: {USER, ADMIN, BOTH}, DELETE: {USER, ADMIN, BOTH}}),
        ("0330FF", {PUT: {USER, ADMIN, BOTH}, GET: NOBODY}),
        ("032000", {PUT: {ADMIN, BOTH}, GET: EVERYBODY}),
        ("7F 01 02 04 FF 20 B0 00", {0x40: EVERYBODY, 0x20: NOBODY, 0x08: NOBODY, 0x04: {ADMIN, BOTH}, 0x02: {BOTH}}),
    ],
)
def test_decoded_examples(raw: str, allowed: dict[int, set[Right]]) -> None:
    rule = AccessRule.parse(bytes.fromhex(raw))
    assert {operation: who(rule, operation) for operation in allowed} == allowed
    assert bytes(rule) == bytes.fromhex(raw)


@pytest.mark.parametrize(
    ("scb", "allowed"),
    [
        (0x00, EVERYBODY),
        (0x10, {USER, BOTH}),
        (0x20, {ADMIN, BOTH}),
        (0x30, {USER, ADMIN, BOTH}),
        (0x90, {USER, BOTH}),
        (0xA0, {ADMIN, BOTH}),
        (0xB0, {BOTH}),
        (0xFF, NOBODY),
        (0x40, NOBODY),
        (0x50, NOBODY),
        (0x60, NOBODY),
        (0x70, NOBODY),
        (0xC0, NOBODY),
        (0xF0, NOBODY),
    ],
)
def test_every_security_condition(scb: int, allowed: set[Right]) -> None:
    assert {granted for granted in EVERYBODY if satisfies(scb, granted)} == allowed


def test_the_low_nibble_is_the_environment() -> None:
    for scb in each(range(256)):
        nibble = scb & 0x0F
        here = satisfies(scb, BOTH, environment=1)
        elsewhere = satisfies(scb, BOTH, environment=2)
        if scb & 0x40 or scb == NEVER:
            assert (here, elsewhere) == (False, False)
        else:
            assert (here, elsewhere) == (nibble in (0, 1), nibble in (0, 2))


def test_an_environment_without_conditions_is_free_inside_it() -> None:
    assert satisfies(0x01, NONE, environment=1)
    assert not satisfies(0x02, NONE, environment=1)
    assert satisfies(0x02, NONE, environment=2)
    assert not any(satisfies(0x0F, BOTH, environment) for environment in (1, 2))


@pytest.mark.parametrize("operation", [GENERATE, MSE, PUT, GET])
def test_alternatives_are_joined_by_or(operation: int) -> None:
    rule = AccessRule.parse(bytes([operation, 0x10, operation, 0x20, operation, NEVER]))
    assert rule.conditions(operation) == [0x10, 0x20, NEVER]
    assert who(rule, operation) == {USER, ADMIN, BOTH}


def test_conditions_stand_highest_bit_first() -> None:
    for amb in each(range(0x80)):
        count = amb.bit_count()
        rule = AccessRule.parse(bytes([amb, *range(1, count + 1)]))
        named = [bit for bit in (0x40, 0x20, 0x10, 0x08, 0x04, 0x02, 0x01) if amb & bit]
        assert [rule.conditions(bit) for bit in named] == [[number] for number in range(1, count + 1)]
        assert all(rule.conditions(bit) == [] for bit in (0x40, 0x20, 0x10, 0x08, 0x04, 0x02, 0x01) if not amb & bit)


@pytest.mark.parametrize("amb", [0x03, 0x83])
def test_bit_80_marks_a_key_file_and_has_no_condition(amb: int) -> None:
    assert AccessRule.parse(bytes([amb, 0x10, 0x20])).alternatives == ((amb, b"\x10\x20"),)


@pytest.mark.parametrize(
    "raw", ["", "01", "0310", "0310FF 02", "0110 7F 010203040506", "0110" * (MAX_ALTERNATIVES + 1)]
)
def test_missing_conditions_and_too_many_alternatives_are_refused(raw: str) -> None:
    with pytest.raises(WireError):
        AccessRule.parse(bytes.fromhex(raw))


def test_four_alternatives_are_allowed() -> None:
    rule = AccessRule.parse(bytes.fromhex("0110" * MAX_ALTERNATIVES))
    assert len(rule.alternatives) == MAX_ALTERNATIVES


@pytest.mark.parametrize(
    ("scb", "text"),
    [
        (ALWAYS, "nothing"),
        (NEVER, "what nobody can have"),
        (0x40, "what nobody can have"),
        (0x10, "PIN"),
        (0x20, "admin key"),
        (0x30, "PIN or admin key"),
        (0xB0, "PIN and admin key"),
        (0x31, "PIN or admin key"),
        (0x12, "PIN, on another interface"),
        (0x01, "nothing"),
    ],
)
def test_a_condition_in_words(scb: int, text: str) -> None:
    assert words(scb) == text


def test_words_name_the_rights_that_a_condition_asks_for() -> None:
    for scb, granted in each([*product([0x10, 0x20, 0x30, 0x90, 0xA0, 0xB0], [NONE, USER, ADMIN, BOTH])]):
        has = {"PIN": bool(granted & USER), "admin key": bool(granted & ADMIN)}
        parts = words(scb).replace(" and ", " or ").split(" or ")
        asked = [has[part] for part in parts]
        assert satisfies(scb, granted) == (all(asked) if " and " in words(scb) else any(asked))


@pytest.mark.parametrize(
    ("raw", "operation", "text"),
    [
        ("033000", PUT, "PIN or admin key"),
        ("0210 0220", PUT, "PIN or admin key"),
        ("033000", MSE, "what nobody can have"),
        ("0330FF", GET, "what nobody can have"),
    ],
)
def test_a_rule_says_what_is_missing(raw: str, operation: int, text: str) -> None:
    assert AccessRule.parse(bytes.fromhex(raw)).missing(operation) == text


class Work(IntFlag):
    SWEEP_UP = 0x02
    COOK = 0x01


def test_a_refusal_names_what_is_missing_and_what_is_proved() -> None:
    rule = AccessRule.parse(bytes.fromhex("0320FF"))
    rule.require(Work.SWEEP_UP, Right.EXTERNAL, subject="kitchen")
    with pytest.raises(CardError) as refused:
        rule.require(Work.SWEEP_UP, Right.USER, subject="kitchen")
    assert refused.value.sw == SW.SECURITY_STATUS_NOT_SATISFIED
    assert refused.value.reason == Reason("SWEEP UP is not allowed", "kitchen", "admin key", "PIN")
    assert not_allowed("dancing", Right.NONE, missing="PIN").reason == Reason(
        "dancing is not allowed", "", "PIN", "nothing"
    )
