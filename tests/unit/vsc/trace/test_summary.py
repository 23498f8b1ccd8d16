"""vsc.trace.summary: what came of a trace, in sentences."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.vsc.trace.sample import INSERTED, apdu
from vsc.trace.decoder import Decoder
from vsc.trace.entry import Entry
from vsc.trace.summary import summary

SELECT = apdu("00A4040009A00000039742544659", "9000")
WRONG, BLOCKED, RIGHT = (apdu("0020008004 31323334", sw) for sw in ("63C4", "6983", "9000"))


def said(*entries: Entry) -> list[str]:
    decoder = Decoder()
    return list(summary([decoder.decode(entry) for entry in (INSERTED, SELECT, *entries)]).sentences())[1:]


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([WRONG], "PIN wrong once, 4 tries left"),
        ([WRONG, apdu("0020008004 31323334", "63C3"), RIGHT], "PIN wrong twice, 3 tries left, then right once"),
        ([RIGHT, RIGHT, RIGHT, WRONG], "PIN right 3 times, then wrong once, 4 tries left"),
        (
            [apdu("0020008004 31323334", "63C1"), apdu("0020008004 31323334", "63C0"), BLOCKED],
            "PIN wrong twice, no try left, then refused, for it is blocked, once",
        ),
        ([RIGHT, WRONG, RIGHT, WRONG, RIGHT], "PIN right 3 times, wrong twice, 4 tries left"),
        ([apdu("0020008004 31323334", "6300")], "PIN wrong once"),
        ([apdu("00240080 08 3132333435363738", "9000")], "PIN changed once"),
        ([apdu("00240080 08 3132333435363738", "63C2")], "PIN wrong once, 2 tries left"),
        ([apdu("002C0280 08 3132333435363738", "9000")], "PIN reset once"),
        ([apdu("00200080", "63C4"), apdu("00200082", "9000")], None),
        ([apdu("002A9E9A 02 AABB", "0102 9000")] * 2, "signed twice"),
        ([apdu("002A8086 02 00BB", "0102 9000")], "deciphered once"),
        ([apdu("00CBA010045C02DF22", "DF2200 9000"), apdu("00DBA010 03 DF2200", "9000")], "read once; wrote once"),
        ([apdu("10DBA010 03 DF2200", "9000"), apdu("00DBA010 03 DF2200", "9000")], "wrote once"),
        ([apdu("00470000 02 AC00", "7F49 9000")], "made a key once"),
        ([apdu("80E10000", "9000")], "INS E1 once"),
    ],
)  # fmt: skip
def test_deeds(entries: list[Entry], words: str | None) -> None:
    assert said(*entries) == ([words] if words else [])


def test_the_counts() -> None:
    decoder = Decoder()
    entries = (
        INSERTED,
        apdu("00A4040005A000000308", "6A82", seconds=1.0),
        apdu("00A4040009A00000039742544659", "9000", seconds=1.5),
        apdu("00CB3FFF035C017E", "6982", seconds=2.0, reason="no right"),
        apdu("00CB3FFF035C017E", "6982", seconds=2.0, reason="no right"),
        apdu("00CB3FFF035C017E", "", seconds=3.25),
    )
    first, *refused = summary([decoder.decode(entry) for entry in entries]).sentences()
    assert first == "5 commands to GIDS in 2.2 s: 1 done, 3 refused, 1 asked for what is not there, 1 without an answer"
    assert refused == [
        "refused twice: GIDS: GET DATA 3FFF 7E -> 6982 security status not satisfied (no right)",
        "refused: GIDS: GET DATA 3FFF 7E -> no answer",
    ]


def test_only_so_many_refusals_are_told() -> None:
    lines = said(*(apdu(f"00CB3FFF035C01{number:02X}", "6982") for number in range(0x61, 0x6A)))
    assert len(lines) == 7
    assert lines[-1] == "and 3 other refusals"


def test_nothing_is_something() -> None:
    assert list(summary([]).sentences()) == ["0 commands: 0 done, none refused"]


@given(st.lists(st.tuples(st.binary(max_size=8), st.binary(max_size=4)), max_size=12))
def test_any_trace_has_a_summary(pairs: list[tuple[bytes, bytes]]) -> None:
    decoder = Decoder()
    told = summary([decoder.decode(apdu(command.hex(), response.hex())) for command, response in pairs])
    assert told.commands == len(pairs) == told.done + told.refused + told.probes
    assert list(told.sentences())
