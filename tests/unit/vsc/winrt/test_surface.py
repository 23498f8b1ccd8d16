"""Our names, numbers of arguments and enumerations are those of PyWinRT 4 (tests/vectors/pywinrt-smartcards.json)."""

import inspect
import json
from enum import IntEnum, IntFlag
from pathlib import Path
from typing import Any

import pytest

from tests.unit.each import each
from vsc.winrt import devices_smartcards, hresult
from vsc.winrt.enums import WinrtIntEnum
from vsc.winrt.errors import WinRTError

TABLE: dict[str, Any] = json.loads(
    (Path(__file__).parents[3] / "vectors" / "pywinrt-smartcards.json").read_text(encoding="utf-8")
)
CORE, EMULATION, ENUMS = TABLE["core"], TABLE["emulation"], TABLE["enums"]
STATIC = [(name, method) for name in CORE for method in CORE[name].get("static_methods", {})]
METHODS = [(name, method) for name in CORE for method in CORE[name]["methods"]]
PROPERTIES = [
    (name, one) for name in CORE for one in (*CORE[name]["properties"], *CORE[name].get("settable_properties", ()))
]


def kind(name: str) -> Any:
    return getattr(devices_smartcards, name)


def arities(function: Any, *, bound: bool) -> list[int]:
    """How many arguments it takes; fails if one could be given by name."""
    parameters = list(inspect.signature(function).parameters.values())[0 if bound else 1 :]
    assert all(one.kind is inspect.Parameter.POSITIONAL_ONLY for one in parameters), parameters
    least = sum(one.default is inspect.Parameter.empty for one in parameters)
    return list(range(least, len(parameters) + 1))


def test_the_module_has_these_names_and_no_others() -> None:
    assert set(devices_smartcards.__all__) == {*CORE, *EMULATION, *ENUMS, "SmartCardPinResetHandler"}
    assert all(hasattr(devices_smartcards, name) for name in devices_smartcards.__all__)


def test_enumerations() -> None:
    for name in each(ENUMS):
        found = kind(name)
        assert {one: member.value for one, member in found.__members__.items()} == ENUMS[name]["members"]
        if ENUMS[name]["kind"] == "IntFlag":
            assert issubclass(found, IntFlag)
        else:
            assert issubclass(found, WinrtIntEnum)
            assert issubclass(found, IntEnum)
            assert found(1000).name == "1000"


@pytest.mark.parametrize(("name", "method"), STATIC)
def test_static_methods(name: str, method: str) -> None:
    assert not hasattr(kind(name), "__mro__") or method not in dir(object.__new__(kind(name)))
    attribute = inspect.getattr_static(type(kind(name)), method)
    is_property = isinstance(attribute, property)
    found = getattr(kind(name), method)
    assert arities(found, bound=True) == CORE[name]["static_methods"][method] or is_property
    if is_property:
        assert arities(inspect.unwrap(found), bound=True)[-1] == CORE[name]["static_methods"][method][-1]


def test_methods() -> None:
    for name, method in each(METHODS):
        function = inspect.getattr_static(kind(name), method)
        if method.startswith("__"):
            assert callable(function)
            return
        assert arities(function, bound=False) == CORE[name]["methods"][method]


@pytest.mark.parametrize(("name", "one"), PROPERTIES)
def test_properties(name: str, one: str) -> None:
    attribute = inspect.getattr_static(kind(name), one)
    is_settable = hasattr(type(attribute), "__set__") and (not isinstance(attribute, property) or attribute.fset)
    assert hasattr(type(attribute), "__get__")
    assert bool(is_settable) == (one in CORE[name].get("settable_properties", ()))


@pytest.mark.parametrize("name", CORE)
def test_there_is_nothing_else_in_public(name: str) -> None:
    row = CORE[name]
    expected = {*row["methods"], *row["properties"], *row.get("settable_properties", ())}
    own = {one for one in vars(kind(name)) if not one.startswith("_")}
    assert own == {one for one in expected if not one.startswith("_")}
    static = {one for one in vars(type(kind(name))) if not one.startswith("_")}
    assert static == set(row.get("static_methods", ()))


@pytest.mark.parametrize("name", CORE)
def test_constructors(name: str) -> None:
    if CORE[name].get("constructors"):
        kind(name)()
        return
    with pytest.raises(TypeError):
        kind(name)()


@pytest.mark.parametrize("name", EMULATION)
def test_emulation_says_that_it_is_not_there(name: str) -> None:
    row, found = EMULATION[name], kind(name)
    instance = object.__new__(found)
    calls = [(found, one, counts) for one, counts in row.get("static_methods", {}).items()]
    calls += [(instance, one, counts) for one, counts in row.get("methods", {}).items()]
    for owner, one, counts in calls:
        for count in counts:
            if one == "is_supported":
                assert getattr(owner, one)() is False
                continue
            with pytest.raises(WinRTError) as raised:
                getattr(owner, one)(*[None] * count)
            assert raised.value.winerror == hresult.E_NOTIMPL
        with pytest.raises(TypeError):
            getattr(owner, one)(*[None] * 9)
    for owner, names in (
        (found, row.get("static_properties", ())),
        (instance, (*row.get("properties", ()), *row.get("settable_properties", ()))),
    ):
        for one in names:
            with pytest.raises(WinRTError):
                getattr(owner, one)
    for count in row.get("constructors", ()):
        with pytest.raises(WinRTError):
            found(*[None] * count)
    if not row.get("constructors"):
        with pytest.raises(TypeError):
            found()


def test_a_name_that_there_is_not_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError):
        _ = devices_smartcards.SmartCardPrinter  # type: ignore[attr-defined]
