"""Transcripts."""

from pathlib import Path

import pytest

from tests.unit.vsc.replay.samples import ATR, TRANSCRIPT, commands
from vsc.replay import LogError, ReplayCard, parse_log, read_log
from vsc.trace.entry import EntryKind

PAIRS = sorted((Path(__file__).parents[3] / "vectors").glob("*.pairs"))


def test_all_that_can_be_said() -> None:
    log = parse_log(TRANSCRIPT)
    assert [entry.kind for entry in log.entries] == [
        EntryKind.INSERTED,
        EntryKind.APDU,
        EntryKind.RESET,
        EntryKind.APDU,
    ]
    assert log.atr == ATR
    assert commands(TRANSCRIPT) == [("00a4040007627601ff000000", "6a82"), ("0020008008", "9000")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("> 00A40\n", "line 1: here should be bytes, in hexadecimal"),
        ("> 00A4\n< 61..9000\n", "line 2: here should be bytes"),
        ("> 00A4\n< 9000\n< 9000\n", "line 3: an answer without a command before it"),
        ("> 00A4\n< 9000\n= 1\n", "line 3: it begins with none of >, <, @ and #"),
        ("@ personalised seed=1\n> 00A4\n", "line 1: @ is followed by 'reset' or 'atr' with the ATR"),
        ("@ atr 3B\n", "line 1: an ATR has 2 to 33 bytes"),
    ],
)
def test_what_is_damaged(text: str, words: str) -> None:
    with pytest.raises(LogError) as raised:
        parse_log(text)
    assert str(raised.value).startswith(words)


def test_the_transcripts_of_other_cards_in_this_repository() -> None:
    for path in PAIRS:
        card = ReplayCard(read_log(path))
        assert card.unused > 0
