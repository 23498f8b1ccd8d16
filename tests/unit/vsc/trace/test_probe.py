"""vsc.trace.probe: what asked for what is not there, and runs of it."""

from dataclasses import replace

import pytest

from tests.unit.vsc.trace.sample import INSERTED, apdu
from vsc.trace.decoder import Decoder, Line
from vsc.trace.entry import Entry
from vsc.trace.probe import Probes, folded, is_probe


def decoded(*entries: Entry) -> list[Line]:
    decoder = Decoder()
    return [decoder.decode(entry) for entry in entries]


@pytest.mark.parametrize(
    ("command", "response", "expected"),
    [
        ("00A4040005A000000308", "6A82", True),
        ("00A40800022F00", "6A86", True),
        ("00CB3FFF035C017E", "6A88", True),
        ("00CA0000", "6D00", True),
        ("00478100 02 B600", "6A88", True),
        ("00478000 02 B600", "6A88", False),
        ("80CA9F7F00", "6E00", True),
        ("80E10000", "6D00", True),
        ("00A4040005A000000308", "9000", False),
        ("00A4040005A000000308", "6982", False),
        ("00CB3FFF035C017E", "6982", False),
        ("002A9E9A01AA", "6D00", False),
        ("00200080 04 31323334", "6A88", False),
        ("00DB3FFF 02 5300", "6A82", False),
        ("00A4", "6A82", False),
        ("00A4040005A000000308", "", False),
    ],
)
def test_what_is_a_probe(command: str, response: str, expected: bool) -> None:
    (line,) = decoded(apdu(command, response))
    assert is_probe(line) is expected


def test_an_event_and_a_fault_are_none() -> None:
    inserted, fault = decoded(INSERTED, apdu("00A4040005A000000308", "6A82", reason="fault: sw 6A82 on SELECT"))
    assert not is_probe(inserted)
    assert not is_probe(fault)


PROBES = [
    apdu("00A4040005A000000308", "6A82"),
    apdu("00A4040005A000000308", "6A82"),
    apdu("00A4040006A00000000101", "6A82"),
    apdu("00A4040006A00000000102", "6A82"),
    apdu("00A40800022F00", "6A86"),
    apdu("00CA0000", "6D00"),
]


def test_runs_are_folded() -> None:
    done = apdu("00CA0000", "9000")
    first, second, third, fourth = folded(decoded(*PROBES, done, PROBES[0], done))
    assert isinstance(first, Probes)
    assert first.sentence == "6 asked for what is not there: PIV, 2 other AIDs, file 2F00, GET DATA"
    assert [isinstance(one, Probes) for one in (second, third, fourth)] == [False] * 3


def test_many_files_are_counted() -> None:
    (run,) = folded(decoded(*(apdu(f"00A4080002500{number}", "6A82") for number in range(5))))
    assert isinstance(run, Probes)
    assert run.sentence == "5 asked for what is not there: 5 files"


def test_a_run_is_of_one_reader() -> None:
    other = [replace(entry, reader="Other") for entry in PROBES[:2]]
    runs = [one for one in folded(decoded(*PROBES[:2], *other)) if isinstance(one, Probes)]
    assert [len(run.lines) for run in runs] == [2, 2]
