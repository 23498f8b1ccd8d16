"""vsc.faults.grammar and fault: which lines are faults, how they are spelt again, and what is said of the others."""

import pytest

from tests.unit.each import each
from vsc.faults import Effect, Fault, FaultSyntaxError, Place
from vsc.faults.command import CommandName
from vsc.faults.effect import TABLE

GOOD = {
    "sw 6F00 on VERIFY": "sw 6F00 on VERIFY",
    "SW 6f00 ON verify": "sw 6F00 on VERIFY",
    "sw 6F00": "sw 6F00 on any",
    "  sw\t6983  on 'change reference data' ": "sw 6983 on CHANGE-REFERENCE-DATA",
    'answer DEADBEEF9000 on "GET DATA"': "answer DEADBEEF9000 on GET-DATA",
    "delay 2s on VERIFY": "delay 2s on VERIFY",
    "delay 1.5s on any": "delay 1500ms on any",
    "delay 1000ms": "delay 1s on any",
    "mute on INS 20": "mute on INS 20",
    "stall 5s": "stall 5s before any",
    "stall 200ms before VERIFY every": "stall 200ms before VERIFY every",
    "mute on ins cb": "mute on INS CB",
    "mute on reset": "mute on reset",
    "atr 3b00": "atr 3B00 on reset",
    "atr 3B00 on reset every": "atr 3B00 on reset every",
    "tear before commit 3": "tear before commit 3 on any",
    "tear after commit on VERIFY and back": "tear after commit 1 on VERIFY and back",
    "cut on VERIFY": "cut on VERIFY",
    "close on VERIFY": "close on VERIFY",
    "garble on VERIFY": "garble on VERIFY",
    "remove after 5": "remove after 5",
    "remove after any nth 5": "remove after 5",
    "remove after 1": "remove after 1",
    "remove after VERIFY nth 2": "remove after VERIFY nth 2",
    "remove after VERIFY after 1": "remove after VERIFY nth 2",
    "remove": "remove before any",
    "remove on VERIFY and back": "remove on VERIFY and back",
    "remove between VERIFY and PERFORM-SECURITY-OPERATION": "remove between VERIFY and PERFORM-SECURITY-OPERATION",
    "remove between SELECT and VERIFY and back": "remove between SELECT and VERIFY and back",
    "swap before VERIFY": "swap before VERIFY",
    "reset before VERIFY in GIDS": "reset before VERIFY in GIDS",
    "share before VERIFY": "share before VERIFY",
    "lose on VERIFY": "lose on VERIFY",
    "gone before VERIFY and back": "gone before VERIFY and back",
    "sw 6F00 optional every nth 3 in gids on VERIFY": "sw 6F00 on VERIFY in GIDS nth 3 every optional",
    "sw 6F00 on VERIFY after 3": "sw 6F00 on VERIFY nth 4",
    "sw 6F00 after 5": "sw 6F00 on any nth 6",
}

BAD = {
    "": (1, "a fault begins with what happens"),
    "boom on VERIFY": (1, "called 'boom'"),
    "remov before VERIFY": (1, "did you mean 'remove'?"),
    "sw": (3, "'sw' needs a value"),
    "sw 6F on VERIFY": (4, "the status word has 1 bytes in place of 2"),
    "sw on VERIFY": (4, "'on' is no status word"),
    "answer 90 on VERIFY": (8, "the answer has 1 bytes"),
    "atr 3B": (5, "the ATR has 1 bytes"),
    "delay 2h": (7, "'2h' is no time"),
    "delay 0s": (7, "a delay is 1ms to 3600s"),
    "delay 0.5ms": (7, "a delay is 1ms to 3600s"),
    "delay 3601s": (7, "a delay is 1ms to 3600s"),
    "tear": (5, "before or after a commit"),
    "tear during commit": (6, "before or after a commit"),
    "tear before 3": (13, "it is a commit"),
    "tear before write 3": (13, "it is a commit"),
    "tear before commit 1 nth 2": (1, "takes no other"),
    "tear before commit 1 after 2": (1, "two counts"),
    "sw 6F00 at VERIFY": (9, "called 'at'"),
    "sw 6F00 on": (11, "a command is missing"),
    "sw 6F00 on VERIFI": (12, "did you mean 'VERIFY'?"),
    "sw 6F00 on GET DATA": (12, "called 'GET'"),
    "sw 6F00 on INS": (15, "an instruction is missing"),
    "sw 6F00 on INS 2": (16, "'2' is no instruction"),
    "sw 6F00 on VERIFY on SELECT": (19, "says again"),
    "sw 6F00 before VERIFY": (9, "'sw' does not strike 'before'"),
    "sw 6F00 on reset": (12, "called 'reset'"),
    "sw 6F00 on VERIFY and back": (19, "takes nothing away"),
    "sw 6F00 in PIVOT": (12, "called 'PIVOT'"),
    "sw 6F00 in": (11, "an application is missing"),
    "sw 6F00 nth 0": (13, "'0' is no count"),
    "sw 6F00 nth many": (13, "'many' is no count"),
    "sw 6F00 nth 2 after 3": (1, "two counts"),
    "sw 6F00 every every": (15, "says again"),
    "atr 3B00 on VERIFY": (10, "'atr' does not strike 'on'"),
    "mute on reset in GIDS": (1, "a reset has no command"),
    "remove between VERIFY": (22, "names two commands"),
    "remove between VERIFY or SELECT": (23, "names two commands"),
    "remove before VERIFY and forth": (26, "'and' goes with 'back'"),
    "remove before VERIFY and": (25, "'and' goes with 'back'"),
    "'sw' 6F00": (1, "called 'sw'"),
    "sw 6F00 'on": (9, 'called "\'"'),
    "remove after 1000000 before VERIFY": (1, "counts go from 1 to 1000000"),
}


