"""Data objects and tags come back from their bytes; bytes come back where lengths are minimal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_os.tlv import HEADER, Tlv, join, length_bytes, parse_all, parse_tags, tag_bytes
from card_os.wire import WireError
from tests.property.strategies import TAGS, TLVS, damaged

OBJECTS = st.lists(TLVS, max_size=4)


@given(OBJECTS)
def test_objects_come_back_from_their_bytes(objects: list[Tlv]) -> None:
    assert parse_all(join(objects)) == tuple(objects)


@given(TLVS, st.binary(max_size=8))
def test_the_first_object_leaves_the_rest_alone(one: Tlv, rest: bytes) -> None:
    assert Tlv.parse_head(bytes(one) + rest) == (one, rest)


@given(st.binary(max_size=30) | damaged(OBJECTS.map(join)))
def test_whatever_is_accepted_means_the_same_in_its_shortest_form(raw: bytes) -> None:
    try:
        objects = parse_all(raw)
    except WireError:
        return
    shortest = join(objects)
    assert parse_all(shortest) == objects
    assert len(shortest) <= len(raw)
    if len(shortest) == len(raw):
        assert shortest == raw


@given(TLVS, st.integers(1, 4))
def test_a_longer_form_of_the_length_is_read_too(one: Tlv, count: int) -> None:
    size = max(count, (len(one.value).bit_length() + 7) // 8)
    raw = tag_bytes(one.tag) + bytes([0x80 | size]) + len(one.value).to_bytes(size, "big") + one.value
    assert parse_all(raw) == (one,)


@given(TLVS, st.data())
def test_a_cut_object_is_refused(one: Tlv, data: st.DataObject) -> None:
    raw = bytes(one)
    cut = data.draw(st.integers(0, len(raw) - 1))
    with pytest.raises(WireError):
        Tlv.parse_head(raw[:cut])


@given(st.lists(TAGS, max_size=6))
def test_tags_come_back_from_a_tag_list(tags: list[int]) -> None:
    assert parse_tags(b"".join(tag_bytes(tag) for tag in tags)) == tuple(tags)


@given(st.binary(max_size=12))
def test_a_tag_list_that_is_accepted_is_written_the_same(raw: bytes) -> None:
    try:
        tags = parse_tags(raw)
    except WireError:
        return
    assert b"".join(tag_bytes(tag) for tag in tags) == raw


@given(st.integers(-1, 2**32))
def test_a_number_is_a_tag_only_if_its_bytes_are_one(number: int) -> None:
    try:
        raw = tag_bytes(number)
    except WireError:
        return
    assert parse_tags(raw) == (number,)


@given(st.integers(0, 2**32 - 1))
def test_a_length_is_written_in_its_shortest_form(length: int) -> None:
    raw = length_bytes(length)
    head, used = HEADER.parse_head(b"\x81" + raw)
    assert (head.length, used) == (length, 1 + len(raw))
    assert len(raw) == 1 if length < 0x80 else len(raw) == 1 + (length.bit_length() + 7) // 8
