"""`Windows.Devices.SmartCards` in Python's spelling of it (PyWinRT 4): a script for Windows runs here, on our cards.

    import vsc.winrt
    vsc.winrt.install()                  # only where PyWinRT itself is not installed
    from winrt.windows.devices.smartcards import SmartCardProvisioning

Without `install` the same modules are `vsc.winrt.devices_smartcards` and so on (`installation.MODULES`). All of it is
a thin skin: the facade `vsc` and the machines below it do the work, and a person is asked through `vsc.interaction`.
docs/windows.md says what differs from Windows.
"""

from vsc.interaction import user_interaction
from vsc.winrt.errors import WinRTError
from vsc.winrt.installation import RealWinrtError, install
from vsc.winrt.pin_reset import pin_reset_timeout, set_pin_reset_timeout
from vsc.winrt.simulation import set_simulation, simulate

__all__ = [
    "RealWinrtError",
    "WinRTError",
    "install",
    "pin_reset_timeout",
    "set_pin_reset_timeout",
    "set_simulation",
    "simulate",
    "user_interaction",
]
