"""Every wire format of the card: plain and compiled structs accept the same bytes and read the same values from them.

The formats are found by looking through all modules of card_os, so that a new one cannot be forgotten: it needs
samples, here, or in `formats.py` beside the tests of its application.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import card_os
from card_os.wire import Format, WireError
from tests.property.strategies import damaged
from tests.unit.each import each

SAMPLES: dict[str, list[str]] = {
    "apdu.Case.CASE_1": ["00A40400", "80CAFFFF"],
    "apdu.Case.CASE_2S": ["00A4040000", "00A40400FF"],
    "apdu.Case.CASE_3S": ["00A4040002AABB", "00A4040000"],
    "apdu.Case.CASE_4S": ["00A4040002AABB00", "00A404000000"],
    "apdu.Case.CASE_2E": ["00A40400000000", "00A4040000FFFF"],
    "apdu.Case.CASE_3E": ["00A40400000002AABB", "00A40400000000"],
    "apdu.Case.CASE_4E": ["00A40400000002AABB0000", "00A404000000000100"],
    "tlv.HEADER": ["8100", "7F4981FF", "7F810184FFFFFFFF", "5C820100", "0083000001", "1F7F7F"],
    "tlv.TAG": ["81", "7F49", "7F8101", "00", "5F00"],
    "atr.HEAD": ["3B80", "3FFF"],
    "atr.GROUP": ["00", "10AA", "20AA", "40AA", "8031", "F011223344", "0F"],
    "atr.TAIL": ["00", "F0", "03AABBCC", "F101"],
    "pin.PIN_POLICY": [
        "01000000 08000000 7F000000 00000000 00000000 00000000 00000000 02000000",
        "01000000 00000000 FFFFFFFF 01000000 02000000 01000000 02000000 01000000",
    ],
    "key.KEY": ["01AABB", "34"],
    "admin.CRYPTOGRAM": ["11" * 16 + "22" * 16 + "33" * 7 + "80"],
}
"""Bytes that each format of the kernel accepts, by its name below card_os."""

for path in sorted((Path(__file__).parents[1] / "unit" / "card_os" / "apps").glob("*/formats.py")):
    SAMPLES |= importlib.import_module(f"tests.unit.card_os.apps.{path.parent.name}.formats").SAMPLES


def modules() -> Iterator[ModuleType]:
    yield card_os
    for found in pkgutil.walk_packages(card_os.__path__, "card_os."):
        yield importlib.import_module(found.name)


def formats_in(name: str, value: object) -> Iterator[tuple[str, Format]]:
    """The formats that a module's attribute is, holds as an enumeration, as a class or in a collection."""
    if isinstance(value, Format):
        yield name, value
    elif isinstance(value, type) and issubclass(value, Enum):
        for member in value:
            yield from formats_in(f"{name}.{member.name}", member.value)
    elif isinstance(value, type):
        for attribute, inner in vars(value).items():
            if isinstance(inner, Format):
                yield f"{name}.{attribute}", inner
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from formats_in(f"{name}[{key}]", inner)
    elif isinstance(value, tuple | list):
        for index, inner in enumerate(value):
            yield from formats_in(f"{name}[{index}]", inner)


def names_by_format() -> dict[Format, set[str]]:
    """All names of each format: a module that imports one gives it another name."""
    names: dict[Format, set[str]] = {}
    for module in modules():
        below = module.__name__.removeprefix("card_os").lstrip(".")
        for attribute, value in vars(module).items():
            for name, form in formats_in(f"{below}.{attribute}", value):
                names.setdefault(form, set()).add(name)
    return names


FORMATS = {name: form for form, names in names_by_format().items() for name in names if name in SAMPLES}
RAWS = [(name, raw) for name, raws in SAMPLES.items() for raw in raws]


def plain(value: Any) -> Any:
    """A construct value without what construct keeps for itself."""
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items() if not str(name).startswith("_")}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


def read(form: Format, raw: bytes, *, compiled: bool) -> Any:
    """What a format reads from `raw`, or None; any exception but WireError is a failure."""
    try:
        value, used = form.parse_head(raw, compiled=compiled)
    except WireError:
        return None
    whole = True
    try:
        assert plain(form.parse(raw, compiled=compiled)) == plain(value)
    except WireError:
        whole = False
    assert whole is (used == len(raw))
    return plain(value), used


def assert_same(form: Format, raw: bytes) -> None:
    assert read(form, raw, compiled=True) == read(form, raw, compiled=False)


def test_every_format_of_the_card_has_samples() -> None:
    without = [sorted(names) for names in names_by_format().values() if not names & set(SAMPLES)]
    assert without == [], "add samples, under any one of these names"


def test_every_sample_belongs_to_a_format() -> None:
    assert set(SAMPLES) - set(FORMATS) == set()


def test_a_sample_is_read_whole_and_written_the_same() -> None:
    for name, sample in each(RAWS):
        for compiled in each([True, False]):
            form, raw = FORMATS[name], bytes.fromhex(sample)
            assert form.build(plain(form.parse(raw, compiled=compiled)), compiled=compiled) == raw


def test_every_truncation_and_extension_reads_the_same_plain_and_compiled() -> None:
    for name, sample in each(RAWS):
        form, raw = FORMATS[name], bytes.fromhex(sample)
        for size in range(len(raw) + 1):
            assert_same(form, raw[:size])
        for tail in (b"\x00", b"\xff", b"\x00\x01", bytes(300)):
            assert_same(form, raw + tail)


def test_every_single_wrong_byte_reads_the_same_plain_and_compiled() -> None:
    for name, sample in each(RAWS):
        form, raw = FORMATS[name], bytes.fromhex(sample)
        for place, byte in enumerate(raw):
            for wrong in {0x00, 0x01, 0x7F, 0x80, 0xFF, byte ^ 1, byte ^ 0x80, (byte + 1) & 0xFF, (byte - 1) & 0xFF}:
                assert_same(form, raw[:place] + bytes([wrong]) + raw[place + 1 :])


ANY_RAW = st.sampled_from(RAWS).flatmap(
    lambda row: st.tuples(st.just(row[0]), damaged(st.just(bytes.fromhex(row[1]))) | st.binary(max_size=60))
)


@given(ANY_RAW)
def test_any_bytes_read_the_same_plain_and_compiled(row: tuple[str, bytes]) -> None:
    name, raw = row
    assert_same(FORMATS[name], raw)


@given(ANY_RAW)
def test_what_is_accepted_is_written_the_same(row: tuple[str, bytes]) -> None:
    name, raw = row
    form = FORMATS[name]
    try:
        values = plain(form.parse(raw))
    except WireError:
        return
    assert form.build(values) == form.build(values, compiled=False) == raw


def test_the_search_finds_formats_wherever_they_are_kept() -> None:
    one = Format(any_struct())
    holder = type("Holder", (), {"FORM": one})
    kinds = Enum("kinds", {"ONE": one})
    for value in (one, holder, kinds, {"a": one}, (1, one), [[one]]):
        assert [form for _, form in formats_in("x", value)] == [one]
    assert list(formats_in("x", {"a": 1, "b": (object(), "c")})) == []


def any_struct() -> Any:
    return next(iter(FORMATS.values())).struct