def test_a_line_is_a_fault_that_is_spelt_so() -> None:
    for text, spelt in each(GOOD.items()):
        assert str(Fault.parse(text)) == spelt
        assert Fault.parse(spelt) == Fault.parse(text)


def test_a_line_that_is_none_is_told_what_is_wrong_and_where() -> None:
    for text, place in each(BAD.items()):
        with pytest.raises(FaultSyntaxError) as caught:
            Fault.parse(text)
        column, words = place
        assert caught.value.column == column
        assert words in str(caught.value)
        assert f"column {column}" in str(caught.value)


def test_what_would_be_right_is_listed() -> None:
    with pytest.raises(FaultSyntaxError) as caught:
        Fault.parse("sw 6F00 upon VERIFY")
    assert caught.value.right == ("on COMMAND", "in APPLICATION", "nth N", "after N", "every", "optional")
    with pytest.raises(FaultSyntaxError, match=r"right would be: any, INS HH, .*GET-DATA, .*GET-RESPONSE, "):
        Fault.parse("mute on nothing")


def test_every_effect_has_an_example_here() -> None:
    assert {Fault.parse(text).effect for text in GOOD} == set(TABLE) == set(Effect)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Fault(Effect.SW), "needs a value: SW"),
        (lambda: Fault(Effect.SW, b"\x6f"), "four hexadecimal digits"),
        (lambda: Fault(Effect.ANSWER, b"\x6f"), "2 to 65535 bytes"),
        (lambda: Fault(Effect.ATR, bytes(34)), "2 to 33 bytes"),
        (lambda: Fault(Effect.DELAY, 0), "1ms to 3600s"),
        (lambda: Fault(Effect.TEAR_AFTER, 0), "counts go from"),
        (lambda: Fault(Effect.MUTE, 1), "takes no value"),
        (lambda: Fault(Effect.MUTE, place=Place.BEFORE), "strikes on or on reset"),
        (lambda: Fault(Effect.REMOVE, place=Place.BETWEEN), "two commands"),
        (lambda: Fault(Effect.REMOVE, since=CommandName("VERIFY")), "two commands"),
        (lambda: Fault(Effect.MUTE, application="PIVOT"), "no application 'PIVOT'"),
        (lambda: Fault(Effect.MUTE, nth=0), "counts go from"),
        (lambda: Fault(Effect.TEAR_BEFORE, 1, nth=2), "takes no other"),
        (lambda: Fault(Effect.MUTE, back=True), "come back"),
        (lambda: Fault.parse("mute", card=lambda reader: None), "for 'swap'"),  # type: ignore[arg-type,return-value]
        (lambda: CommandName("GET"), "no application has a command 'GET'"),
        (lambda: CommandName("INS 2"), "no application has a command 'INS 2'"),
    ],
)
def test_a_fault_that_makes_no_sense_cannot_be_made(make, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises((ValueError, FaultSyntaxError), match=words):
        make()


@pytest.mark.parametrize(
    ("name", "command", "matches"),
    [
        ("any", b"", True),
        ("VERIFY", b"\x00\x20\x00\x80", True),
        ("VERIFY", b"\x81\x20", True),
        ("VERIFY", b"\x00", False),
        ("VERIFY", b"\x00\x21\x00\x80", False),
        ("GET RESPONSE", b"\x00\xc0\x00\x00\x00", True),
        ("INS 21", b"\x00\x21\x00\x80", True),
    ],
)
def test_a_name_is_one_of_a_command(name: str, command: bytes, matches: bool) -> None:
    assert CommandName(name).matches(command) is matches
