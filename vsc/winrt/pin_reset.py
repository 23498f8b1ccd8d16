"""The request that a `SmartCardPinResetHandler` answers, in time.

The handler runs on a thread of its own. The request is answered when the handler has returned and every deferral that
it took is completed (winrt-smartcards.md 4.3); or not, when the deadline has passed.
"""

import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from vsc.unraisable import report
from vsc.winrt import hresult
from vsc.winrt.buffers import IBuffer, ReadableBuffer, octets
from vsc.winrt.errors import WinRTError
from vsc.winrt.projection import Object, make

Sender = TypeVar("Sender")
DEFAULT_TIMEOUT_S = 60.0
MAX_TIMEOUT_S = 86_400.0
_of_this_context: ContextVar[float | None] = ContextVar("vsc_winrt_pin_reset_timeout_s", default=None)
_of_this_process = DEFAULT_TIMEOUT_S


@contextmanager
def pin_reset_timeout(seconds: float) -> Iterator[None]:
    """Gives handlers so long inside the block: in this thread or task, and in the operations that it starts."""
    token = _of_this_context.set(_checked(seconds))
    try:
        yield
    finally:
        _of_this_context.reset(token)


def set_pin_reset_timeout(seconds: float = DEFAULT_TIMEOUT_S) -> None:
    """Gives handlers so long in the whole process."""
    global _of_this_process  # noqa: PLW0603
    _of_this_process = _checked(seconds)


def _checked(seconds: float) -> float:
    if not 0 <= seconds <= MAX_TIMEOUT_S:
        raise ValueError(f"a timeout goes from 0 to {MAX_TIMEOUT_S:.0f} seconds")
    return seconds


class _Answer:
    """What one request has come to, shared by the request, its deferrals and whoever waits."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._open = 1  # The handler itself, until it has returned.
        self._response: bytes | None = None
        self._error: Exception | None = None
        self._is_over = False

    def open(self) -> None:
        with self._changed:
            if self._is_over:
                raise WinRTError(hresult.E_ILLEGAL_METHOD_CALL, "the request is answered, or its deadline has passed")
            self._open += 1

    def close(self) -> None:
        with self._changed:
            self._open -= 1
            self._is_over = self._is_over or self._open == 0
            self._changed.notify_all()

    def respond(self, response: bytes) -> None:
        with self._changed:
            if self._is_over:
                raise WinRTError(hresult.E_ILLEGAL_METHOD_CALL, "the request is answered, or its deadline has passed")
            self._response = response

    def fail(self, error: Exception) -> None:
        with self._changed:
            self._error = error
            self._is_over = True
            self._changed.notify_all()

    def wait(self, timeout_s: float) -> bytes:
        """Returns the response, or raises why there is none; from then on nothing can be said any more."""
        with self._changed:
            in_time = self._changed.wait_for(lambda: self._is_over, timeout_s)
            self._is_over = True
            if self._error is not None:
                code = hresult.PYWINRT_E_UNRAISABLE_PYTHON_EXCEPTION
                raise WinRTError(code, "the handler of the PIN reset has raised") from self._error
            if not in_time:
                raise WinRTError(hresult.ERROR_TIMEOUT, "the deadline for the response has passed")
            if self._response is None:
                raise WinRTError(hresult.E_ILLEGAL_METHOD_CALL, "the handler has set no response")
            return self._response


class SmartCardPinResetDeferral(Object):
    """Keeps a request open after its handler has returned, until `complete`."""

    def __init__(self, answer: _Answer) -> None:
        self._answer = answer
        self._lock = threading.Lock()
        self._is_complete = False

    def complete(self, /) -> None:
        """The response is set: go on. Twice is harmless, and so is being late."""
        with self._lock:
            if self._is_complete:
                return
            self._is_complete = True
        self._answer.close()

    def __del__(self) -> None:
        # Windows goes on when the last reference is released; one of Microsoft's own samples relies on it.
        if not self._is_complete:
            warnings.warn("a PIN reset's deferral was dropped without complete()", ResourceWarning, stacklevel=2)
            self.complete()


class SmartCardPinResetRequest(Object):
    """The card's challenge, and the place for the response."""

    def __init__(self, challenge: bytes, deadline: datetime, answer: _Answer) -> None:
        self._challenge = IBuffer(challenge)
        self._deadline = deadline
        self._answer = answer

    @property
    def challenge(self) -> IBuffer:
        return self._challenge

    @property
    def deadline(self) -> datetime:
        """Until when the response counts, in UTC."""
        return self._deadline

    def get_deferral(self, /) -> SmartCardPinResetDeferral:
        """Each one that is taken must be completed."""
        self._answer.open()
        return make(SmartCardPinResetDeferral, self._answer)

    def set_response(self, response: ReadableBuffer, /) -> None:
        """The last one counts. E_ILLEGAL_METHOD_CALL once the request is answered or late."""
        self._answer.respond(octets(response, "response"))


def ask_handler(call: Callable[[Sender, SmartCardPinResetRequest], object], sender: Sender, challenge: bytes) -> bytes:
    """Calls a handler; returns the response that it has set. WinRTError: too late, no response, the handler raised."""
    timeout_s = _of_this_context.get()
    if timeout_s is None:
        timeout_s = _of_this_process
    answer = _Answer()
    request = make(SmartCardPinResetRequest, challenge, datetime.now(UTC) + timedelta(seconds=timeout_s), answer)

    def run() -> None:
        try:
            call(sender, request)
        except Exception as error:
            answer.fail(error)
            report(error, call)
        else:
            answer.close()

    started = time.monotonic()
    threading.Thread(target=copy_context().run, args=(run,), name="vsc-winrt PIN reset", daemon=True).start()
    return answer.wait(started + timeout_s - time.monotonic())
