"""`DeviceInformation`: the readers of this machine, the only devices that are known here."""

from collections.abc import Iterable, Sequence
from typing import overload

from vsc import machine
from vsc.machine import MachineReader
from vsc.winrt import hresult
from vsc.winrt.enums import SmartCardReaderKind
from vsc.winrt.errors import WinRTError
from vsc.winrt.operations import IAsyncOperation, operation
from vsc.winrt.projection import ABSENT, Absent, Object, RuntimeClass, make, needed
from vsc.winrt.readers import kind_of
from vsc.winrt.selector import kind_selected
from vsc.winrt.simulation import current_simulation


class DeviceInformationCollection(Sequence["DeviceInformation"]):
    """Devices, as they were when they were asked for."""

    def __init__(self, devices: Sequence["DeviceInformation"]) -> None:
        self._devices = tuple(devices)

    @property
    def size(self) -> int:
        return len(self._devices)

    def __len__(self) -> int:
        return len(self._devices)

    @overload
    def __getitem__(self, index: int) -> "DeviceInformation": ...

    @overload
    def __getitem__(self, index: slice) -> Sequence["DeviceInformation"]: ...

    def __getitem__(self, index: int | slice) -> "DeviceInformation | Sequence[DeviceInformation]":
        return self._devices[index]


class _DeviceInformationStatics(RuntimeClass):
    def find_all_async_aqs_filter(cls, aqs_filter: str, /) -> IAsyncOperation[DeviceInformationCollection]:
        """The readers that a selector of `SmartCardReader.get_device_selector` selects; all, for an empty one."""
        current_simulation().check_capability()
        kind = kind_selected(needed(aqs_filter, str, "aqs_filter"))

        def find_all() -> DeviceInformationCollection:
            readers = machine.current().readers()
            chosen = (one for one in readers if kind in (SmartCardReaderKind.ANY, kind_of(one)))
            return DeviceInformationCollection([make(DeviceInformation, one) for one in chosen])

        return operation(find_all)

    def find_all_async(
        cls, aqs_filter: str | Absent = ABSENT, additional_properties: Iterable[str] | Absent | None = ABSENT, /
    ) -> IAsyncOperation[DeviceInformationCollection]:
        """Without arguments all readers; with two, those of a selector. There are no additional properties here."""
        if isinstance(aqs_filter, Absent):
            return cls.find_all_async_aqs_filter("")
        if isinstance(additional_properties, Absent):
            raise TypeError("with one argument its name is find_all_async_aqs_filter")
        if additional_properties is not None and list(additional_properties):
            raise WinRTError(hresult.E_NOTIMPL, "devices have no additional properties here")
        return cls.find_all_async_aqs_filter(aqs_filter)

    def create_from_id_async(cls, device_id: str, /) -> "IAsyncOperation[DeviceInformation]":
        """The device of that id. ERROR_FILE_NOT_FOUND."""
        current_simulation().check_capability()
        wanted = needed(device_id, str, "device_id")

        def create_from_id() -> DeviceInformation:
            for reader in machine.current().readers():
                if reader.id == wanted:
                    return make(DeviceInformation, reader)
            raise WinRTError(hresult.ERROR_FILE_NOT_FOUND, f"there is no device with the id {wanted!r}")

        return operation(create_from_id)


class DeviceInformation(Object, metaclass=_DeviceInformationStatics):
    """A reader as a device: `id` is what `SmartCardReader.from_id_async` wants."""

    def __init__(self, reader: MachineReader) -> None:
        self._id = reader.id
        self._name = reader.name

    def __repr__(self) -> str:
        return f"<DeviceInformation {self._name!r}>"

    @property
    def id(self) -> str:
        return self._id

    @property
    def name(self) -> str:
        return self._name

    @property
    def is_enabled(self) -> bool:
        return True
