"""HRESULTs as exceptions, and which one each error of ours becomes."""

import errno
import pickle

import pytest

from tests.unit.each import each
from vsc import errors as ours
from vsc.winrt import hresult
from vsc.winrt.errors import NullArgument, WinRTError, as_winrt, translated
from vsc.winrt.hresult import HResult

SIGNED = {
    "E_INVALIDARG": -2147024809,
    "E_ACCESSDENIED": -2147024891,
    "E_POINTER": -2147467261,
    "E_NOTIMPL": -2147467263,
    "E_UNEXPECTED": -2147418113,
    "E_ILLEGAL_METHOD_CALL": -2147483634,
    "RO_E_CLOSED": -2147483629,
    "ERROR_FILE_NOT_FOUND": -2147024894,
    "WIN32_ERROR_CANCELLED": -2147023673,
    "ERROR_TIMEOUT": -2147023436,
    "NTE_DEVICE_NOT_READY": -2146893776,
    "NTE_DEVICE_NOT_FOUND": -2146893771,
    "SCARD_E_INVALID_PARAMETER": -2146435068,
    "SCARD_E_UNKNOWN_READER": -2146435063,
    "SCARD_E_SHARING_VIOLATION": -2146435061,
    "SCARD_E_NO_SMARTCARD": -2146435060,
    "SCARD_E_UNKNOWN_CARD": -2146435059,
    "SCARD_E_UNSUPPORTED_FEATURE": -2146435038,
    "SCARD_W_UNRESPONSIVE_CARD": -2146434970,
    "SCARD_W_RESET_CARD": -2146434968,
    "SCARD_W_REMOVED_CARD": -2146434967,
    "SCARD_W_SECURITY_VIOLATION": -2146434966,
    "SCARD_W_WRONG_CHV": -2146434965,
    "SCARD_W_CHV_BLOCKED": -2146434964,
    "SCARD_W_CANCELLED_BY_USER": -2146434962,
    "PYWINRT_E_UNRAISABLE_PYTHON_EXCEPTION": -1594998779,
}


def test_the_constants_are_signed() -> None:
    for name in each(SIGNED):
        assert getattr(hresult, name) == SIGNED[name]


def test_an_hresult_is_an_integer_of_either_sign() -> None:
    assert HResult(0x80070005) == HResult(-2147024891) == -2147024891
    assert HResult() == 0
    assert repr(hresult.E_ACCESSDENIED) == "HResult(0x80070005)"


def test_it_is_an_oserror_with_a_signed_winerror_and_a_real_errno() -> None:
    error = WinRTError(0x80070005, "no")
    assert isinstance(error, OSError)
    assert error.winerror == -2147024891
    assert error.errno == errno.EACCES
    assert str(error) == "[WinError -2147024891] no"


def test_it_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(WinRTError(hresult.ERROR_TIMEOUT, "late")))
    assert (error.winerror, error.errno, str(error)) == (
        hresult.ERROR_TIMEOUT,
        errno.ETIMEDOUT,
        "[WinError -2147023436] late",
    )
    assert pickle.loads(pickle.dumps(NullArgument("key"))).winerror == hresult.E_POINTER


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ours.WrongPin(2), hresult.SCARD_W_WRONG_CHV),
        (ours.WrongAdminResponse(), hresult.SCARD_W_WRONG_CHV),
        (ours.PinBlocked(), hresult.SCARD_W_CHV_BLOCKED),
        (ours.AdminKeyBlocked(), hresult.SCARD_W_CHV_BLOCKED),
        (ours.PinPolicyViolation(("too short",)), hresult.E_INVALIDARG),
        (ours.AuthenticationRequired("it"), hresult.SCARD_W_SECURITY_VIOLATION),
        (ours.Cancelled(), hresult.ERROR_CANCELLED),
        (ours.ReaderNotFoundError("x"), hresult.SCARD_E_UNKNOWN_READER),
        (ours.CardRemoved("x"), hresult.SCARD_W_REMOVED_CARD),
        (ours.CardWasReset("x"), hresult.SCARD_W_RESET_CARD),
        (ours.SharingViolation("x"), hresult.SCARD_E_SHARING_VIOLATION),
        (ours.CardInUseError("x"), hresult.SCARD_E_SHARING_VIOLATION),
        (ours.CardUnresponsive("x"), hresult.SCARD_W_UNRESPONSIVE_CARD),
        (ours.CardNotFoundError("x"), hresult.SCARD_W_REMOVED_CARD),
        (ours.NoPcscError("x"), hresult.NTE_DEVICE_NOT_READY),
        (ours.UnsupportedCard("x"), hresult.SCARD_E_UNSUPPORTED_FEATURE),
        (ours.UnexpectedStatus(0x6982, "no", command="it"), hresult.SCARD_W_SECURITY_VIOLATION),
        (ours.UnexpectedStatus(0x6F00, "no", command="it"), hresult.E_UNEXPECTED),
        (ours.ImageError("x"), hresult.E_UNEXPECTED),
        (PermissionError(13, "no"), hresult.E_ACCESSDENIED),
        (OSError(28, "disk full"), hresult.E_UNEXPECTED),
        (ValueError("x"), hresult.E_INVALIDARG),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_error_of_ours_has_a_code_and_stays_its_cause(error: Exception, code: HResult) -> None:
    with pytest.raises(WinRTError) as raised, as_winrt():
        raise error
    assert raised.value.winerror == code
    assert raised.value.__cause__ is error
    assert str(error) in str(raised.value)


def test_every_class_of_ours_is_translated() -> None:
    kinds = {kind for kind in vars(ours).values() if isinstance(kind, type) and issubclass(kind, ours.VscError)}
    kinds.discard(ours.UnexpectedStatus)  # shown above: it depends on the status word
    assert len(kinds) > 15
    assert all(translated(kind.__new__(kind)) is not None for kind in kinds)


def test_a_fault_of_ours_is_not_dressed_up() -> None:
    with pytest.raises(KeyError), as_winrt():
        raise KeyError("bug")


def test_none_is_a_null_pointer_and_a_type_error() -> None:
    error = NullArgument("challenge")
    assert isinstance(error, TypeError)
    assert error.winerror == hresult.E_POINTER
    assert "challenge" in str(error)
