"""card_os.schema: from one declaration come bytes, descriptions and facts that belong together."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_os.access import AccessRule
from card_os.application import Application
from card_os.description import DescriptionError, Fields
from card_os.fact import Fact
from card_os.fact import Kind as About
from card_os.schema import (
    COUNT,
    LONG,
    SHORT,
    Blob,
    Field,
    Flag,
    Many,
    Maybe,
    Nothing,
    Number,
    OneOf,
    Option,
    Record,
    Wire,
    Word,
)
from card_os.wire import WireError
from tests.unit.each import each


class Colour(IntEnum):
    RED = 3
    DARK_BLUE = 7


@dataclass(frozen=True)
class Stone:
    weight: int


@dataclass(frozen=True)
class Box:
    number: int
    content: int | Stone | None = None


@dataclass(frozen=True)
class Shelf:
    colour: Colour = Colour.RED
    width: int = 1
    is_open: bool = False
    limit: int | None = None
    note: bytes = b""
    rule: AccessRule | None = None
    boxes: tuple[Stone | Box, ...] = ()


def of_box(box: Box, shelf: Shelf) -> Iterator[Fact]:
    yield Fact(About.FILE, f"box {box.number} of {shelf.colour.name}", type(box))


STONE = Record(Stone, Field("weight", Number(2, 1, 500), fact="weight of {0}"))
CONTENT = OneOf(
    "what",
    Option(None, type(None), Nothing(), 0x10),
    Option("stone", Stone, STONE, 0x11),
)
BOX = Record(
    Box,
    Field("number", Number(1, is_hex=True), fact=None),
    Field("content", CONTENT, SHORT, before=b"\xff\xee", fact="in box {0.number}"),
    number_of="content",
    tells=of_box,
)
THING = OneOf("thing", Option("pebble", Stone, STONE, 0x00), Option("box", Box, BOX, range(0x10, 0x12)))


def key_of(thing: Stone | Box) -> int:
    return thing.number if isinstance(thing, Box) else -thing.weight


SHELF = Record(
    Shelf,
    Field("colour", Word(Colour)),
    Field("width", Number(2, 1, 1000)),
    Field("is_open", Flag(), fact="open"),
    Field("limit", Maybe(Number(1, 1, 9))),
    Field("note", Blob(About.OBJECT), LONG, named="remark"),
    Field("rule", Maybe(Wire(AccessRule.parse)), SHORT),
    Field("boxes", Many(THING, key_of, "a thing {}", "number")),
    head=b"SH\x01",
)

stones = st.builds(Stone, st.integers(1, 500))
boxes = st.builds(Box, st.integers(0, 255), st.none() | stones)
shelves = st.builds(
    Shelf,
    st.sampled_from(Colour),
    st.integers(1, 1000),
    st.booleans(),
    st.none() | st.integers(1, 9),
    st.binary(max_size=300),
    st.none() | st.just(AccessRule.parse(b"\x03\x30\x00")),
    st.lists(stones | boxes, max_size=4, unique_by=key_of).map(tuple),
)
FULL = Shelf(
    Colour.DARK_BLUE, 12, True, 4, b"hello", AccessRule.parse(b"\x03\x30\x00"), (Stone(7), Box(1, Stone(8)), Box(2))
)
FULL_BYTES = bytes.fromhex(
    "534801 07 000C 01 04 00000005 68656C6C6F 03 033000 0003"
    "00000003 00 0007  00000007 11 01 FFEE 02 0008  00000005 10 02 FFEE 00"
)


def test_bytes_stand_in_the_order_of_the_fields() -> None:
    assert SHELF.encode(FULL) == FULL_BYTES
    assert SHELF.decode(FULL_BYTES) == FULL
    assert SHELF.encode(Shelf()).hex() == "534801030001000000000000000000"


@given(shelves)
def test_what_is_written_is_read_back(shelf: Shelf) -> None:
    raw = SHELF.encode(shelf)
    assert SHELF.decode(raw) == shelf
    assert SHELF.encode(SHELF.decode(raw)) == raw


@given(shelves)
def test_what_is_described_is_read_back(shelf: Shelf) -> None:
    assert SHELF.read_fields(Fields(SHELF.describe(shelf))) == shelf


def test_a_description_has_the_words_of_the_declaration() -> None:
    assert SHELF.describe(FULL) == {
        "colour": "dark_blue",
        "width": 12,
        "is_open": True,
        "limit": 4,
        "remark": "68656C6C6F",
        "rule": "033000",
        "boxes": [
            {"thing": "pebble", "weight": 7},
            {"thing": "box", "number": "01", "content": {"what": "stone", "weight": 8}},
            {"thing": "box", "number": "02", "content": None},
        ],
    }


def test_every_truncation_is_refused() -> None:
    for size in each(range(len(FULL_BYTES))):
        with pytest.raises(WireError):
            SHELF.decode(FULL_BYTES[:size])


@given(st.binary(max_size=60))
def test_any_bytes_are_refused_or_read(raw: bytes) -> None:
    for one in (raw, b"SH\x01" + raw):
        try:
            shelf = SHELF.decode(one)
        except ValueError:
            continue
        assert SHELF.encode(shelf) == one


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        (b"SH\x01", b"SH\x02", "something else, or of another version"),
        (b"SH\x01\x07", b"SH\x01\x05", "5 is not a valid"),
        (b"\x00\x0c\x01", b"\x00\x00\x01", "0 is not from 1 to 1000"),
        (b"\x00\x0c\x01", b"\x00\x0c\x02", "02 is neither yes nor no"),
        (b"\x00\x0c\x01\x04", b"\x00\x0c\x01\x0a", "10 is not from 1 to 9"),
        (b"\x11\x01\xff\xee", b"\x11\x01\xff\xef", "something stands before content"),
        (b"\x11\x01\xff\xee", b"\x12\x01\xff\xee", "thing 18 is unknown"),
        (b"\x02\xff\xee\x00", b"\x02\xff\xee\x00\x00", "bytes too many"),
    ],
)
def test_bytes_that_are_wrong_are_refused(old: bytes, new: bytes, error: str) -> None:
    assert old in FULL_BYTES
    with pytest.raises(ValueError, match=error):
        SHELF.decode(FULL_BYTES.replace(old, new))


def changed(**values: Any) -> dict[str, Any]:
    return {**SHELF.describe(FULL), **values}


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"colour": "green"}, "colour: not one of red, dark_blue"),
        ({"width": 0}, "width: not a number from 1 to 1000"),
        ({"is_open": 1}, "is_open: neither true nor false"),
        ({"remark": "zz"}, "remark: not hexadecimal"),
        ({"rule": "03"}, "rule: a security condition byte is missing"),
        ({"size": 1}, "size: unknown"),
        ({"boxes": [{"thing": "cup"}]}, r"boxes\[0\]\.thing: not one of pebble, box"),
        ({"boxes": [{"thing": "box", "number": "1"}]}, r"boxes\[0\]\.number: not hexadecimal"),
        (
            {"boxes": [{"thing": "box", "number": "01", "content": {"what": "air"}}]},
            r"boxes\[0\]\.content\.what: not one of stone",
        ),
        ({"boxes": 2 * [{"thing": "box", "number": "01", "content": None}]}, r"boxes\[1\]\.number: there is a thing 1"),
    ],
)
def test_a_description_that_is_wrong_is_refused_and_named(values: dict[str, Any], error: str) -> None:
    with pytest.raises(DescriptionError, match=error):
        SHELF.read_fields(Fields(changed(**values)))


def test_facts_are_named_after_what_they_are_in() -> None:
    told = {fact.name: (fact.kind, fact.shown) for fact in SHELF.facts(FULL)}
    assert told == {
        "colour": (About.RULE, "dark_blue"),
        "width": (About.RULE, "12"),
        "open": (About.RULE, "yes"),
        "limit": (About.RULE, "4"),
        "remark": (About.OBJECT, "5 bytes"),
        "rule": (About.RULE, "033000"),
        "weight of Stone(weight=7)": (About.RULE, "7"),
        "box 1 of DARK_BLUE": (About.FILE, ""),
        "weight of Stone(weight=8)": (About.RULE, "8"),
        "box 2 of DARK_BLUE": (About.FILE, ""),
    }
    assert {fact.name: fact.shown for fact in SHELF.facts(Shelf())}["limit"] == "none"


@given(shelves, shelves)
def test_two_states_that_differ_have_facts_that_differ(one: Shelf, other: Shelf) -> None:
    """But for the order of what there are many of, which is no fact."""
    ordered = [replace(shelf, boxes=tuple(sorted(shelf.boxes, key=key_of))) for shelf in (one, other)]
    facts = [[(fact.name, fact.value) for fact in SHELF.facts(shelf)] for shelf in ordered]
    numbers = [[key_of(thing) for thing in shelf.boxes] for shelf in ordered]
    assert (facts[0] == facts[1] and numbers[0] == numbers[1]) == (ordered[0] == ordered[1])


def test_what_does_not_fit_its_frame_is_refused() -> None:
    assert COUNT.build(b"ab") == b"\x00\x02ab"
    with pytest.raises(WireError, match="256 bytes are too many"):
        SHORT.build(bytes(256))


def test_an_application_hands_all_of_it_on() -> None:
    class Shelves(Application[Shelf, None]):
        aid, name, commands, schema = b"\xf0SHELF", "shelf", {}, SHELF

    shelves = Shelves()
    assert shelves.decode(shelves.encode(FULL)) == FULL
    assert shelves.read_description(shelves.describe(FULL)) == FULL
    assert list(shelves.facts(FULL)) == list(SHELF.facts(FULL))
    with pytest.raises(WireError, match="not the state of a shelf application: 5 is not"):
        shelves.decode(FULL_BYTES.replace(b"SH\x01\x07", b"SH\x01\x05"))
