"""card_os.memory: the one door to permanence."""

import pytest

from card_os.memory import Memory, Persistent
from card_os.sw import SW, CardError

A, B = b"AAAAA", b"BBBBB"
START = Persistent(((A, "a0"), (B, "b0")))


def test_each_application_has_its_state() -> None:
    assert START.state(A) == "a0"
    assert START.state(B) == "b0"


def test_one_state_changes_and_the_others_stay() -> None:
    new = START.with_state(B, "b1")
    assert new == Persistent(((A, "a0"), (B, "b1")))
    assert START.state(B) == "b0"


def test_an_application_that_the_card_does_not_carry_has_no_state() -> None:
    with pytest.raises(KeyError):
        START.state(b"CCCCC")
    with pytest.raises(KeyError):
        START.with_state(b"CCCCC", "c0")


def test_a_commit_stores_first_and_then_changes() -> None:
    seen: list[tuple[Persistent, Persistent]] = []
    memory = Memory(START, lambda new: seen.append((new, memory.persistent)))
    new = START.with_state(A, "a1")
    memory.commit(new)
    assert seen == [(new, START)]
    assert memory.persistent is new


def test_a_commit_of_an_equal_state_does_not_store() -> None:
    stored: list[Persistent] = []
    memory = Memory(START, stored.append)
    memory.commit(START.with_state(A, "a0"))
    assert stored == []


def test_a_store_that_fails_is_6581_and_changes_nothing() -> None:
    def fail(new: Persistent) -> None:
        raise OSError("disk full")

    memory = Memory(START, fail)
    with pytest.raises(CardError) as refused:
        memory.commit(START.with_state(A, "a1"))
    assert refused.value.sw == SW.MEMORY_FAILURE
    assert "disk full" in refused.value.reason.rule
    assert memory.persistent is START


def test_any_other_error_of_a_store_is_no_answer_of_the_card() -> None:
    def fail(new: Persistent) -> None:
        raise RuntimeError("our bug")

    memory = Memory(START, fail)
    with pytest.raises(RuntimeError):
        memory.commit(START.with_state(A, "a1"))
    assert memory.persistent is START
