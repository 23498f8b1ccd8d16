"""HRESULTs by name, as `winrt.system.hresult` has them: signed 32-bit integers (winrt-smartcards.md, appendix B)."""

from typing import Final


class HResult(int):
    """A signed 32-bit HRESULT; negative is a failure. Takes the unsigned form, too."""

    def __new__(cls, value: int = 0, /) -> "HResult":
        return super().__new__(cls, value - (1 << 32) if value >= 1 << 31 else value)

    def __repr__(self) -> str:
        return f"HResult({self & 0xFFFFFFFF:#010x})"


S_OK: Final = HResult(0)

E_INVALIDARG: Final = HResult(0x80070057)
E_ACCESSDENIED: Final = HResult(0x80070005)
E_POINTER: Final = HResult(0x80004003)
E_NOTIMPL: Final = HResult(0x80004001)
E_UNEXPECTED: Final = HResult(0x8000FFFF)
E_ILLEGAL_METHOD_CALL: Final = HResult(0x8000000E)
E_ILLEGAL_DELEGATE_ASSIGNMENT: Final = HResult(0x80000018)
RO_E_CLOSED: Final = HResult(0x80000013)

ERROR_FILE_NOT_FOUND: Final = HResult(0x80070002)
ERROR_CANCELLED: Final = HResult(0x800704C7)
ERROR_TIMEOUT: Final = HResult(0x800705B4)
# PyWinRT's spelling of the same three: HRESULTs made of Win32 errors.
WIN32_ERROR_FILE_NOT_FOUND: Final = ERROR_FILE_NOT_FOUND
WIN32_ERROR_CANCELLED: Final = ERROR_CANCELLED
WIN32_ERROR_TIMEOUT: Final = ERROR_TIMEOUT

NTE_DEVICE_NOT_READY: Final = HResult(0x80090030)
NTE_DEVICE_NOT_FOUND: Final = HResult(0x80090035)

SCARD_E_INVALID_PARAMETER: Final = HResult(0x80100004)
SCARD_E_UNKNOWN_READER: Final = HResult(0x80100009)
SCARD_E_SHARING_VIOLATION: Final = HResult(0x8010000B)
SCARD_E_NO_SMARTCARD: Final = HResult(0x8010000C)
SCARD_E_UNKNOWN_CARD: Final = HResult(0x8010000D)
SCARD_E_UNSUPPORTED_FEATURE: Final = HResult(0x80100022)
"""Windows' value. PC/SC lite gives the name another one, 0x8010001F."""
SCARD_W_UNRESPONSIVE_CARD: Final = HResult(0x80100066)
SCARD_W_RESET_CARD: Final = HResult(0x80100068)
SCARD_W_REMOVED_CARD: Final = HResult(0x80100069)
SCARD_W_SECURITY_VIOLATION: Final = HResult(0x8010006A)
SCARD_W_WRONG_CHV: Final = HResult(0x8010006B)
SCARD_W_CHV_BLOCKED: Final = HResult(0x8010006C)
SCARD_W_CANCELLED_BY_USER: Final = HResult(0x8010006E)

PYWINRT_E_UNRAISABLE_PYTHON_EXCEPTION: Final = HResult(0xA0EE4005)
"""A handler written in Python has raised."""
