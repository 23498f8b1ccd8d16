"""vsc.serving.travel: objects as text, and back in a process that does not know their module."""

import subprocess
import sys
import threading
import types
from collections.abc import Callable

import pytest

from tests.interop.need import require_module
from vsc.faults import FaultSyntaxError
from vsc.reader import BrokenWireError
from vsc.serving.travel import NotImportableError, Raised, TravelError, packed, packed_error, unpacked

UNPACK = """
import sys
from vsc.serving.travel import NotImportableError, unpacked
try:
    print(unpacked(sys.stdin.read())())
except NotImportableError as error:
    print("unknown", error.module)
"""


def elsewhere(text: str) -> str:
    """What another process makes of it."""
    done = subprocess.run([sys.executable, "-c", UNPACK], input=text, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def only_here(monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """A function of a module that no other process can import."""
    module = types.ModuleType("only_here")
    exec("def speak():\n    return 'spoken'", module.__dict__)
    monkeypatch.setitem(sys.modules, "only_here", module)
    speak: Callable[[], str] = module.speak
    return speak


def test_what_both_can_import_goes_by_its_name() -> None:
    assert unpacked(packed(("a", 1, {"b": b"c"}))) == ("a", 1, {"b": b"c"})
    assert elsewhere(packed(threading.get_ident)).isdecimal()


def test_what_only_one_has_goes_with_its_code(only_here: Callable[[], str]) -> None:
    require_module("cloudpickle")
    assert elsewhere(packed(only_here)) == "unknown only_here"
    assert elsewhere(packed(only_here, whole={"only_here"})) == "spoken"
    assert elsewhere(packed(lambda: 2 * 3)) == "6"
    assert elsewhere(packed(only_here)) == "unknown only_here", "nothing stays registered"


def test_without_cloudpickle_it_is_said_what_to_do(
    only_here: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    for value, whole, words in ((lambda: 1, (), "lambda"), (only_here, ("only_here",), "only_here cannot be imported")):
        with pytest.raises(TravelError, match=words) as refused:
            packed(value, whole=whole)
        assert "pip install 'virtual-smart-card[cloudpickle]'" in str(refused.value)
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize("value", [threading.Lock(), open, sys.stdout], ids=["lock", "builtin", "file"])
def test_what_is_bound_to_this_process(value: object) -> None:
    require_module("cloudpickle")
    if value is open:
        assert unpacked(packed(value)) is open
        return
    with pytest.raises(TravelError, match="cannot travel"):
        packed(value)


def test_what_cannot_be_imported_names_its_module(only_here: Callable[[], str]) -> None:
    text = packed(only_here)
    del sys.modules["only_here"]
    with pytest.raises(NotImportableError) as error:
        unpacked(text)
    assert error.value.module == "only_here"


@pytest.mark.parametrize(
    "error",
    [BrokenWireError("cut", cut_answer=b"\x90"), FaultSyntaxError("x", 3, "what?", ("sw",)), ZeroDivisionError("a")],
    ids=lambda error: type(error).__name__,
)
def test_errors_keep_what_they_hold(error: Exception) -> None:
    again = unpacked(packed_error(error)).again()
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def test_the_traceback_of_a_bug_is_told() -> None:
    try:
        1 / 0  # noqa: B018
    except ZeroDivisionError as error:
        again = unpacked(packed_error(error)).again()
    assert "1 / 0" in str(again.__cause__)
    assert Raised.of(BrokenWireError("cut")).again().__cause__ is None


def test_an_error_that_cannot_travel_is_told_all_the_same() -> None:
    require_module("cloudpickle")
    error = ValueError("odd", threading.Lock())
    again = unpacked(packed_error(error)).again()
    assert isinstance(again, RuntimeError)
    assert "ValueError: ('odd'" in str(again)
