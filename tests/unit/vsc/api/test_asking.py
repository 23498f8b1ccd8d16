"""vsc.api.asking: PINs that are given or asked for, whatever card they are for."""

import pytest

from vsc.api.asking import PinSource, pin_bytes
from vsc.errors import PinBlocked, PinPolicyViolation, WrongPin


def never(problem: str | None) -> bytes:
    pytest.fail("nobody is to be asked")


def test_a_given_pin_is_not_asked_for_and_its_refusal_is_final() -> None:
    source = PinSource("1234", never)
    assert source.given == source.value() == b"1234"
    for error in (WrongPin(2), WrongPin(0), PinPolicyViolation(("rule",))):
        with pytest.raises(type(error)) as caught:
            source.refuse(error)
        assert caught.value is error


def test_one_that_is_asked_for_is_kept_until_it_is_refused() -> None:
    problems: list[str | None] = []

    def ask(problem: str | None) -> bytes:
        problems.append(problem)
        return b"%d" % len(problems)

    source = PinSource(None, ask)
    assert (source.value(), source.value(), source.given) == (b"1", b"1", None)
    source.refuse(WrongPin(1))
    assert source.value() == b"2"
    source.refuse(PinPolicyViolation(("too short",)))
    assert source.value() == b"3"
    assert problems == [None, "wrong PIN, 1 try left", "the new PIN is refused: too short"]


def test_after_the_last_try_nobody_is_asked_again_even_where_the_card_shows_no_tries() -> None:
    source = PinSource(None, lambda _: b"1234")
    source.value()
    with pytest.raises(PinBlocked):
        source.refuse(WrongPin(0))


def test_bytes_of_a_terminal_come_back() -> None:
    text = b"12\xff\xfe".decode(errors="surrogateescape")
    assert pin_bytes(text) == b"12\xff\xfe"
    assert pin_bytes(bytearray(b"1234")) == pin_bytes(memoryview(b"1234")) == b"1234"  # type: ignore[arg-type]
