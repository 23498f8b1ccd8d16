"""Device selectors: filter texts for `DeviceInformation`, opaque to whoever passes them on."""

from vsc.winrt import hresult
from vsc.winrt.enums import SmartCardReaderKind
from vsc.winrt.errors import WinRTError

_ALL = "System.Devices.InterfaceClassName:=SmartCardReader"
_OF_KIND = _ALL + " AND System.Devices.SmartCards.ReaderKind:={}"
_SELECTORS = {_ALL: SmartCardReaderKind.ANY} | {
    _OF_KIND.format(kind.value): kind for kind in SmartCardReaderKind if kind is not SmartCardReaderKind.ANY
}


def selector_of(kind: SmartCardReaderKind) -> str:
    return _ALL if kind is SmartCardReaderKind.ANY else _OF_KIND.format(kind.value)


def kind_selected(selector: str) -> SmartCardReaderKind:
    """ANY for a filter that lets everything pass, the empty one too. E_INVALIDARG for one that is not ours."""
    if selector.strip() == "":
        return SmartCardReaderKind.ANY
    try:
        return _SELECTORS[selector]
    except KeyError:
        words = "only selectors of SmartCardReader.get_device_selector are understood here"
        raise WinRTError(hresult.E_INVALIDARG, words) from None
