"""card_os.pin: policies (winrt-smartcards.md 2.1 to 2.3), and a comparison that cannot be repeated for free."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import product

import pytest

from card_os.pin import NO_POLICY, CharacterRule, Pin, PinPolicy, character_class, check_new, verify
from card_os.secret import Secret
from card_os.sw import SW, CardError, WrongReference
from card_os.wire import WireError
from tests.unit.each import each

ALLOW, REQUIRE, DISALLOW = CharacterRule
SPECIAL = b"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
CLASSES = ("uppercase", "lowercase", "digits", "special", "other")
DEFAULT_WIRE = bytes.fromhex("01000000 08000000 7F000000" + "00" * 16 + "02000000")


def _class_of_every_byte() -> Iterator[tuple[int, str]]:
    for byte in range(256):
        char = bytes([byte])
        if char in b"ABCDEFGHIJKLMNOPQRSTUVWXYZ":
            yield byte, "uppercase"
        elif char in b"abcdefghijklmnopqrstuvwxyz":
            yield byte, "lowercase"
        elif char in b"0123456789":
            yield byte, "digits"
        else:
            yield byte, "special" if char in SPECIAL else "other"


def test_every_byte_is_in_one_of_five_classes() -> None:
    for byte, expected in each([*_class_of_every_byte()]):
        assert character_class(byte) == expected


def test_there_are_32_special_characters_and_space_is_none() -> None:
    assert sum(character_class(byte) == "special" for byte in range(256)) == 32
    assert character_class(0x20) == "other"


def test_the_default_policy_has_the_documented_bytes() -> None:
    assert bytes(PinPolicy()) == DEFAULT_WIRE
    assert PinPolicy.parse(DEFAULT_WIRE) == PinPolicy()


def test_the_default_policy_is_8_to_127_printable_characters() -> None:
    assert PinPolicy() == PinPolicy(8, 127, ALLOW, ALLOW, ALLOW, ALLOW, DISALLOW)


def test_each_field_has_its_place() -> None:
    policy = PinPolicy(5, 16, REQUIRE, DISALLOW, REQUIRE, ALLOW, DISALLOW)
    assert bytes(policy) == bytes.fromhex("01000000 05000000 10000000 01000000 02000000 01000000 00000000 02000000")
    assert PinPolicy.parse(bytes(policy)) == policy


@pytest.mark.parametrize(
    ("offset", "value"),
    [(0, 0), (0, 2), (3, 1), (4, 3), (4, 128), (8, 3), (8, 7), (8, 128), (9, 1), *((12 + 4 * i, 3) for i in range(5))],
)
def test_a_wrong_field_is_refused(offset: int, value: int) -> None:
    raw = bytearray(DEFAULT_WIRE)
    raw[offset] = value
    with pytest.raises(WireError):
        PinPolicy.parse(bytes(raw))


@pytest.mark.parametrize("raw", [b"", DEFAULT_WIRE[:-1], DEFAULT_WIRE + b"\x00"])
def test_a_policy_has_exactly_32_bytes(raw: bytes) -> None:
    with pytest.raises(WireError):
        PinPolicy.parse(raw)


@pytest.mark.parametrize(("shortest", "longest"), [(3, 8), (4, 128), (128, 128), (0, 4), (9, 8), (127, 4), (4, 3)])
def test_lengths_go_from_4_to_127_and_in_order(shortest: int, longest: int) -> None:
    with pytest.raises(ValueError):
        PinPolicy(shortest, longest)


@pytest.mark.parametrize(("shortest", "longest"), [(4, 4), (4, 127), (127, 127)])
def test_the_limits_themselves_are_lengths(shortest: int, longest: int) -> None:
    assert PinPolicy(shortest, longest).violation(b"1" * shortest) is None


def test_a_policy_that_no_pin_can_meet_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="no PIN"):
        PinPolicy(4, 8, *[DISALLOW] * 5)
    with pytest.raises(ValueError, match="5 required"):
        PinPolicy(4, 4, *[REQUIRE] * 5)
    assert PinPolicy(4, 5, *[REQUIRE] * 5).violation(b"Aa1! ") is None


@pytest.mark.parametrize(("name", "sample"), [*zip(CLASSES, [b"A", b"a", b"1", b"~", b" "], strict=True)])
def test_each_class_can_be_allowed_required_and_disallowed(name: str, sample: bytes) -> None:
    filler = b"0000" if name != "digits" else b"bbbb"
    free = PinPolicy(4, 8, other=ALLOW)
    allowed, required, disallowed = (replace(free, **{name: rule}) for rule in CharacterRule)
    assert allowed.violation(filler) is None
    assert allowed.violation(filler + sample) is None
    assert required.violation(filler) is not None
    assert required.violation(filler + sample) is None
    assert disallowed.violation(filler) is None
    assert disallowed.violation(filler + sample) is not None


@pytest.mark.parametrize(("pin", "allowed"), [(b"1234567", False), (b"12345678", True), (b"1" * 127, True)])
def test_lengths_are_counted_in_bytes(pin: bytes, allowed: bool) -> None:
    assert (PinPolicy().violation(pin) is None) is allowed
    assert "8 to 127" in str(PinPolicy().violation(b"1" * 128))


@pytest.mark.parametrize("pin", [b"1234 5678", b"12345678\x00", "pässword".encode(), "pässword".encode("latin-1")])
def test_a_policy_refuses_space_and_what_is_not_printable_ascii(pin: bytes) -> None:
    assert PinPolicy().violation(pin) is not None


def test_without_a_policy_any_4_to_127_bytes_are_a_pin() -> None:
    assert NO_POLICY.violation(bytes(range(128, 132))) is None
    assert NO_POLICY.violation(bytes(127)) is None
    assert NO_POLICY.violation(b"123") is not None
    assert NO_POLICY.violation(bytes(128)) is not None


def test_required_and_disallowed_classes_do_not_mix() -> None:
    for rules in each([*product(CharacterRule, repeat=3)]):
        uppercase, lowercase, digits = rules
        policy = PinPolicy(4, 8, uppercase, lowercase, digits)
        present = {"A": uppercase, "b": lowercase, "1": digits}
        pin = "".join(char for char, rule in present.items() if rule == REQUIRE).encode() + b"!!!!"
        assert policy.violation(pin) is None
        everything = policy.violation(b"Ab1!")
        assert (everything is None) is (DISALLOW not in rules)


def test_a_new_pin_that_breaks_the_policy_is_wrong_data() -> None:
    check_new(b"12345678", PinPolicy(), subject="new PIN")
    with pytest.raises(CardError) as refused:
        check_new(b"1234", PinPolicy(), subject="new PIN")
    assert refused.value.sw == SW.WRONG_DATA
    assert refused.value.reason.subject == "new PIN"


# --- comparing -------------------------------------------------------------------------------------------------------

PIN = Pin(Secret(b"1234"), try_limit=3, tries_left=3)


def watched(value: bytes, events: list[object]) -> Secret:
    """A secret that notes when it is compared."""

    class Watched(Secret):
        def matches(self, guess: bytes) -> bool:
            events.append("compared")
            return super().matches(guess)

    return Watched(value)


@pytest.mark.parametrize(("guess", "after"), [(b"0000", [2]), (b"1234", [2, 3])])
def test_a_try_is_committed_before_the_comparison(guess: bytes, after: list[int]) -> None:
    events: list[object] = []
    pin = Pin(watched(b"1234", events), 3, 3)
    with suppress(WrongReference):
        verify(pin, guess, lambda new: events.append(new.tries_left), subject="PIN")
    assert events == [after[0], "compared", *after[1:]]


def test_a_card_that_cannot_store_the_try_does_not_compare() -> None:
    events: list[object] = []

    def fail(new: Pin) -> None:
        raise CardError(SW.MEMORY_FAILURE, "no power")

    with pytest.raises(CardError) as refused:
        verify(Pin(watched(b"1234", events), 3, 3), b"1234", fail, subject="PIN")
    assert refused.value.sw == SW.MEMORY_FAILURE
    assert events == []


@pytest.mark.parametrize("guess", [b"", b"123", b"12345", b"1235", b"1234\x00"])
def test_each_wrong_guess_costs_a_try_until_none_is_left(guess: bytes) -> None:
    pin = PIN

    def commit(new: Pin) -> None:
        nonlocal pin
        pin = new

    for left in (2, 1, 0):
        with pytest.raises(WrongReference) as wrong:
            verify(pin, guess, commit, subject="PIN")
        assert (wrong.value.tries_left, pin.tries_left) == (left, left)
    assert pin.is_blocked
    for last in (guess, b"1234"):
        with pytest.raises(CardError) as refused:
            verify(pin, last, commit, subject="PIN")
        assert refused.value.sw == SW.AUTHENTICATION_METHOD_BLOCKED
    assert pin == replace(PIN, tries_left=0)


def test_success_gives_all_tries_back() -> None:
    commits: list[Pin] = []
    verify(replace(PIN, tries_left=1), b"1234", commits.append, subject="PIN")
    assert [pin.tries_left for pin in commits] == [0, 3]


def test_a_pin_without_a_value_is_not_usable() -> None:
    commits: list[Pin] = []
    with pytest.raises(CardError) as refused:
        verify(Pin(None), b"", commits.append, subject="PIN")
    assert refused.value.sw == SW.REFERENCE_DATA_NOT_USABLE
    assert commits == []


def test_a_new_value_comes_with_all_tries() -> None:
    assert replace(PIN, tries_left=0).with_value(b"5678") == Pin(Secret(b"5678"), 3, 3)


@pytest.mark.parametrize(("limit", "left"), [(0, 0), (256, 3), (3, 4), (3, -1)])
def test_a_pin_has_1_to_15_tries(limit: int, left: int) -> None:
    with pytest.raises(ValueError, match="tries"):
        Pin(None, limit, left)
