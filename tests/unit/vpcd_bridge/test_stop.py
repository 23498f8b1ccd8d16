"""vpcd_bridge.stop: signals that end a wait."""

import signal
import threading

import pytest

from vpcd_bridge import Stop


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_does_not_interrupt_the_wait_ends_it_all_the_same(number: signal.Signals) -> None:
    """It goes to another thread here, as one that comes just before poll() interrupts nothing either."""
    before = signal.getsignal(number)
    with Stop() as stop:
        with stop.on_signals(number):
            thread = threading.Thread(target=lambda: signal.pthread_kill(threading.get_ident(), number))
            thread.start()
            assert stop.wait(30)
            thread.join()
        assert signal.getsignal(number) == before
        assert signal.set_wakeup_fd(-1) == -1
