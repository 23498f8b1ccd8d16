"""Operations: hot, awaitable, waitable, cancellable; one mechanism for all."""

import asyncio
import threading
from contextvars import ContextVar

import pytest

from vsc.errors import CardRemoved
from vsc.unraisable import Unraisable
from vsc.winrt import hresult
from vsc.winrt.errors import WinRTError
from vsc.winrt.operations import AsyncStatus, IAsyncAction, IAsyncOperation, action, checkpoint, operation

LONG_S = 30


def removed() -> None:
    raise CardRemoved("gone")


class Held:
    """Work that waits to be told to go on."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        assert self.go_on.wait(LONG_S)
        checkpoint()
        return "done"

    __name__ = "held"


@pytest.fixture
def held() -> Held:
    return Held()


def test_it_starts_at_the_call_off_the_callers_thread() -> None:
    seen: list[int] = []
    begun = threading.Event()

    def work() -> None:
        seen.append(threading.get_ident())
        begun.set()

    operation(work)
    assert begun.wait(LONG_S)
    assert seen != [threading.get_ident()]


def test_get_gives_the_result_or_the_error() -> None:
    assert operation(lambda: 7).get() == 7
    with pytest.raises(WinRTError) as raised:
        operation(removed).get()
    assert raised.value.winerror == hresult.SCARD_W_REMOVED_CARD
    assert isinstance(raised.value.__cause__, CardRemoved)


def test_an_action_has_no_result() -> None:
    started = action(lambda: 7)
    assert isinstance(started, IAsyncAction)
    assert started.get() is None


def test_status_and_error_code() -> None:
    good, bad = operation(lambda: 1), operation(removed)
    assert good.wait(LONG_S) == good.status == AsyncStatus.COMPLETED
    assert good.error_code == 0
    assert bad.wait() == AsyncStatus.ERROR
    assert bad.error_code == hresult.SCARD_W_REMOVED_CARD


def test_wait_gives_started_when_it_was_too_short(held: Held) -> None:
    started = operation(held)
    assert started.wait(0) == AsyncStatus.STARTED
    with pytest.raises(WinRTError) as raised:
        started.get_results()
    assert raised.value.winerror == hresult.E_ILLEGAL_METHOD_CALL
    with pytest.raises(WinRTError):
        started.close()
    held.go_on.set()
    assert started.get() == "done"
    assert started.get_results() == "done"


def test_closed_it_has_no_result() -> None:
    done = operation(lambda: 1)
    done.wait()
    done.close()
    with pytest.raises(WinRTError) as raised:
        done.get_results()
    assert raised.value.winerror == hresult.RO_E_CLOSED


def test_ids_differ() -> None:
    ids = {operation(lambda: 1).id for _ in range(5)}
    assert len(ids) == 5
    assert 0 not in ids


def test_context_variables_carry_over() -> None:
    variable: ContextVar[str] = ContextVar("variable", default="none")
    variable.set("mine")
    assert operation(variable.get).get() == "mine"


def test_nobody_makes_one_or_derives_from_it() -> None:
    with pytest.raises(TypeError, match="no constructor"):
        IAsyncOperation()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="acceptable base type"):
        type("Mine", (IAsyncOperation,), {})


# --- completed


def test_completed_is_called_once_with_operation_and_status(held: Held) -> None:
    told: list[object] = []
    called = threading.Event()
    started = operation(held)

    def handler(*arguments: object) -> None:
        told.append(arguments)
        called.set()

    started.completed = handler
    held.go_on.set()
    assert called.wait(LONG_S)
    assert told == [(started, AsyncStatus.COMPLETED)]


def test_completed_is_called_for_an_operation_that_has_ended() -> None:
    told: list[object] = []
    done = operation(lambda: 1)
    done.wait()
    done.completed = lambda *arguments: told.append(arguments)
    assert told == [(done, AsyncStatus.COMPLETED)]


def test_completed_can_be_set_once() -> None:
    done = operation(lambda: 1)
    assert done.completed is None
    done.completed = print_nothing
    with pytest.raises(WinRTError) as raised:
        done.completed = print_nothing
    assert raised.value.winerror == hresult.E_ILLEGAL_DELEGATE_ASSIGNMENT
    with pytest.raises(TypeError):
        operation(lambda: 1).completed = 5  # type: ignore[assignment]


def print_nothing(*_: object) -> None:
    pass


def test_what_completed_raises_is_unraisable(unraised: list[Unraisable]) -> None:
    done = operation(lambda: 1)
    done.wait()
    done.completed = lambda *_: 1 / 0
    assert [one.exc_type for one in unraised] == [ZeroDivisionError]


# --- asyncio


def test_it_can_be_awaited_again_and_again() -> None:
    async def main() -> list[int]:
        started = operation(lambda: 7)
        return [await started, await started]

    assert asyncio.run(main()) == [7, 7]


def test_it_is_awaitable_and_no_coroutine(held: Held) -> None:
    async def main() -> list[object]:
        with pytest.raises(TypeError):
            asyncio.create_task(operation(held))  # type: ignore[arg-type]  # noqa: RUF006
        held.go_on.set()
        return list(await asyncio.gather(operation(lambda: 1), asyncio.ensure_future(operation(lambda: 2))))

    assert asyncio.run(main()) == [1, 2]


def test_awaiting_raises_the_error() -> None:
    async def main() -> None:
        await operation(removed)

    with pytest.raises(WinRTError):
        asyncio.run(main())


def test_get_in_a_loop_warns(held: Held) -> None:
    async def main() -> None:
        started = operation(held)
        with pytest.warns(RuntimeWarning, match="await the operation"):
            started.wait(0)
        held.go_on.set()
        await started
        assert started.get() == "done"

    asyncio.run(main())


# --- cancelling


def test_cancelled_in_time_it_ends_without_a_result(held: Held) -> None:
    started = operation(held)
    assert held.begun.wait(LONG_S)
    started.cancel()
    held.go_on.set()
    assert started.wait(LONG_S) == AsyncStatus.CANCELED
    assert started.error_code == hresult.ERROR_CANCELLED
    with pytest.raises(WinRTError) as raised:
        started.get()
    assert raised.value.winerror == hresult.ERROR_CANCELLED


def test_cancelled_too_late_it_completes() -> None:
    done = operation(lambda: 1)
    done.wait()
    done.cancel()
    assert done.status == AsyncStatus.COMPLETED


def test_awaiting_a_cancelled_operation(held: Held) -> None:
    async def main() -> None:
        started = operation(held)
        started.cancel()
        held.go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await started

    asyncio.run(main())


def test_a_cancelled_task_cancels_and_waits_for_the_end(held: Held) -> None:
    async def main() -> AsyncStatus:
        started = operation(held)
        task = asyncio.ensure_future(started)
        await asyncio.to_thread(held.begun.wait, LONG_S)
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
        held.go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        return started.status

    assert asyncio.run(main()) == AsyncStatus.CANCELED


def test_cancelled_twice_it_waits_no_more_and_a_late_error_goes_to_the_loop() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        assert go_on.wait(LONG_S)
        removed()

    async def main() -> dict[str, object]:
        told: asyncio.Future[dict[str, object]] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.set_result(context))
        task = asyncio.ensure_future(operation(work))
        await asyncio.to_thread(begun.wait, LONG_S)
        for _ in range(2):
            task.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()
        return await told

    assert isinstance(asyncio.run(main())["exception"], WinRTError)


def test_the_end_of_an_operation_whose_loop_is_gone_is_nobodys_business(held: Held) -> None:
    started: list[IAsyncOperation[str]] = []

    async def main() -> None:
        started.append(operation(held))
        task = asyncio.ensure_future(started[0])
        await asyncio.sleep(0)
        for _ in range(2):
            task.cancel()
            await asyncio.sleep(0)

    asyncio.run(main())
    held.go_on.set()
    assert started[0].wait(LONG_S) == AsyncStatus.CANCELED
