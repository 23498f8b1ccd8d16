"""card_os.wire_code: which structs become plain functions, and that these read and write what construct does.

The formats of the card, with all bytes and truncations: tests/property/test_wire.py.
"""

from typing import Any

import pytest
from construct import (
    Array,
    BitStruct,
    Bytes,
    BytesInteger,
    Check,
    Computed,
    Const,
    Construct,
    Flag,
    GreedyBytes,
    If,
    IfThenElse,
    Int8ub,
    Int16ub,
    Int16ul,
    Int24ub,
    Int32sl,
    Optional,
    Padding,
    Prefixed,
    Struct,
    len_,
    this,
)
from hypothesis import given
from hypothesis import strategies as st

from bench.attached import gids_card
from card_os.wire import Format, WireError
from card_os.wire_code import field_names, functions

KNOWN = [
    Struct("a" / Int8ub, "b" / Int16ul, "c" / Int16ub, "d" / Int32sl, "e" / Int8ub),
    Struct("size" / Int8ub, "data" / Bytes(this.size & 3), "rest" / GreedyBytes),
    Struct("size" / Int8ub, "data" / Bytes(this.size - 2)),
    Struct(Const(b"\x00"), "one" / Const(1, Int8ub), Padding(2), "two" / Int8ub),
    Struct("size" / Int8ub, "number" / BytesInteger(this.size & 3)),
    Struct("a" / Int8ub, "b" / IfThenElse(this.a > 2, Int16ub, Computed(this.a * 2)), Check(this.b != 3)),
    Struct("a" / Int8ub, "b" / IfThenElse(this.a > 2, Bytes(2), IfThenElse(this.a == 1, GreedyBytes, Bytes(1)))),
    Struct("number" / Int24ub),
    Struct("class" / Int8ub, "raw" / Int8ub, "at" / Int8ub),
    Struct(),
]
UNKNOWN = [
    Struct("a" / Array(2, Int8ub)),
    Struct("a" / If(True, Int8ub)),
    Struct("a" / Optional(Int8ub)),
    Struct("a" / Prefixed(Int8ub, GreedyBytes)),
    Struct("a" / Int8ub, "b" / Bytes(len_(this.a))),
    Struct("a" / Int8ub, "b" / Bytes(lambda context: context.a)),
    Struct("a" / Int8ub, "a" / Int8ub),
    Struct("bits" / BitStruct("a" / Flag, Padding(7))),
    Struct("number" / BytesInteger(2, signed=True)),
    Int8ub,
]
ANY = st.binary(max_size=12) | st.lists(st.sampled_from([0, 0, 1, 2, 3, 4, 255]), max_size=12).map(bytes)
VALUE = st.sampled_from([None, 0, 1, 2, 3, 255, 256, -1, b"", b"\x01", b"ab", bytearray(b"ab"), "ab", 1.0, True])


@pytest.mark.parametrize("declared", UNKNOWN, ids=range(len(UNKNOWN)))
def test_any_other_node_is_left_to_construct(declared: Construct) -> None:
    assert functions(declared, lambda raw, at: ()) is None


@pytest.mark.parametrize("declared", KNOWN, ids=range(len(KNOWN)))
def test_the_known_nodes_become_functions(declared: Construct) -> None:
    assert functions(declared, lambda raw, at: ()) is not None


def outcome(form: Format, raw: bytes, *, compiled: bool) -> Any:
    try:
        value, used = form.parse_head(raw, compiled=compiled)
    except WireError:
        return None
    return {name: value[name] for name in form.names}, used


@given(st.sampled_from(KNOWN), ANY)
def test_any_bytes_read_as_construct_reads_them(declared: Construct, raw: bytes) -> None:
    form = Format(declared)
    assert outcome(form, raw, compiled=True) == outcome(form, raw, compiled=False)


def built(form: Format, values: dict[str, Any], *, compiled: bool) -> bytes | None:
    try:
        return form.build(values, compiled=compiled)
    except WireError:
        return None


@given(st.sampled_from(KNOWN), st.data())
def test_any_values_are_written_as_construct_writes_them(declared: Construct, data: st.DataObject) -> None:
    values = {name: data.draw(VALUE, name) for name in field_names(declared)}
    form = Format(declared)
    assert built(form, values, compiled=True) == built(form, values, compiled=False)


def test_construct_is_not_asked_about_good_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    card = gids_card()
    asked = []
    monkeypatch.setattr(Format, "_ask_construct", lambda form, raw, compiled: asked.append(form))
    for command in ("00A4040009A00000039742544659 00", "00CBA010045C02DF2200", "0020008008 3132333435363738"):
        assert card.transmit(bytes.fromhex(command))[-2:] == b"\x90\x00"
    assert asked == []
