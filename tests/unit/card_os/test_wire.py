"""card_os.wire: what a Format refuses. All formats of the card against each other: tests/property/test_wire.py."""

from typing import Any

import pytest
from construct import Bytes, Const, Construct, GreedyBytes, Int8ub, Int16ub, Prefixed, PrefixedArray, Struct, this

from card_os.wire import Format, WireError
from tests.unit.each import each

both = pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "plain"])

COUNTED = Struct("size" / Int8ub, "data" / Bytes(this.size))
PREFIXED = Struct("data" / Prefixed(Int8ub, GreedyBytes))
NESTED = Struct("parts" / PrefixedArray(Int8ub, Prefixed(Int8ub, GreedyBytes)))
FIXED = Struct(Const(b"\x80"), "number" / Int16ub)


@both
@pytest.mark.parametrize(
    ("declared", "raw", "values"),
    [
        (COUNTED, "02 AABB", {"size": 2, "data": b"\xaa\xbb"}),
        (COUNTED, "00", {"size": 0, "data": b""}),
        (PREFIXED, "01 AA", {"data": b"\xaa"}),
        (NESTED, "02 01AA 00", {"parts": [b"\xaa", b""]}),
        (FIXED, "80 0102", {"number": 0x0102}),
    ],
)
def test_parse_and_build_are_each_others_reverse(
    declared: Construct, raw: str, values: dict[str, Any], compiled: bool
) -> None:
    form, wire = Format(declared), bytes.fromhex(raw)
    parsed = form.parse(wire, compiled=compiled)
    assert {name: parsed[name] for name in values} == values
    assert form.build(values, compiled=compiled) == wire


@both
def test_bytes_that_are_short_long_or_wrong_are_refused(compiled: bool) -> None:
    for declared, raw in each(
        [
            (COUNTED, ""),
            (COUNTED, "02 AA"),
            (COUNTED, "02 AABB CC"),
            (PREFIXED, "02 AA"),
            (PREFIXED, "01 AA BB"),
            (NESTED, "02 01AA"),
            (NESTED, "01 02AA"),
            (FIXED, "80 01"),
            (FIXED, "80 0102 03"),
            (FIXED, "81 0102"),
        ]
    ):
        with pytest.raises(WireError):
            Format(declared).parse(bytes.fromhex(raw), compiled=compiled)


@both
def test_parse_head_says_how_much_it_took(compiled: bool) -> None:
    value, used = Format(COUNTED).parse_head(bytes.fromhex("01 AA BBCC"), compiled=compiled)
    assert (value.data, used) == (b"\xaa", 2)


@both
def test_values_that_would_not_come_back_are_not_built(compiled: bool) -> None:
    wrong: list[tuple[Any, dict[str, Any]]] = [
        (COUNTED, {"size": 3, "data": b"\xaa"}),
        (COUNTED, {"size": 0, "data": b"\xaa"}),
        (COUNTED, {"size": 256, "data": b""}),
        (COUNTED, {"size": -1, "data": b""}),
        (COUNTED, {"size": "2", "data": b"\xaa\xbb"}),
        (COUNTED, {"size": None, "data": b""}),
        (COUNTED, {"data": b"\xaa"}),
        (COUNTED, {}),
        (PREFIXED, {"data": bytes(256)}),
        (FIXED, {"number": 0x10000}),
        (FIXED, {"number": 1, "unknown": 2}),
    ]
    for declared, values in each(wrong):
        with pytest.raises(WireError):
            Format(declared).build(values, compiled=compiled)


@pytest.mark.parametrize(
    ("declared", "raw", "values", "times"),
    [(NESTED, "01 00", {"parts": [b""]}, 1), (FIXED, "80 0001", {"number": 1}, 0)],
)
def test_construct_compiles_what_plain_functions_do_not_know_once_and_only_when_needed(
    monkeypatch: pytest.MonkeyPatch, declared: Construct, raw: str, values: dict[str, Any], times: int
) -> None:
    compilations = []
    original = Struct.compile

    def compile_and_count(self: Struct) -> Any:
        compilations.append(self)
        return original(self)

    monkeypatch.setattr(Struct, "compile", compile_and_count)
    form = Format(declared)
    form.parse(bytes.fromhex(raw), compiled=False)
    assert compilations == []
    for _ in range(2):
        form.parse(bytes.fromhex(raw))
        form.build(values)
    assert compilations == [declared] * times


@pytest.mark.parametrize("declared", [FIXED, PREFIXED])
def test_fields_are_read_in_order_from_any_place(declared: Construct) -> None:
    form = Format(declared)
    raw = {FIXED: bytes.fromhex("80 0102"), PREFIXED: bytes.fromhex("01 AA")}[declared]
    fields = tuple(form.parse(raw)[name] for name in form.names)
    assert form.read(raw + b"rest", 0) == (*fields, len(raw))
    assert form.read(b"before" + raw + b"rest", 6) == (*fields, 6 + len(raw))
    with pytest.raises(WireError):
        form.read(b"before" + raw[:-1], 6)


def test_a_wire_error_is_a_value_error() -> None:
    assert issubclass(WireError, ValueError)
