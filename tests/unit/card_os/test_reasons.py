"""What people read when PIN, admin key, access rules or the link layer refuse: the reason beside the status word.

A wrong word here misleads whoever debugs with it, so the texts are held to the letter.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from card_os import admin, pin
from card_os.access import AccessRule, Right, proved_words
from card_os.admin import AdminKey, Challenge
from card_os.apdu import CommandApdu, ResponseApdu
from card_os.link import Link
from card_os.pin import CharacterRule, Pin, PinPolicy
from card_os.secret import Secret
from card_os.sw import CardError, Reason
from card_os.wire import WireError
from vsc.testing import SoftCard
from vsc.world import SeededEnv

KEY = bytes(range(24))
CHALLENGE = Challenge(0x80, bytes(8))
BLOCKED = AdminKey(Secret(KEY), 3, 0)


def nothing(_: object) -> None:
    return


def get_response(apdu: CommandApdu) -> Callable[[], object]:
    return lambda: Link().get_response(apdu)


def broken_chain() -> object:
    link = Link()
    link.collect(CommandApdu(0x10, 0xDB, 0, 0, b"a"), is_last=False)
    return link.collect(CommandApdu(0x00, 0xCB, 0, 0), is_last=True, refuses_breaks=True)


def too_long_a_chain() -> object:
    link = Link()
    part = CommandApdu(0x10, 0xDB, 0, 0, bytes(65_535), extended=True)
    link.collect(part, is_last=False)
    return link.collect(replace(part, data=b"a", extended=False), is_last=False)


def authenticate(key: AdminKey) -> Callable[[], object]:
    return lambda: admin.authenticate(key, CHALLENGE, bytes(8), SeededEnv(1), nothing, subject="admin key")


REFUSALS: dict[str, tuple[Callable[[], object], Reason]] = {
    "chain broken": (broken_chain, Reason("another command interrupted a chain")),
    "chain too long": (too_long_a_chain, Reason("a chain holds at most 65535 bytes")),
    "GET RESPONSE, idle": (
        get_response(CommandApdu(0, 0xC0, 0, 0)),
        Reason("nothing is left to fetch", "GET RESPONSE"),
    ),
    "admin key blocked": (
        lambda: admin.check_not_blocked(BLOCKED, subject="admin key"),
        Reason("no tries left", "admin key"),
    ),
    "admin key blocked, answer": (authenticate(BLOCKED), Reason("no tries left", "admin key")),
    "admin key, wrong answer": (
        authenticate(AdminKey.new(KEY)),
        Reason("wrong response to the challenge", "admin key"),
    ),
    "PIN not set": (lambda: pin.verify(Pin(), b"1234", nothing, subject="PIN"), Reason("no value has been set", "PIN")),
    "PIN blocked": (
        lambda: pin.verify(Pin(Secret(b"1234"), 3, 0), b"1234", nothing, subject="PIN"),
        Reason("no tries left", "PIN"),
    ),
    "PIN wrong": (
        lambda: pin.verify(Pin(Secret(b"1234"), 3, 3), b"1235", nothing, subject="PIN"),
        Reason("wrong value", "PIN"),
    ),
    "new PIN too short": (
        lambda: pin.check_new(b"1234567", PinPolicy(), subject="new PIN"),
        Reason("a PIN has 8 to 127 characters", "new PIN"),
    ),
}


@pytest.mark.parametrize(("refused", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_the_reason_of_a_refusal(refused: Callable[[], object], reason: Reason) -> None:
    with pytest.raises(CardError) as error:
        refused()
    assert error.value.reason == reason


def test_a_missing_right_is_told_with_what_is_verified_instead() -> None:
    reason = Reason("GET is not allowed", "EF A014", "admin key", "PIN")
    assert str(reason) == "EF A014: GET is not allowed (missing: admin key; verified: PIN)"
    rights = (Right.NONE, Right.USER, Right.EXTERNAL, Right.USER | Right.EXTERNAL)
    assert [proved_words(one) for one in rights] == ["nothing", "PIN", "admin key", "PIN and admin key"]


def test_a_refusal_without_a_rule_says_what_its_status_word_means() -> None:
    assert CardError(0x6A80, "", subject="PIN policy").reason == Reason("wrong data field", "PIN policy")


def test_what_is_wrong_with_data_that_hold_a_key_is_not_told() -> None:
    card = SoftCard.make()
    for data in ("31323334", "7003840180", "4003313233", "70088401803132333435"):
        raw = bytes.fromhex(data)
        assert card.transmit(bytes.fromhex("00DB3FFF") + bytes([len(raw)]) + raw) == b"\x6a\x80"
        assert card.why == "PUT KEY: 70 { 84 key id, A5 { 87 value } } is expected"


def test_the_policy_rule_that_a_pin_breaks() -> None:
    digits = PinPolicy(digits=CharacterRule.REQUIRE_AT_LEAST_ONE, uppercase=CharacterRule.DISALLOW)
    assert digits.violation(b"abcdefgh") == "digits are required, one at least"
    assert digits.violation(b"ABCDEFG1") == "capital letters are not allowed"
    assert digits.violation(b"abc efg1") == "blanks and other characters are not allowed"
    assert digits.violation(b"abcdefg1") is None


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: PinPolicy(min_length=3), "PIN lengths go from 4 to 127"),
        (lambda: PinPolicy(min_length=9, max_length=8), "the minimum length is above the maximum"),
        (
            lambda: PinPolicy(8, 127, *[CharacterRule.DISALLOW] * 5),
            "a policy that disallows every class of characters allows no PIN",
        ),
        (lambda: Pin(None, 256, 1), "a PIN has 1 to 255 tries"),
        (lambda: AdminKey(Secret(bytes(23))), "an admin key has 24 bytes"),
        (lambda: AdminKey(Secret(KEY), None, 1), "a key without a limit counts no tries"),
        (lambda: AdminKey(Secret(KEY), 0, 0), "a limited admin key has 1 to 255 tries"),
        (lambda: AccessRule.parse(b"\x03\x30"), "a security condition byte is missing"),
        (lambda: AccessRule.parse(b"\x00" * 5), "a rule has 1 to 4 alternatives"),
    ],
)
def test_the_text_of_an_impossible_value(make: Callable[[], object], text: str) -> None:
    with pytest.raises(ValueError) as error:
        make()
    assert str(error.value) == text


def test_an_impossible_policy_on_the_wire_says_what_is_wrong() -> None:
    raw = bytes.fromhex("01000000 09000000 08000000".replace(" ", "")) + bytes(20)
    with pytest.raises(WireError, match="the minimum length is above the maximum"):
        PinPolicy.parse(raw)


# --- edges -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 15])
def test_the_try_limits_of_a_pin_are_allowed(limit: int) -> None:
    assert Pin(None, limit, limit).try_limit == limit


@pytest.mark.parametrize("limit", [1, 255])
def test_the_try_limits_of_an_admin_key_are_allowed(limit: int) -> None:
    assert AdminKey.new(KEY, try_limit=limit).tries_left == limit


def test_a_rule_with_two_alternatives_takes_each_condition_once() -> None:
    rule = AccessRule.parse(bytes.fromhex("0120 0210"))
    assert rule.alternatives == ((0x01, b"\x20"), (0x02, b"\x10"))
    assert bytes(rule) == bytes.fromhex("01200210")


def test_a_rule_is_asked_for_an_environment() -> None:
    contactless = AccessRule.parse(b"\x01\x02")
    assert not contactless.allows(0x01, Right.NONE)
    assert contactless.allows(0x01, Right.NONE, 2)


def test_exactly_256_bytes_left_are_announced_as_00() -> None:
    assert Link().cut(ResponseApdu(bytes(266)), 10).sw == 0x6100
    assert Link().cut(ResponseApdu(bytes(265)), 10).sw == 0x61FF


def test_a_chain_of_255_bytes_stays_a_short_command() -> None:
    link = Link()
    link.collect(CommandApdu(0x10, 0xDB, 0, 0, bytes(200)), is_last=False)
    whole = link.collect(CommandApdu(0x00, 0xDB, 0, 0, bytes(55)), is_last=True)
    assert whole == CommandApdu(0x00, 0xDB, 0, 0, bytes(255))


def test_an_open_chain_remembers_no_le() -> None:
    link = Link()
    link.collect(CommandApdu(0x10, 0xDB, 0, 0, b"a", ne=5), is_last=False)
    assert link.chain == CommandApdu(0x10, 0xDB, 0, 0, b"a")
