"""vsc.trace.text: a trace as people read it, held to the letter."""

from dataclasses import replace

from tests.unit.vsc.trace.sample import INSERTED, apdu, event
from vsc.trace.entry import EntryKind
from vsc.trace.text import lines

TRACE = (
    INSERTED,
    apdu("00A4040009A00000039742544659", "6104 4F02A000 9000", seconds=0.001, took_s=0.0004),
    apdu("00CBA010045C02DF2200", "DF22020102 9000", seconds=0.0021, took_s=0.00012),
    apdu("0020008008 3132333435363738", "63C4", reason="PIN: wrong value", seconds=0.5, took_s=0.0002),
    apdu("0022 41B6 06 800157 840181", "9000", seconds=12.25, took_s=0.0001),
    event(EntryKind.RESET, seconds=100.0),
    event(EntryKind.EJECTED, seconds=1234.5),
)


def test_a_trace() -> None:
    assert list(lines(TRACE)) == [
        "   0.000      -- card inserted: GIDS 2.0 smart card, ATR 3B8D0180FBA000000397425446590201C9",
        "   0.001 GIDS SELECT GIDS                      -> 9000 done, 61, 6 bytes  0.4 ms",
        "   0.002 GIDS GET DATA A010 DF22 (cardcf)      -> 9000 done, DF22, 5 bytes  0.1 ms",
        "   0.500 GIDS VERIFY PIN 80, 8 bytes           -> 63C4 not verified, 4 tries left  0.2 ms",
        "              why: PIN: wrong value",
        "  12.250 GIDS MSE key 81, sign, RSA-2048, PKCS#1 -> 9000 done             0.1 ms",
        " 100.000      -- card reset",
        "1234.500      -- card ejected",
    ]


def test_several_readers_are_numbered() -> None:
    other = [replace(entry, reader="Other") for entry in TRACE[:1]]
    said = list(lines((*TRACE[:1], *other, TRACE[3])))
    assert [line[:16].rstrip() for line in said] == [
        "         [1] is",
        "   0.000 [1]",
        "         [2] is",
        "   0.000 [2]",
        "   0.500 [1] GID",
        "",
    ]
    assert said[0].endswith("[1] is Reader ☂")
    assert said[-1] == "                  why: PIN: wrong value"


def test_what_a_terminal_might_obey_is_replaced() -> None:
    odd = replace(TRACE[3], reason="a\x1b[31mb\nc", reader="x\ny")
    assert list(lines((TRACE[0], odd)))[-1].endswith("why: a�[31mb�c")
    assert not any(char in line for line in lines((TRACE[0], odd)) for char in "\n\x1b")
