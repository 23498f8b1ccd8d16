"""vsc.trace.text: a trace as people read it, held to the letter."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.vsc.trace.sample import INSERTED, apdu, event
from vsc.trace.entry import EntryKind
from vsc.trace.text import Tone, lines, report

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
        "   0.000 -- card inserted: GIDS 2.0 smart card, ATR 3B8D0180FBA000000397425446590201C9",
        "   0.001   0.4 ms GIDS SELECT GIDS                      -> 9000 done, 61, 6 bytes",
        "   0.002   0.1 ms GIDS GET DATA A010 DF22 (cardcf)      -> 9000 done, DF22, 5 bytes",
        "   0.500   0.2 ms GIDS VERIFY PIN 80, 8 bytes           -> 63C4 not verified, 4 tries left",
        "                       why: PIN: wrong value",
        "  12.250   0.1 ms GIDS MSE key 81, sign, RSA-2048, PKCS#1 -> 9000 done",
        " 100.000 -- card reset",
        "1234.500 -- card ejected",
    ]


def test_several_readers_are_numbered() -> None:
    other = [replace(entry, reader="Other") for entry in TRACE[:1]]
    said = list(lines((*TRACE[:1], *other, TRACE[3])))
    assert [line[:26].rstrip() for line in said] == [
        "                  [1] is R",
        "   0.000 [1] -- card inser",
        "                  [2] is O",
        "   0.000 [2] -- card inser",
        "   0.500   0.2 ms [1] GIDS",
        "",
    ]
    assert said[0].endswith("[1] is Reader ☂")
    assert said[-1] == "                           why: PIN: wrong value"


def test_what_a_terminal_might_obey_is_replaced() -> None:
    odd = replace(TRACE[3], reason="a\x1b[31mb\nc", reader="x\ny")
    assert list(lines((TRACE[0], odd)))[-1].endswith("why: a�[31mb�c")
    assert not any(char in line for line in lines((TRACE[0], odd)) for char in "\n\x1b")


PROBING = (
    apdu("00A4040009A00000030800001000", "6A82", reason="AID A00000030800001000: no such application"),
    apdu("00A4040006A00000000101", "6A82", reason="AID A00000000101: no such application"),
)


def test_a_report_begins_with_what_came_of_it_and_folds_probing() -> None:
    said = [(tone.name, line) for tone, line in report((TRACE[0], *PROBING, *TRACE[1:4]))]
    assert said == [
        ("SUMMARY", "5 commands to GIDS in 0.5 s: 2 done, 1 refused, 2 asked for what is not there"),
        ("SUMMARY", "PIN wrong once, 4 tries left; read once"),
        ("SUMMARY", ""),
        ("EVENT", "   0.000 -- card inserted: GIDS 2.0 smart card, ATR 3B8D0180FBA000000397425446590201C9"),
        ("PROBE", "   0.000 -- 2 asked for what is not there: PIV, AID A00000000101"),
        ("DONE", "   0.001   0.4 ms GIDS SELECT GIDS                      -> 9000 done, 61, 6 bytes"),
        ("DONE", "   0.002   0.1 ms GIDS GET DATA A010 DF22 (cardcf)      -> 9000 done, DF22, 5 bytes"),
        ("REFUSED", "   0.500   0.2 ms GIDS VERIFY PIN 80, 8 bytes           -> 63C4 not verified, 4 tries left"),
        ("WHY", "                       why: PIN: wrong value"),
    ]
    unfolded = [tone.name for tone, _ in report((TRACE[0], *PROBING, *TRACE[1:4]), fold=False)]
    assert unfolded.count("PROBE") == 2


def test_a_log_without_times_has_no_columns_for_them() -> None:
    first = next(line for tone, line in report(PROBING[:1]) if tone is Tone.PROBE)
    assert first.startswith("SELECT PIV") or first.lstrip().startswith("SELECT PIV")


@given(st.integers(40, 120))
def test_lines_fit(width: int) -> None:
    long = apdu("00CB3FFF" + "04" + "5C027F71", "6982", reason="a reason that is long, " * 12, seconds=1.0, took_s=12.5)
    said = [line for _, line in report((*TRACE, *PROBING, long), width=width)]
    assert max(map(len, said)) <= width
    # The status word is always there.
    assert any("6982" in line for line in said)


def test_in_80_columns() -> None:
    said = [line for tone, line in report(TRACE, width=80) if tone in (Tone.DONE, Tone.REFUSED)]
    assert said == [
        "   0.001   0.4 ms GIDS SELECT GIDS                 -> 9000 61, 6 bytes",
        "   0.002   0.1 ms GIDS GET DATA A010 DF22 (cardcf) -> 9000 DF22, 5 bytes",
        "   0.500   0.2 ms GIDS VERIFY PIN 80, 8 bytes -> 63C4 not verified, 4 tries left",
        "  12.250   0.1 ms GIDS MSE key 81, sign, RSA-2048, PKCS#1 -> 9000 done",
    ]


def test_a_card_that_takes_its_time() -> None:
    assert [
        line[8:18] for line in lines([replace(TRACE[1], took_s=took) for took in (0.00012, 0.2504, 9.99, 72.0)])
    ] == [
        "   0.1 ms ",
        " 250.4 ms ",
        "   10.0 s ",
        "   72.0 s ",
    ]


def test_the_name_of_an_application_that_no_profile_has_is_whole() -> None:
    openpgp = apdu("00A4040006D27600012401", "9000")
    said = [line for tone, line in report((openpgp, apdu("00CA004F00", "9000"))) if tone is Tone.DONE]
    assert [line.split()[0] for line in said] == ["OpenPGP", "OpenPGP"]
    assert [line.index("->") for line in said] == [len("OpenPGP ") + 33] * 2
