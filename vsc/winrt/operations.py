"""Operations that run while their caller does something else: `IAsyncOperation` and `IAsyncAction`.

An operation is hot: its work begins at the call, on a thread of its own, with the caller's context variables. It can
be awaited (again and again), waited for, or asked for its result; all see the one `Future`.

Cancelling is a request. What talks to a card is not stopped half-way: work looks for the request (`checkpoint`) before
it sends what changes the card, and from then on runs to its end.
"""

import asyncio
import itertools
import threading
import warnings
from collections.abc import Callable, Generator
from concurrent.futures import Future, wait
from contextvars import ContextVar, copy_context
from typing import Any, Generic, TypeVar

from vsc.unraisable import report
from vsc.winrt import hresult
from vsc.winrt.enums import WinrtIntEnum
from vsc.winrt.errors import WinRTError, as_winrt
from vsc.winrt.hresult import HResult
from vsc.winrt.projection import Object, make

T = TypeVar("T")


class AsyncStatus(WinrtIntEnum):
    """How far an operation is."""

    STARTED = 0
    COMPLETED = 1
    CANCELED = 2
    ERROR = 3


class OperationCanceled(BaseException):
    """Ends the work of an operation that was cancelled in time. Nobody outside this module sees it.

    Not an Exception: what stands between a checkpoint and the operation must not take it for a failure of the card.
    """


_numbers = itertools.count(1)
_cancelled: ContextVar[threading.Event | None] = ContextVar("vsc_winrt_cancelled", default=None)
"""Of the operation whose work this is."""


def checkpoint() -> None:
    """Ends the work here if its operation has been cancelled. To be called before a card is changed."""
    if is_cancelled():
        raise OperationCanceled


def is_cancelled() -> bool:
    event = _cancelled.get()
    return event is not None and event.is_set()


