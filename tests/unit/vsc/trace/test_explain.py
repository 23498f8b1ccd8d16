"""vsc.trace.explain: what status words mean for which command."""

import pytest

from card_os.command import ANYBODY
from card_os.sw import SW
from tests.unit.vsc.trace.sample import INSERTED, apdu
from vsc.trace.decoder import Decoder, all_applications
from vsc.trace.explain import Refusal, accepted, parts, refusals, row_words, why


def of(command: str, response: str, reason: str = "") -> str:
    decoder = Decoder()
    decoder.decode(INSERTED)
    return why(decoder.decode(apdu(command, response, reason=reason)))


@pytest.mark.parametrize(
    ("command", "response", "words"),
    [
        ("0020008004 31323334", "63C4", "the value was wrong and has cost a try"),
        ("00CBA014045C02DF2000", "6982", "needs: the rule of the file (free before the card is operational)"),
        ("00A40800023F00", "6A86", "P1-P2 is not 0000, 0002, 0004, 0006, 0008, 000A, 000C or 000E"),
        ("00A40000033F0000", "6700", "the data are not 0 or 2 bytes long"),
        ("00A4040005A000000308", "6A82", "the card has no such application"),
        ("00700000", "6A81", "all channels are open"),
        ("00FF0000", "6D00", "the application has no such instruction"),
        ("80FF0000", "6E00", "CLA is reserved or proprietary"),
        ("0020008000", "", "there was no answer"),
        ("0020008000", "6FFF", "unknown status word"),
        ("", "6700", "Lc and Le do not fit the length of the command"),
    ],
)
def test_a_refusal_in_a_log_without_reasons(command: str, response: str, words: str) -> None:
    assert words in of(command, response)


def test_the_reason_in_the_log_goes_first() -> None:
    assert of("00200080", "6982", "because") == "because"


def test_who_answers_a_status_word() -> None:
    found = list(refusals(SW.FILE_EXISTS))
    assert [(one.application, one.command, one.when) for one in found] == [
        ("GIDS", "CREATE FILE", "there is a file with this identifier")
    ]
    assert found[0].access.startswith("the rule of the DF")
    assert Refusal("", "SELECT", "the card has no such application") in list(refusals(SW.FILE_NOT_FOUND))
    of_gids = [one.command for one in refusals(0x63C2) if one.application == "GIDS"]
    assert of_gids == ["VERIFY", "CHANGE REFERENCE DATA", "RESET RETRY COUNTER"]
    assert list(refusals(0x9000)) == []


def test_each_row_tells_of_refusals_and_none_of_success() -> None:
    for application in all_applications():
        for _, row in application.table:
            answers = row.answers()
            # What only tells something, and that to anybody, refuses nothing but its parameters.
            assert answers or (row.access is ANYBODY and not row.changes)
            assert 0x9000 not in answers
            assert row_words(row, 0x9000) == ""
            assert all(words and not words.endswith(".") for words in answers.values())


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (range(1), "0"),
        (frozenset({0, 2}), "0 or 2"),
        ([1, 2, 3, 9], "1 to 3 or 9"),
        ([], "nothing"),
        (range(0, 40, 2), "0, 2, 4, 6, 8, 10, 12, 14 …"),
    ],
)
def test_values_that_are_accepted(values: object, words: str) -> None:
    assert accepted(values, 100, "d") == words


def test_the_fields_of_a_command() -> None:
    assert parts(bytes.fromhex("00CBA010045C02DF2200")) == "CLA 00, INS CB, P1-P2 A010, Lc 4, Le 256"
    assert parts(bytes.fromhex("00CBA0100000045C02DF220000")).endswith("Lc 4, Le 65536, extended length")
    assert parts(bytes.fromhex("00CBA01005")) == "CLA 00, INS CB, P1-P2 A010, Le 5"
    assert parts(bytes.fromhex("00CBA0100500")) == "Lc does not fit a command of 6 bytes"
