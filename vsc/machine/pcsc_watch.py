"""Watching PC/SC: one thread that waits in SCardGetStatusChange, on a context of its own, while somebody watches.

A look takes three steps: how many readers have come and gone, which there are and what they look like, and the wait
for anything to differ from that. What happens between two of these steps ends the wait at once: each reader's own
count of cards is compared, and with libpcsclite 2.3 the count of readers, too. (Before 2.3 there is none: a reader
that is plugged in in those microseconds is seen with the next change. `look_again` closes that gap for whoever knows
that there is something to see.)

Ending the wait. SCardCancel ends a wait that the service knows of; one that is only about to begin is not ended, and
nothing tells the two apart. So it is called again, until the thread is seen to have left the wait.
"""

import threading
from collections.abc import Callable

from vsc.errors import NoPcscError
from vsc.machine.pcsc import Pcsc
from vsc.machine.winscard import Context, State, UnknownReader

_CANCEL_AGAIN_S = 0.01
_FIRST_RETRY_S = 0.1
_MAX_RETRY_S = 2.0


class PcscWatch:
    """Tells what there is, then what changes, until `stop`.

    see: called with a reader's name and the number of the stay of its card, None if empty; lose: with the name of a
    reader that is gone. Both are called by the thread, with no lock held.
    """

    def __init__(self, pcsc: Pcsc, *, see: Callable[[str, int | None], None], lose: Callable[[str], None]) -> None:
        self._pcsc = pcsc
        self._see = see
        self._lose = lose
        self._told: dict[str, int | None] = {}
        self._changed = threading.Condition()
        self._is_stopping = False
        self._wanted = 0
        """How many looks have been asked for."""
        self._done = 0
        """How many of those have been answered."""
        self._waiting: Context | None = None
        """What to cancel."""
        self._thread = threading.Thread(target=self._run, name="vsc-pcsc-watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def look_again(self) -> None:
        """Returns when all that had happened before the call has been told."""
        with self._changed:
            self._wanted += 1
            wanted = self._wanted
            while self._done < wanted and self._thread.is_alive():
                self._leave_wait()

    def stop(self) -> None:
        """Ends the thread. What was seen is not lost by that: nothing more is told."""
        with self._changed:
            self._is_stopping = True
            while self._thread.is_alive():
                self._leave_wait()
        self._thread.join()

    def _leave_wait(self) -> None:
        """With the lock."""
        self._changed.notify_all()  # It may wait for a service, and not in PC/SC.
        if self._waiting is not None:
            self._waiting.cancel()
        self._changed.wait(_CANCEL_AGAIN_S)

    # --- the thread

    def _run(self) -> None:
        retry_s = _FIRST_RETRY_S
        try:
            while not self._is_stopping:
                wanted = self._wanted
                try:
                    with Context() as context:
                        retry_s = _FIRST_RETRY_S
                        self._follow(context)
                except NoPcscError:
                    self._pcsc.lose()
                    self._tell({})
                    self._answer(wanted)
                    self._wait_for_service(retry_s)
                    retry_s = min(2 * retry_s, _MAX_RETRY_S)
        finally:
            with self._changed:
                self._changed.notify_all()

    def _follow(self, context: Context) -> None:
        while True:  # As long as somebody watches.
            wanted = self._wanted
            reader_events = context.reader_events()
            states = self._pcsc.look(context)
            self._tell(states)
            self._answer(wanted)
            with self._changed:
                if self._is_stopping:
                    return
                if self._wanted != self._done:
                    continue
                self._waiting = context
            try:
                context.wait(states, reader_events)
            except UnknownReader:
                pass  # It went after the look: there is something to see.
            finally:
                with self._changed:
                    self._waiting = None

    def _tell(self, states: dict[str, State]) -> None:
        now = {name: self._pcsc.insertion(name, state) for name, state in states.items()}
        for name in [name for name in self._told if name not in now]:
            self._lose(name)
        for name, insertion in now.items():
            if name not in self._told or self._told[name] != insertion:
                self._see(name, insertion)
        self._told = now

    def _answer(self, wanted: int) -> None:
        with self._changed:
            self._done = wanted
            self._changed.notify_all()

    def _wait_for_service(self, retry_s: float) -> None:
        """Nothing tells that a service has come, so it is looked for: at once if somebody asks, else in a while."""
        with self._changed:
            if not self._is_stopping and self._wanted == self._done:
                self._changed.wait(retry_s)
