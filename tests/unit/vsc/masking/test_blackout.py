"""Bytes of which some are blacked out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsc.masking.blackout import Dump, dump_of, text


@pytest.mark.parametrize(
    ("words", "raw", "unknown"),
    [
        ("00 A4 04 00", "00a40400", set()),
        ("00:a4:04:00", "00a40400", set()),
        ("00A4xx00", "00a40000", {2}),
        ("00 XX ** ?? ## __ ██ 01", "000000000000 0001", {1, 2, 3, 4, 5, 6}),
        ("", "", set()),
    ],
)
def test_what_is_read(words: str, raw: str, unknown: set[int]) -> None:
    assert dump_of(words) == Dump(bytes.fromhex(raw), frozenset(unknown))


@pytest.mark.parametrize("words", ["0", "00 A", "0x", "00 .. 00", "hello", "00 … 00 …"])
def test_what_is_none(words: str) -> None:
    assert dump_of(words) is None


@pytest.mark.parametrize(
    ("words", "length"),
    [
        ("00 20 00 80 08 …", 13),
        ("00 20 00 80 08 31 ... 38", 13),
        ("00 CB 3F FF 05 5C … 00", 11),
        ("00 20 00 80 …", 5),
        ("00 20 00 80 xx …", 6),
        ("00 20 00 80 02 31 32 …", 8),
        ("00 [...]", 2),
    ],
)
def test_a_gap_is_as_long_as_lc_says(words: str, length: int) -> None:
    dump = dump_of(words)
    assert dump is not None
    assert len(dump.as_command().raw) == length


def test_what_follows_a_gap_moves() -> None:
    dump = dump_of("01 … xx 02")
    assert dump is not None
    assert dump.filled(2) == Dump(b"\x01\0\0\0\x02", frozenset({1, 2, 3}))


@given(st.binary(max_size=40), st.sets(st.integers(0, 39)))
def test_it_is_read_as_it_was_written(raw: bytes, places: set[int]) -> None:
    unknown = frozenset(place for place in places if place < len(raw))
    blacked_out = bytes(0 if place in unknown else byte for place, byte in enumerate(raw))
    assert dump_of(text(raw, unknown)) == Dump(blacked_out, unknown)


@given(st.text())
def test_any_words_are_read_or_none(words: str) -> None:
    dump = dump_of(words)
    assert dump is None or len(dump.as_command().raw) >= len(dump.raw)
