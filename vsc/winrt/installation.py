"""Putting our modules where scripts for Windows look: under `winrt.`, in this process."""

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from vsc.errors import VscError

MODULES = {
    "winrt.system": "vsc.winrt.system",
    "winrt.system.hresult": "vsc.winrt.hresult",
    "winrt.windows.devices.enumeration": "vsc.winrt.devices_enumeration",
    "winrt.windows.devices.smartcards": "vsc.winrt.devices_smartcards",
    "winrt.windows.foundation": "vsc.winrt.foundation",
    "winrt.windows.security.cryptography": "vsc.winrt.security_cryptography",
    "winrt.windows.security.cryptography.core": "vsc.winrt.security_cryptography_core",
    "winrt.windows.storage.streams": "vsc.winrt.storage_streams",
}
"""The name on Windows, and ours; a parent before its children."""


class RealWinrtError(VscError):
    """PyWinRT itself can be imported here: it is not hidden behind ours."""


def install() -> None:
    """Makes `import winrt.windows.devices.smartcards` and its like find our modules, from now on.

    Does nothing the second time. RealWinrtError where PyWinRT is installed.
    """
    loaded = {name: import_module(ours) for name, ours in MODULES.items()}
    for name, module in loaded.items():
        if sys.modules.get(name) is not module and _is_importable(name):
            raise RealWinrtError(f"{name} can be imported already: PyWinRT is installed, use it")
    for name, module in loaded.items():
        _bind(name, module)


def _is_importable(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ModuleNotFoundError, ValueError):
        return False


def _bind(name: str, module: ModuleType) -> None:
    sys.modules[name] = module
    parent_name, _, last = name.rpartition(".")
    if not parent_name:
        return
    parent = sys.modules.get(parent_name)
    if parent is None:
        parent = ModuleType(parent_name, "A part of PyWinRT's names; vsc.winrt.install() has put it here.")
        parent.__path__ = []
        _bind(parent_name, parent)
    setattr(parent, last, module)
