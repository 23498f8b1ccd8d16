"""How a running bridge is told to end: at once, from any thread or from a signal handler.

A bridge spends its life waiting in poll(). A flag alone would be seen only when something else wakes it, so
`Stop` is a flag with a pipe behind it: setting it makes the read end readable, for good (nobody ever reads the
byte), and every bridge that polls it wakes. One Stop may end several bridges.
"""

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self


class Stop:
    """A flag that wakes whoever waits for it. Use it in a `with`, or call `close`."""

    def __init__(self) -> None:
        self._read_fd, self._write_fd = os.pipe()
        # A full pipe must not block a signal handler; one byte in it is as good as many.
        os.set_blocking(self._write_fd, False)
        self._wakeup_fd: int | None = None
        self._set = False
        self._closed = False

    def set(self) -> None:
        """Ends every bridge that runs with this Stop. Safe in signal handlers; again and late is harmless."""
        if not self._set and not self._closed:
            self._set = True
            os.write(self._write_fd, b"\0")

    def is_set(self) -> bool:
        """Whether `set` was called."""
        return self._set

    def fileno(self) -> int:
        """A descriptor that is readable from `set` on, for select and poll."""
        return self._read_fd

    def wait(self, timeout_s: float | None = None) -> bool:
        """Sleeps until `set`, or for timeout_s; tells which: True when set."""
        poller = select.poll()
        poller.register(self._read_fd, select.POLLIN)
        if self._wakeup_fd is not None:
            poller.register(self._wakeup_fd, select.POLLIN)
        poller.poll(None if timeout_s is None else poll_ms(timeout_s))
        return self._set

    @contextmanager
    def on_signals(self, *numbers: signal.Signals) -> Iterator[None]:
        """Inside the block these signals set it. For the main thread, which must spend its time in `wait`.

        Python runs handlers between two steps of the main thread. A signal that comes just before poll() would wait
        with it for ever; so `wait` also looks at the pipe into which Python writes at once.
        """
        before = {number: signal.signal(number, lambda *_: self.set()) for number in numbers}
        self._wakeup_fd, write_fd = os.pipe()
        os.set_blocking(write_fd, False)
        descriptor = signal.set_wakeup_fd(write_fd, warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(descriptor)
            for number, handler in before.items():
                signal.signal(number, handler)
            for one in (self._wakeup_fd, write_fd):
                os.close(one)
            self._wakeup_fd = None

    def close(self) -> None:
        """Gives the descriptors back, once no bridge uses them any more."""
        if not self._closed:
            self._closed = True
            os.close(self._read_fd)
            os.close(self._write_fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def poll_ms(timeout_s: float) -> float:
    """Seconds as poll() wants them: milliseconds, never negative (that would mean "for ever")."""
    return max(0.0, timeout_s * 1000)