class IAsyncInfo(Object):
    """What operations and actions have in common."""

    _is_final = False

    def __init__(self, work: Callable[[], Any], name: str) -> None:
        self._future: Future[Any] = Future()
        self._cancel = threading.Event()
        self._closed = False
        self._number = next(_numbers)
        self._completed: Callable[[Any, AsyncStatus], object] | None = None
        self._lock = threading.Lock()
        context = copy_context()
        context.run(_cancelled.set, self._cancel)
        # Daemons: a program may end while a person is asked, or while another program holds the card.
        thread = threading.Thread(target=context.run, args=(self._run, work), name=f"vsc-winrt {name}", daemon=True)
        thread.start()

    def _run(self, work: Callable[[], Any]) -> None:
        try:
            with as_winrt():
                result = work()
        except BaseException as error:
            self._future.set_exception(error)
        else:
            self._future.set_result(result)

    @property
    def id(self) -> int:
        return self._number

    @property
    def status(self) -> AsyncStatus:
        if not self._future.done():
            return AsyncStatus.STARTED
        error = self._future.exception()
        if error is None:
            return AsyncStatus.COMPLETED
        return AsyncStatus.CANCELED if isinstance(error, OperationCanceled) else AsyncStatus.ERROR

    @property
    def error_code(self) -> HResult:
        """Zero while the operation runs and when it went well."""
        error = self._future.exception() if self._future.done() else None
        if error is None:
            return hresult.S_OK
        if isinstance(error, OperationCanceled):
            return hresult.ERROR_CANCELLED
        return error.winerror if isinstance(error, WinRTError) else hresult.E_UNEXPECTED

    def cancel(self) -> None:
        """Asks the work to stop where it still can."""
        self._cancel.set()

    def close(self) -> None:
        """Forgets the result. E_ILLEGAL_METHOD_CALL while the operation runs."""
        if self.status == AsyncStatus.STARTED:
            raise WinRTError(hresult.E_ILLEGAL_METHOD_CALL, "the operation has not ended: cancel it first")
        self._closed = True

    def get_results(self) -> Any:
        """The result, or the error. E_ILLEGAL_METHOD_CALL while the operation runs, RO_E_CLOSED after `close`."""
        if self._closed:
            raise WinRTError(hresult.RO_E_CLOSED)
        if self.status == AsyncStatus.STARTED:
            raise WinRTError(hresult.E_ILLEGAL_METHOD_CALL, "the operation has not ended")
        try:
            return self._future.result()
        except OperationCanceled:
            raise WinRTError(hresult.ERROR_CANCELLED) from None

    def get(self) -> Any:
        """Waits for the end; gives the result."""
        self._warn_of_a_loop("get")
        wait([self._future])
        return self.get_results()

    def wait(self, timeout: float | None = None, /) -> AsyncStatus:
        """Waits for the end, at most `timeout` seconds; STARTED if that was too short."""
        self._warn_of_a_loop("wait")
        wait([self._future], timeout)
        return self.status

    def _warn_of_a_loop(self, what: str) -> None:
        if self._future.done() or asyncio._get_running_loop() is None:
            return
        words = f"{what}() blocks the event loop of this thread: await the operation"
        warnings.warn(words, RuntimeWarning, stacklevel=3)

    @property
    def completed(self) -> Callable[[Any, AsyncStatus], object] | None:
        return self._completed

    @completed.setter
    def completed(self, handler: Callable[[Any, AsyncStatus], object]) -> None:
        """Called with the operation and its status at the end, at once if that has been; can be set once."""
        if not callable(handler):
            raise TypeError(f"completed must be callable, not {type(handler).__name__}")
        with self._lock:
            if self._completed is not None:
                raise WinRTError(hresult.E_ILLEGAL_DELEGATE_ASSIGNMENT, "completed has been set already")
            self._completed = handler
        self._future.add_done_callback(lambda _: self._tell(handler))

    def _tell(self, handler: Callable[[Any, AsyncStatus], object]) -> None:
        try:
            handler(self, self.status)
        except Exception as error:
            report(error, handler)

    def __await__(self) -> Generator[Any, None, Any]:
        if not self._future.done():
            yield from self._end().__await__()
        if self.status == AsyncStatus.CANCELED:
            raise asyncio.CancelledError
        return self.get_results()

    async def _end(self) -> None:
        """Waits for the end. Cancelled, it cancels the operation and waits on; cancelled again, it gives up."""
        loop = asyncio.get_running_loop()
        try:
            await self._told(loop)
        except asyncio.CancelledError:
            self.cancel()
            try:
                await self._told(loop)
            except asyncio.CancelledError:
                self._future.add_done_callback(lambda _: self._late(loop))
            raise

    def _told(self, loop: asyncio.AbstractEventLoop) -> "asyncio.Future[None]":
        ended: asyncio.Future[None] = loop.create_future()

        def tell() -> None:
            if not ended.done():
                ended.set_result(None)

        self._future.add_done_callback(lambda _: _in(loop, tell))
        return ended

    def _late(self, loop: asyncio.AbstractEventLoop) -> None:
        error = self._future.exception()
        if error is not None and not isinstance(error, OperationCanceled):
            context = {"message": "an operation that nobody waits for any more has failed", "exception": error}
            _in(loop, lambda: loop.call_exception_handler(context))


def _in(loop: asyncio.AbstractEventLoop, call: Callable[[], object]) -> None:
    """Calls in the loop's thread; not at all if the loop is closed, as then nobody waits there."""
    try:
        loop.call_soon_threadsafe(call)
    except RuntimeError:
        if not loop.is_closed():
            raise


class IAsyncAction(IAsyncInfo):
    """An operation without a result."""


class IAsyncOperation(IAsyncInfo, Generic[T]):
    """An operation with a result."""

    def get_results(self) -> T:
        result: T = super().get_results()
        return result

    def get(self) -> T:
        self._warn_of_a_loop("get")
        wait([self._future])
        return self.get_results()

    def __await__(self) -> Generator[Any, None, T]:
        result: T = yield from super().__await__()
        return result


def operation(work: Callable[[], T]) -> IAsyncOperation[T]:
    """Starts work that has a result."""
    return make(IAsyncOperation, work, getattr(work, "__name__", "operation"))


def action(work: Callable[[], object]) -> IAsyncAction:
    """Starts work whose result is None, whatever it returns."""

    def run() -> None:
        work()

    return make(IAsyncAction, run, getattr(work, "__name__", "action"))
