"""Long work of a library where Ctrl-C reaches it."""

import os
import signal
import subprocess
import sys
import threading

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


def test_in_a_thread_of_its_own_it_is_done_there() -> None:
    found: list[threading.Thread] = []
    thread = threading.Thread(target=lambda: interruptible(lambda: found.append(threading.current_thread())))
    thread.start()
    thread.join()
    assert found == [thread]


def test_without_a_thread_it_is_done_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
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
