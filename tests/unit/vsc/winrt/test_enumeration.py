"""Devices and selectors, beyond what the rows show."""

from collections.abc import Iterator, Sequence

import pytest

from vsc.api.provisioning import create
from vsc.machine import InProcessMachine, use_everywhere
from vsc.store.memory import MemoryStore
from vsc.winrt import hresult
from vsc.winrt.devices_enumeration import DeviceInformation
from vsc.winrt.errors import NullArgument, WinRTError
from vsc.winrt.readers import SmartCardReader


@pytest.fixture(autouse=True)
def machine() -> Iterator[InProcessMachine]:
    """A machine with two cards plugged in."""
    machine = InProcessMachine(MemoryStore(), pcsc=False)
    use_everywhere(machine)
    for name in ("one", "two"):
        create(name, pin="12345678")
        machine.plug(name)
    yield machine
    use_everywhere(None)
    machine.close()


def test_the_ways_to_find_all() -> None:
    selector = SmartCardReader.get_device_selector()
    for found in (
        DeviceInformation.find_all_async(),
        DeviceInformation.find_all_async(selector, None),
        DeviceInformation.find_all_async(selector, []),
        DeviceInformation.find_all_async_aqs_filter(""),
    ):
        assert len(found.get()) == 2
    with pytest.raises(TypeError, match="find_all_async_aqs_filter"):
        DeviceInformation.find_all_async(selector)
    with pytest.raises(WinRTError) as raised:
        DeviceInformation.find_all_async(selector, ["System.ItemNameDisplay"])
    assert raised.value.winerror == hresult.E_NOTIMPL


def test_a_collection_is_a_sequence() -> None:
    found = DeviceInformation.find_all_async().get()
    assert isinstance(found, Sequence)
    assert found.size == len(found) == 2
    assert [device.name for device in found[:1]] == [found[0].name]
    assert "Virtual" in repr(found[1])
    assert found[1].is_enabled


def test_wrong_arguments() -> None:
    with pytest.raises(NullArgument):
        DeviceInformation.find_all_async_aqs_filter(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        DeviceInformation.create_from_id_async(5)  # type: ignore[arg-type]
    with pytest.raises(WinRTError) as raised:
        DeviceInformation.create_from_id_async("nowhere").get()
    assert raised.value.winerror == hresult.ERROR_FILE_NOT_FOUND


def test_objects_say_what_they_are() -> None:
    (first, _) = DeviceInformation.find_all_async().get()
    reader = SmartCardReader.from_id_async(first.id).get()
    assert first.name in repr(reader)
    assert first.name in repr(reader.find_all_cards_async().get()[0])
