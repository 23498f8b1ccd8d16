"""Runs the transcripts in tests/vectors/*.apdu: a card, commands sent to it, and the answers it must give.

    # what the next lines show
    @ blank seed=any text           a new card: blank or personalised (PIN 12345678, admin key 01..08 three times)
    @ reset                         the card is reset
    > 00A4040009A0000003974254465900
    < 6112....9000                  `..` stands for any one byte

Everything random on the card follows from its seed, so a transcript can hold challenges and keys.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from card_os.apps.gids.personalisation import blank, personalised
from card_os.card import Card
from vsc.profiles import GIDS
from vsc.world import SeededEnv

VECTORS = Path(__file__).parents[1] / "vectors"
FILES = sorted(VECTORS.glob("*.apdu"))


def make(kind: str, seed: str) -> Card:
    states = {
        "blank": blank(tries=3),
        "personalised": personalised(
            pin=b"12345678",
            admin_key=bytes.fromhex("0102030405060708" * 3),
            card_id=bytes.fromhex("00112233445566778899AABBCCDDEEFF"),
            tries=3,
        ),
    }
    return GIDS.card(GIDS.persistent(states[kind]), SeededEnv(seed))


def lines(text: str) -> Iterator[tuple[int, str, str]]:
    """The number, the mark and the rest of every line that says something."""
    for number, line in enumerate(text.splitlines(), 1):
        mark, _, rest = line.partition(" ")
        if line and mark != "#":
            assert mark in ("@", ">", "<"), f"line {number}: {line}"
            yield number, mark, rest.strip()


def fits(pattern: str, answer: str) -> bool:
    """Whether an answer is what a line says, `..` being any byte."""
    return re.fullmatch(pattern.replace("..", "[0-9A-F]{2}"), answer) is not None


def replay(text: str) -> int:
    """Runs a transcript; returns the number of exchanges."""
    card: Card | None = None
    answer, exchanges = "", 0
    for number, mark, rest in lines(text):
        if mark == "@" and rest == "reset":
            assert card is not None
            card.reset()
        elif mark == "@":
            kind, _, seed = rest.partition(" seed=")
            card = make(kind, seed)
        elif mark == ">":
            assert card is not None, f"line {number}: no card yet"
            answer = card.transmit(bytes.fromhex(rest)).hex().upper()
        else:
            assert fits(rest, answer), f"line {number}: {answer} instead of {rest}"
            exchanges += 1
    return exchanges


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_transcript(path: Path) -> None:
    text = path.read_text()
    assert replay(text) == sum(line.startswith("> ") for line in text.splitlines()), "every command has its answer"


def test_there_are_transcripts() -> None:
    assert len(FILES) >= 5


@pytest.mark.parametrize(
    ("pattern", "answer", "same"),
    [("9000", "9000", True), ("..00", "9000", True), ("..", "9000", False), ("90", "9000", False), ("", "9000", False)],
)
def test_two_dots_are_one_byte(pattern: str, answer: str, same: bool) -> None:
    assert fits(pattern, answer) == same


def test_a_transcript_that_does_not_fit_fails() -> None:
    start = "@ personalised seed=x\n> 00200080\n"
    assert replay(start + "< 63C3\n") == 1
    with pytest.raises(AssertionError, match="line 3: 63C3 instead of 9000"):
        replay(start + "< 9000\n")
    with pytest.raises(AssertionError, match="line 4"):
        replay(start + "< 63C3\nsomething else\n")
