"""Enumerations whose numbers are open, as PyWinRT 4 has them; and those of smart cards (winrt-smartcards.md 1.8)."""

from enum import IntEnum


class WinrtIntEnum(IntEnum):
    """A number without a name becomes a member of its own, called by its decimal text, if it fits 32 bits signed."""

    @classmethod
    def _missing_(cls, value: object) -> "WinrtIntEnum | None":
        if not isinstance(value, int) or not -(1 << 31) <= value < 1 << 31:
            return None
        member = int.__new__(cls, value)
        member._name_ = str(value)
        member._value_ = value
        # Two threads may come at once; the first one's member stays.
        return cls._value2member_map_.setdefault(value, member)  # type: ignore[return-value]


class SmartCardPinCharacterPolicyOption(WinrtIntEnum):
    """What a PIN policy says of one class of characters."""

    ALLOW = 0
    REQUIRE_AT_LEAST_ONE = 1
    DISALLOW = 2


class SmartCardReaderKind(WinrtIntEnum):
    """ANY is for selectors only. Virtual cards are in readers of the kind TPM, all other readers are GENERIC here."""

    ANY = 0
    GENERIC = 1
    TPM = 2
    NFC = 3
    UICC = 4
    EMBEDDED_S_E = 5


class SmartCardReaderStatus(WinrtIntEnum):
    DISCONNECTED = 0
    READY = 1
    EXCLUSIVE = 2


class SmartCardStatus(WinrtIntEnum):
    DISCONNECTED = 0
    READY = 1
    SHARED = 2
    EXCLUSIVE = 3
    UNRESPONSIVE = 4
