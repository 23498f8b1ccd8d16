"""vsc.trace.jsonl: traces as JSON lines, read and written."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.vsc.trace.sample import ENTRIES, apdu
from vsc.masking.command import MaskedCommand
from vsc.masking.mask import mask
from vsc.trace.entry import Entry, EntryKind
from vsc.trace.jsonl import TraceError, dump, head, is_trace, parse, started

HEAD = head()
MICROSECONDS = st.integers(0, 4 * 10**15).map(lambda number: round(number / 1e6, 6))
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)

apdus = st.builds(
    Entry,
    st.just(EntryKind.APDU),
    MICROSECONDS,
    TEXT,
    st.binary(max_size=40).map(mask),
    st.binary(max_size=20),
    TEXT,
    MICROSECONDS,
    changes=st.lists(TEXT, max_size=3).map(tuple),
)
events = st.builds(
    Entry,
    st.sampled_from(sorted(set(EntryKind) - {EntryKind.APDU}, key=str)),
    MICROSECONDS,
    TEXT,
    atr=st.binary(max_size=33),
)


@given(st.lists(apdus | events, max_size=5))
def test_what_was_written_is_read(entries: list[Entry]) -> None:
    assert list(parse([head(1.5), *map(dump, entries)])) == entries


def test_lines_are_as_the_module_says() -> None:
    assert json.loads(head(1.5)) == {"format": "vsc trace", "version": 2, "started": 1.5}
    assert [json.loads(dump(entry)) for entry in ENTRIES[:1]] == [
        {"kind": "inserted", "seconds": 0.0, "reader": "Reader ☂", "atr": "3B80"}
    ]
    assert json.loads(
        dump(apdu("0020008004 31323334", "63C4", reason="PIN: wrong value", seconds=0.5, took_s=0.25))
    ) == {
        "kind": "apdu",
        "seconds": 0.5,
        "reader": "Reader ☂",
        "name": "VERIFY",
        "command": "0020008004…",
        "hidden": 4,
        "response": "63C4",
        "took": 0.25,
        "reason": "PIN: wrong value",
    }


def test_version_1_is_read() -> None:
    lines = [
        '{"format": "vsc trace", "version": 1}',
        '{"seconds": 0.012, "reader": "r", "name": "VERIFY", "command": "0020008008…", "response": "9000"}',
        '{"seconds": 0.013, "reader": "r", "name": "SELECT", "command": "00A40400", "response": "6A82"}',
    ]
    assert list(parse(lines)) == [
        Entry(EntryKind.APDU, 0.012, "r", MaskedCommand(bytes.fromhex("0020008008"), 8), b"\x90\x00"),
        Entry(EntryKind.APDU, 0.013, "r", MaskedCommand(bytes.fromhex("00A40400")), b"\x6a\x82"),
    ]


def test_what_somebody_left_open_is_hidden_when_it_is_read() -> None:
    (entry,) = parse([HEAD, '{"command": "002000800431323334", "response": "9000"}'])
    assert entry.command == MaskedCommand(bytes.fromhex("0020008004"), 4)


@pytest.mark.parametrize(
    ("fields", "visible", "hidden_bytes"),
    [
        ('"command": "002000800431…", "hidden": 3', "0020008004", 4),
        ('"command": "002000800431323334…", "hidden": 3', "00200080", 8),
        ('"command": "002000800431323334…"', "00200080", 9),
        ('"command": "00200080…", "hidden": 256', "00200080", 256),
        ('"command": "0020008000010031…", "hidden": 255', "00200080000100", 256),
    ],
)
def test_what_somebody_left_open_before_the_hidden_is_hidden(fields: str, visible: str, hidden_bytes: int) -> None:
    (entry,) = parse([HEAD, f'{{{fields}, "response": "9000"}}'])
    assert entry.command == MaskedCommand(bytes.fromhex(visible), hidden_bytes)


def test_when_it_was_begun() -> None:
    assert started(head(12.5)) == 12.5
    for other in (
        HEAD,
        "",
        "[]",
        '{"format": "vsc trace", "started": "now"}',
        '{"format": "vsc trace", "started": -1}',
    ):
        assert started(other) is None


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], "it is empty"),
        (["  ", ""], "it is empty"),
        (["hello"], "its first line is not"),
        (["[1]"], "its first line is not"),
        (["[" * 100_000], "its first line is not"),
        (['{"format": "vsc trace", "version": 3}'], "version 3 of traces is not known here, only 1 to 2"),
        (['{"format": "vsc trace"}'], "version None"),
        ([HEAD, "{}"], "line 2 of the trace is damaged: 'command' is missing"),
        ([HEAD, "", "x"], "line 3 of the trace is damaged"),
        ([HEAD, "[]"], "line 2 of the trace is damaged: it is no object"),
        ([HEAD, "[" * 100_000], "line 2 of the trace is damaged"),
        ([HEAD, '{"command": "0G", "response": ""}'], "line 2 of the trace is damaged"),
        ([HEAD, '{"command": 5, "response": ""}'], "line 2 of the trace is damaged"),
        ([HEAD, '{"command": "00…", "hidden": -1, "response": ""}'], "-1 is not between 0 and 70000"),
        ([HEAD, '{"command": "00", "response": "", "seconds": Infinity}'], "inf is not between"),
        ([HEAD, '{"command": "00", "response": "", "seconds": NaN}'], "nan is not between"),
        ([HEAD, '{"kind": "fire"}'], "line 2 of the trace is damaged"),
    ],
)
def test_what_is_no_trace_is_told_in_a_sentence(lines: list[str], words: str) -> None:
    with pytest.raises(TraceError) as error:
        list(parse(lines))
    assert words in str(error.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=9), lambda one: st.lists(one, max_size=2)
)
NAMES = st.sampled_from(["kind", "seconds", "reader", "command", "hidden", "response", "took", "reason", "atr", "x"])


@given(st.lists(st.dictionaries(NAMES, JSON).map(json.dumps) | st.text(max_size=30), max_size=3))
def test_any_lines_are_read_or_told_of(lines: list[str]) -> None:
    try:
        entries = list(parse([HEAD, *lines]))
    except TraceError:
        return
    assert all(math.isfinite(entry.seconds) for entry in entries)
    assert is_trace(HEAD)
