"""A failing HRESULT as a Python exception, and which HRESULT each error of ours becomes.

On Windows PyWinRT raises an OSError whose `winerror` is the HRESULT as a signed integer. Elsewhere OSError has no such
attribute: `WinRTError` brings it, with an `errno` that fits, too.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from vsc import errors as ours
from vsc.winrt import hresult
from vsc.winrt.hresult import HResult

_ERRNO = {
    hresult.E_INVALIDARG: errno.EINVAL,
    hresult.E_POINTER: errno.EINVAL,
    hresult.E_ACCESSDENIED: errno.EACCES,
    hresult.E_NOTIMPL: errno.ENOSYS,
    hresult.ERROR_FILE_NOT_FOUND: errno.ENOENT,
    hresult.ERROR_CANCELLED: errno.ECANCELED,
    hresult.ERROR_TIMEOUT: errno.ETIMEDOUT,
    hresult.NTE_DEVICE_NOT_FOUND: errno.ENODEV,
    hresult.NTE_DEVICE_NOT_READY: errno.ENODEV,
    hresult.SCARD_E_UNKNOWN_READER: errno.ENODEV,
    hresult.SCARD_E_NO_SMARTCARD: errno.ENODEV,
    hresult.SCARD_W_REMOVED_CARD: errno.ENODEV,
    hresult.SCARD_E_SHARING_VIOLATION: errno.EBUSY,
    hresult.SCARD_E_UNSUPPORTED_FEATURE: errno.EOPNOTSUPP,
    hresult.SCARD_W_WRONG_CHV: errno.EACCES,
    hresult.SCARD_W_CHV_BLOCKED: errno.EACCES,
    hresult.SCARD_W_SECURITY_VIOLATION: errno.EACCES,
}
"""EIO for all others."""

_WORDS = {
    hresult.E_ILLEGAL_METHOD_CALL: "a method was called at an unexpected time",
    hresult.RO_E_CLOSED: "the object has been closed",
    hresult.ERROR_CANCELLED: "the operation was cancelled",
}


class WinRTError(OSError):
    """A failing HRESULT. winerror: it, signed; errno: what the system would call it."""

    winerror: HResult

    def __init__(self, code: int, message: str | None = None) -> None:
        code = HResult(code)
        super().__init__(_ERRNO.get(code, errno.EIO), message or _WORDS.get(code, "the operation failed"))
        self.winerror = code

    def __str__(self) -> str:
        return f"[WinError {int(self.winerror)}] {self.strerror}"

    def __reduce__(self) -> tuple[type["WinRTError"], tuple[int, str | None]]:
        return type(self), (int(self.winerror), self.strerror)


class NullArgument(WinRTError, TypeError):
    """None where an object is needed: E_POINTER as Windows says it, TypeError as Python does."""

    def __init__(self, name: str) -> None:
        super().__init__(hresult.E_POINTER, f"{name} must not be None")

    def __reduce__(self) -> tuple[type[WinRTError], tuple[int, str | None]]:
        return WinRTError, (int(self.winerror), self.strerror)


_CODES: tuple[tuple[type[BaseException], HResult], ...] = (
    (ours.WrongPin, hresult.SCARD_W_WRONG_CHV),
    (ours.WrongAdminResponse, hresult.SCARD_W_WRONG_CHV),
    (ours.PinBlocked, hresult.SCARD_W_CHV_BLOCKED),
    (ours.AdminKeyBlocked, hresult.SCARD_W_CHV_BLOCKED),
    (ours.AuthenticationRequired, hresult.SCARD_W_SECURITY_VIOLATION),
    (ours.RefusedError, hresult.E_INVALIDARG),
    (ours.Cancelled, hresult.ERROR_CANCELLED),
    (ours.ChallengeUsed, hresult.E_ILLEGAL_METHOD_CALL),
    (ours.ReaderNotFoundError, hresult.SCARD_E_UNKNOWN_READER),
    (ours.CardWasReset, hresult.SCARD_W_RESET_CARD),
    (ours.SharingViolation, hresult.SCARD_E_SHARING_VIOLATION),
    (ours.CardInUseError, hresult.SCARD_E_SHARING_VIOLATION),
    (ours.CardUnresponsive, hresult.SCARD_W_UNRESPONSIVE_CARD),
    (ours.LostCardError, hresult.SCARD_W_REMOVED_CARD),
    (ours.CardNotFoundError, hresult.SCARD_W_REMOVED_CARD),
    (ours.NoPcscError, hresult.NTE_DEVICE_NOT_READY),
    (ours.UnsupportedCard, hresult.SCARD_E_UNSUPPORTED_FEATURE),
    (ours.VscError, hresult.E_UNEXPECTED),
    (PermissionError, hresult.E_ACCESSDENIED),
    (TimeoutError, hresult.ERROR_TIMEOUT),
    (OSError, hresult.E_UNEXPECTED),
    (ValueError, hresult.E_INVALIDARG),
)
"""The first that fits counts."""

_SECURITY_STATUS_NOT_SATISFIED = 0x6982


def translated(error: BaseException) -> WinRTError | None:
    """The error as Windows would report it; None for what is neither ours nor the system's: that is a fault."""
    if isinstance(error, WinRTError):
        return error
    if isinstance(error, ours.UnexpectedStatus) and error.sw == _SECURITY_STATUS_NOT_SATISFIED:
        return WinRTError(hresult.SCARD_W_SECURITY_VIOLATION, str(error))
    for kind, code in _CODES:
        if isinstance(error, kind):
            return WinRTError(code, str(error))
    return None


@contextmanager
def as_winrt() -> Iterator[None]:
    """Raises what Windows would, with our error as its cause."""
    try:
        yield
    except WinRTError:
        raise
    except Exception as error:
        told = translated(error)
        if told is None:
            raise
        raise told from error
