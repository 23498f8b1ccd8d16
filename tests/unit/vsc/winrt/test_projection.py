"""How the classes look: constructors, statics, bases, enumerations, buffers."""

import array
import threading

import pytest

from vsc.winrt import hresult
from vsc.winrt.buffers import octets
from vsc.winrt.enums import SmartCardReaderKind, SmartCardStatus
from vsc.winrt.errors import NullArgument, WinRTError
from vsc.winrt.projection import Object, RuntimeClass, enumerated, make, needed, renamed, uint32


class Statics(RuntimeClass):
    def find(cls, what: str, /) -> str:
        return what

    @property
    def answer(cls) -> int:
        return 42


class Thing(Object, metaclass=Statics):
    def __init__(self, value: int) -> None:
        self.value = value


def test_statics_are_the_classs_alone() -> None:
    assert Thing.find("x") == "x"
    assert Thing.answer == 42
    assert not hasattr(make(Thing, 1), "find")
    assert not hasattr(make(Thing, 1), "answer")


def test_there_is_no_constructor_and_no_heir() -> None:
    with pytest.raises(TypeError, match="no constructor"):
        Thing(1)
    with pytest.raises(TypeError, match="base type"):
        type("Heir", (Thing,), {})
    assert make(Thing, 5).value == 5
    assert isinstance(make(Thing, 5), Object)


def test_keywords_are_refused() -> None:
    with pytest.raises(TypeError):
        Thing.find(what="x")  # type: ignore[call-arg]


def test_an_old_name_warns() -> None:
    old = renamed(Thing.find, "find_with_what")
    with pytest.warns(DeprecationWarning, match="find_with_what is deprecated: use find"):
        assert old("x") == "x"


def test_arguments() -> None:
    assert needed("x", str, "name") == "x"
    with pytest.raises(TypeError, match="name must be str, not int"):
        needed(1, str, "name")
    with pytest.raises(NullArgument):
        needed(None, str, "name")
    assert uint32(2**32 - 1, "n") == 2**32 - 1
    with pytest.raises(TypeError):
        uint32(1.0, "n")


def test_open_enumerations() -> None:
    unknown = SmartCardStatus(77)
    assert unknown is SmartCardStatus(77)
    assert (unknown.name, unknown.value, int(unknown)) == ("77", 77, 77)
    assert SmartCardStatus(-1).name == "-1"
    assert list(SmartCardStatus)[-1] is SmartCardStatus.UNRESPONSIVE
    for wrong in (2**31, -(2**31) - 1, "READY"):
        with pytest.raises(ValueError, match="is not a valid"):
            SmartCardStatus(wrong)  # type: ignore[arg-type]


def test_open_enumerations_in_a_crowd() -> None:
    members: list[SmartCardStatus] = []
    threads = [threading.Thread(target=lambda: members.append(SmartCardStatus(4242))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(member) for member in members}) == 1


def test_numbers_as_arguments() -> None:
    assert enumerated(2, SmartCardReaderKind, "kind") is SmartCardReaderKind.TPM
    with pytest.raises(WinRTError) as raised:
        enumerated(SmartCardReaderKind(99), SmartCardReaderKind, "kind")
    assert raised.value.winerror == hresult.E_INVALIDARG
    with pytest.raises(TypeError):
        enumerated("TPM", SmartCardReaderKind, "kind")


def test_any_buffer_is_copied_at_once() -> None:
    for value in (b"ab", bytearray(b"ab"), memoryview(b"xab")[1:], array.array("B", b"ab"), memoryview(b"a-b-")[::2]):
        assert octets(value, "value") == b"ab"
    for wrong in ("ab", 5, [1, 2]):
        with pytest.raises(TypeError, match="value must be bytes"):
            octets(wrong, "value")
    with pytest.raises(NullArgument):
        octets(None, "value")
