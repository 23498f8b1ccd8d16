"""card_os.description: fields that are read strictly, and errors that say where."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_os.description import LINE_BYTES, DescriptionError, Fields, hexadecimal


@given(st.binary(max_size=200))
def test_bytes_are_read_back(raw: bytes) -> None:
    described = hexadecimal(raw)
    assert Fields({"x": described}).hexadecimal("x") == raw
    assert isinstance(described, list) == (len(raw) > LINE_BYTES)


def test_bytes_in_lines() -> None:
    assert hexadecimal(b"") == ""
    assert hexadecimal(bytes(range(32))) == bytes(range(32)).hex().upper()
    assert hexadecimal(b"\xab" * 33) == ["AB" * 32, "AB"]
    assert Fields({"x": ["AB", "", "cd ef"]}).hexadecimal("x") == b"\xab\xcd\xef"


BAD: dict[str, tuple[Any, Any, str]] = {
    "missing": ({}, lambda fields: fields.text("x"), "at.x: missing"),
    "no text": ({"x": 1}, lambda fields: fields.text("x"), "at.x: not a text"),
    "no flag": ({"x": 1}, lambda fields: fields.flag("x"), "at.x: neither true nor false"),
    "no number": ({"x": "1"}, lambda fields: fields.number("x", 0, 9), "at.x: not a number from 0 to 9"),
    "a flag": ({"x": True}, lambda fields: fields.number("x", 0, 9), "at.x: not a number from 0 to 9"),
    "a fraction": ({"x": 1.0}, lambda fields: fields.number("x", 0, 9), "at.x: not a number from 0 to 9"),
    "too large": ({"x": 10}, lambda fields: fields.number_or_none("x", 0, 9), "at.x: not a number from 0 to 9"),
    "no word": ({"x": "c"}, lambda fields: fields.word("x", {"a": 1, "b": 2}), "at.x: not one of a, b"),
    "a list": ({"x": ["a"]}, lambda fields: fields.word("x", {"a": 1}), "at.x: not one of a"),
    "no lines": ({"x": ["a", 1]}, lambda fields: fields.lines("x"), "at.x: not a list of texts"),
    "no hexadecimal": ({"x": "xy"}, lambda fields: fields.hexadecimal("x"), "at.x: not hexadecimal"),
    "half a byte": ({"x": ["AB", "C"]}, lambda fields: fields.hexadecimal("x"), "at.x: not hexadecimal"),
    "short": ({"x": "AB"}, lambda fields: fields.whole("x", 2), "at.x: not 4 hexadecimal digits"),
    "no object": ({"x": []}, lambda fields: fields.fields("x"), "at.x: not an object"),
    "no list": ({"x": {}}, lambda fields: fields.each("x"), "at.x: not a list"),
    "no list of objects": ({"x": [{}, 1]}, lambda fields: fields.each("x"), r"at.x\[1\]: not an object"),
    "deep": (
        {"x": [{"y": {"z": 1}}]},
        lambda fields: fields.each("x")[0].fields("y").text("z"),
        r"at.x\[0\].y.z: not a text",
    ),
    "left over": ({"x": 1}, lambda fields: fields.end(), "at.x: unknown"),
    "null": ({"x": None}, lambda fields: fields.text("x"), "at.x: not a text"),
}


@pytest.mark.parametrize(("value", "read", "text"), BAD.values(), ids=BAD)
def test_what_is_wrong_says_where(value: Any, read: Any, text: str) -> None:
    with pytest.raises(DescriptionError, match=f"^{text}$"):
        read(Fields(value, "at"))


def test_the_outermost_has_no_path() -> None:
    with pytest.raises(DescriptionError, match=r"^x: missing$"):
        Fields({}).text("x")
    with pytest.raises(DescriptionError, match=r"^the whole: not an object$"):
        Fields([])


def test_null_is_taken() -> None:
    fields = Fields({"x": None, "y": 1})
    assert (fields.number_or_none("x", 0, 9), fields.number_or_none("y", 0, 9)) == (None, 1)
    fields.end()


def test_a_field_is_taken_once() -> None:
    fields = Fields({"x": "a"})
    assert fields.has("x")
    fields.text("x")
    assert not fields.has("x")
    with pytest.raises(DescriptionError, match="missing"):
        fields.text("x")


def test_other_errors_get_the_name_of_the_field() -> None:
    fields = Fields({"x": "AB"}, "at")

    def refuse(raw: bytes) -> None:
        raise ValueError("no good")

    with pytest.raises(DescriptionError, match=r"^at\.x: no good$"):
        fields.made("x", refuse)
    with pytest.raises(DescriptionError, match=r"^at: too much$"), fields.naming(""):
        raise OverflowError("too much")
