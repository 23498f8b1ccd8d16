"""Long work of a library where Ctrl-C reaches it."""

import _thread
import os
import signal
import subprocess
import sys
import threading
from types import FrameType

import pytest

from vsc.interruptible import interruptible


def test_what_comes_of_the_work_comes_out() -> None:
    assert interruptible(lambda: 5) == 5
    with pytest.raises(ZeroDivisionError):
        interruptible(lambda: 1 // 0)


def test_it_is_done_beside_the_main_thread_which_can_be_interrupted() -> None:
    begun, end = threading.Event(), threading.Event()

    def work() -> None:
        assert threading.current_thread() is not threading.main_thread()
        begun.set()
        end.wait()

    def press() -> None:
        begun.wait()
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # Whoever started the tests may have it ignored.
    threading.Thread(target=press).start()
    try:
        with pytest.raises(KeyboardInterrupt):
            interruptible(work)
    finally:
        end.set()
        signal.signal(signal.SIGINT, before)


def interrupted_at(step: int, threads: "list[int]") -> bool:
    """Whether the interrupt that comes at that line came out; `threads` gets those in which the work was done."""
    left = step

    def at_each_line(frame: FrameType, event: str, value: object) -> object:
        nonlocal left
        left -= event == "line"
        if left <= 0:
            raise KeyboardInterrupt
        return at_each_line

    before = sys.gettrace()
    sys.settrace(at_each_line)  # type: ignore[arg-type]
    try:
        interruptible(lambda: threads.append(threading.get_ident()))
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


def test_an_interrupt_between_any_two_lines_is_one() -> None:
    """Some lines of `threading` make a RuntimeError of it, as a lack of threads is: the work was done once more."""
    threads: list[int] = []
    steps = 0
    while interrupted_at(steps + 1, threads):
        steps += 1
    assert steps > 3
    assert threading.get_ident() not in threads


def test_in_a_thread_of_its_own_it_is_done_there() -> None:
    found: list[threading.Thread] = []
    thread = threading.Thread(target=lambda: interruptible(lambda: found.append(threading.current_thread())))
    thread.start()
    thread.join()
    assert found == [thread]


def test_without_a_thread_it_is_done_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_thread, "start_new_thread", start)
    assert interruptible(threading.current_thread) is threading.main_thread()


KEY = "from vsc.world import SystemEnv; print('up', flush=True); SystemEnv().rsa_key(16_384)"


def test_making_a_key_hears_ctrl_c() -> None:
    """A key that takes minutes; the process ends at once, and not by a crash."""
    code = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler); {KEY}"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT
    assert errors.endswith(b"KeyboardInterrupt\n")
