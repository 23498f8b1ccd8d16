"""`winrt.windows.devices.smartcards`."""

from vsc.winrt import emulation
from vsc.winrt.challenge import SmartCardChallengeContext
from vsc.winrt.connections import SmartCardConnection
from vsc.winrt.enums import (
    SmartCardPinCharacterPolicyOption,
    SmartCardReaderKind,
    SmartCardReaderStatus,
    SmartCardStatus,
)
from vsc.winrt.pin_policy import SmartCardPinPolicy
from vsc.winrt.pin_reset import SmartCardPinResetDeferral, SmartCardPinResetRequest
from vsc.winrt.provisioning import SmartCardPinResetHandler, SmartCardProvisioning
from vsc.winrt.readers import CardAddedEventArgs, CardRemovedEventArgs, SmartCard, SmartCardReader

__all__ = [
    "CardAddedEventArgs",
    "CardRemovedEventArgs",
    "SmartCard",
    "SmartCardChallengeContext",
    "SmartCardConnection",
    "SmartCardPinCharacterPolicyOption",
    "SmartCardPinPolicy",
    "SmartCardPinResetDeferral",
    "SmartCardPinResetHandler",
    "SmartCardPinResetRequest",
    "SmartCardProvisioning",
    "SmartCardReader",
    "SmartCardReaderKind",
    "SmartCardReaderStatus",
    "SmartCardStatus",
]

# Host card emulation: its names, which say E_NOTIMPL.
globals().update(emulation.ENUMS)
globals().update(emulation.CLASSES)
__all__.extend([*emulation.ENUMS, *emulation.CLASSES])
