"""Python's garbage collector in a thread of its own, for a process that is PC/SC client and service at once.

A PC/SC connection that is forgotten without being closed is closed by its finalizer, which asks the service and waits
for the answer. What is in a cycle (a test that keeps the exception it caught is one) is finalized wherever the
collector happens to start: in any thread, at any allocation. In a thread of the service, or where a card is being
called, nobody would ever answer. So while a `Collector` runs the collector does not start by itself; its thread, which
holds no lock, starts it when it is due.
"""

import gc
import os
import threading

_LOOK_S = 0.02
"""How often to look. A PC/SC service takes 200 clients, and a test makes fewer than that in this time."""


class Collector:
    """Collects garbage as Python would have done, a moment later."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="vsc-collector", daemon=True)
        self._was_on = gc.isenabled()

    def start(self) -> None:
        self._was_on = gc.isenabled()
        gc.disable()
        os.register_at_fork(after_in_child=self._leave_to_python)  # A child made by fork has not this thread.
        self._thread.start()

    def stop(self) -> None:
        """Collects all there is, once more, and leaves the rest to Python."""
        self._over.set()
        self._thread.join()
        gc.collect()
        self._leave_to_python()

    def _leave_to_python(self) -> None:
        if self._was_on:
            gc.enable()

    def _run(self) -> None:
        while not self._over.wait(_LOOK_S):
            due = [count > limit for count, limit in zip(gc.get_count(), gc.get_threshold(), strict=True)]
            if due[0] and self._was_on and gc.get_threshold()[0]:  # 0 means never.
                gc.collect(2 if all(due) else 1 if due[1] else 0)
