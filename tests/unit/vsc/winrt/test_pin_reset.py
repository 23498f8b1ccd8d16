"""The request of a PIN reset: deferrals, deadline, and what can go wrong with a handler."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vsc.unraisable import Unraisable
from vsc.winrt import hresult, pin_reset_timeout, set_pin_reset_timeout
from vsc.winrt.buffers import IBuffer
from vsc.winrt.errors import WinRTError
from vsc.winrt.pin_reset import SmartCardPinResetDeferral, SmartCardPinResetRequest, ask_handler

SENDER: Any = object()
CHALLENGE = bytes(8)


def failure_of(handler: object) -> WinRTError:
    with pytest.raises(WinRTError) as raised:
        ask_handler(handler, SENDER, CHALLENGE)  # type: ignore[arg-type]
    return raised.value


def test_without_a_deferral_it_is_answered_when_the_handler_returns() -> None:
    seen: list[object] = []

    def handler(sender: object, request: SmartCardPinResetRequest) -> None:
        seen.extend([sender, request.challenge, threading.get_ident()])
        request.set_response(b"first")
        request.set_response(b"answer")

    assert ask_handler(handler, SENDER, CHALLENGE) == b"answer"
    assert seen[0] is SENDER
    assert isinstance(seen[1], IBuffer)
    assert seen[1] == CHALLENGE
    assert seen[2] != threading.get_ident()


def test_it_waits_for_every_deferral() -> None:
    taken: list[SmartCardPinResetDeferral] = []

    def handler(_: object, request: SmartCardPinResetRequest) -> None:
        taken.extend([request.get_deferral(), request.get_deferral()])
        taken[0].complete()
        taken[0].complete()

        def later() -> None:
            request.set_response(b"late but in time")
            taken[1].complete()

        threading.Thread(target=later).start()

    assert ask_handler(handler, SENDER, CHALLENGE) == b"late but in time"


def test_a_deferral_that_is_complete_does_not_end_a_handler_that_runs() -> None:
    def handler(_: object, request: SmartCardPinResetRequest) -> None:
        request.get_deferral().complete()
        request.set_response(b"answer")

    assert ask_handler(handler, SENDER, CHALLENGE) == b"answer"


def test_a_dropped_deferral_counts_as_complete_and_warns() -> None:
    def handler(_: object, request: SmartCardPinResetRequest) -> None:
        request.set_response(b"answer")
        with pytest.warns(ResourceWarning, match="dropped"):
            request.get_deferral()

    assert ask_handler(handler, SENDER, CHALLENGE) == b"answer"


def test_no_response_is_a_failure() -> None:
    assert failure_of(lambda sender, request: None).winerror == hresult.E_ILLEGAL_METHOD_CALL


def test_what_the_handler_raises_is_unraisable_and_the_cause(unraised: list[Unraisable]) -> None:
    def handler(_: object, request: SmartCardPinResetRequest) -> None:
        deferral = request.get_deferral()
        try:
            raise RuntimeError("no server")
        finally:
            deferral.complete()

    error = failure_of(handler)
    assert error.winerror == hresult.PYWINRT_E_UNRAISABLE_PYTHON_EXCEPTION
    assert isinstance(error.__cause__, RuntimeError)
    assert [one.object for one in unraised] == [handler]


def test_the_deadline_passes_and_nothing_can_be_said_any_more() -> None:
    kept: list[Any] = []
    kept_all = threading.Event()

    def handler(_: object, request: SmartCardPinResetRequest) -> None:
        kept.extend([request, request.get_deferral()])
        kept_all.set()

    with pin_reset_timeout(2):  # Long enough for a busy machine to call the handler.
        assert failure_of(handler).winerror == hresult.ERROR_TIMEOUT
    assert kept_all.wait(30)
    request, deferral = kept
    deferral.complete()
    for late in (lambda: request.set_response(b"x"), request.get_deferral):
        with pytest.raises(WinRTError) as raised:
            late()
        assert raised.value.winerror == hresult.E_ILLEGAL_METHOD_CALL


def test_the_deadline_is_a_time_in_utc() -> None:
    deadlines: list[datetime] = []

    def handler(_: object, request: SmartCardPinResetRequest) -> None:
        deadlines.append(request.deadline)
        request.set_response(b"x")

    before = datetime.now(UTC)
    ask_handler(handler, SENDER, CHALLENGE)
    with pin_reset_timeout(3600):
        ask_handler(handler, SENDER, CHALLENGE)
    set_pin_reset_timeout(7200)
    try:
        ask_handler(handler, SENDER, CHALLENGE)
    finally:
        set_pin_reset_timeout()
    assert all(deadline.tzinfo is UTC for deadline in deadlines)
    assert deadlines[0] >= before + timedelta(seconds=60)
    assert deadlines[1] >= before + timedelta(seconds=3600)
    assert deadlines[2] >= before + timedelta(seconds=7200)


@pytest.mark.parametrize("seconds", [-1, float("nan"), 1e9])
def test_a_timeout_is_checked(seconds: float) -> None:
    with pytest.raises(ValueError, match="timeout"), pin_reset_timeout(seconds):
        pass
    with pytest.raises(ValueError, match="timeout"):
        set_pin_reset_timeout(seconds)


def test_a_response_is_a_buffer() -> None:
    errors: list[TypeError] = []

    def handler(_: object, request: SmartCardPinResetRequest) -> None:
        for wrong in ("text", None, 5):
            try:
                request.set_response(wrong)  # type: ignore[arg-type]
            except TypeError as error:
                errors.append(error)
        request.set_response(bytearray(b"x"))

    assert ask_handler(handler, SENDER, CHALLENGE) == b"x"
    assert len(errors) == 3
