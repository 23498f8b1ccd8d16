"""`winrt.windows.devices.enumeration`, as far as it is about readers."""

from vsc.winrt.enumeration import DeviceInformation, DeviceInformationCollection

__all__ = ["DeviceInformation", "DeviceInformationCollection"]
