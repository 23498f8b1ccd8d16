"""Observers and taps of a reader there."""

import threading
from collections.abc import Callable
from contextlib import suppress

from vsc.errors import VscError
from vsc.reader import Exchange, ReaderEvent
from vsc.reader.event import Subscription
from vsc.reader.exchange import Tap
from vsc.testing.served.port import ReaderThere
from vsc.unraisable import report

_POLL_S = 1.0


class Listeners:
    """Observers and taps of a reader there. Those who do something to it here tell them before they return; of what
    others do a thread tells, as long as anybody listens."""

    def __init__(self, reader: ReaderThere) -> None:
        self._reader = reader
        self._lock = threading.RLock()
        self._subscriptions: tuple[Subscription, ...] = ()
        self._taps: tuple[Tap, ...] = ()
        self._last_event = self._last_exchange = 0
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def subscribe(self, observer: Callable[[ReaderEvent], None]) -> Callable[[], None]:
        subscription = Subscription(observer)
        with self._lock:
            self._begin()
            self._subscriptions += (subscription,)

        def end() -> None:
            with self._lock:
                subscription.is_active = False
                self._subscriptions = tuple(one for one in self._subscriptions if one is not subscription)

        return end

    def tap(self, tap: Tap) -> Callable[[], None]:
        def mine(exchange: Exchange) -> None:
            tap(exchange)

        with self._lock:
            self._begin()
            if not self._taps:
                old = self._reader.call("exchanges", self._last_exchange)
                self._last_exchange = old[-1][0] if old else self._last_exchange
            self._taps += (mine,)

        def end() -> None:
            with self._lock:
                self._taps = tuple(one for one in self._taps if one is not mine)

        return end

    def _begin(self) -> None:
        if self._thread is None:
            self._last_event = self._reader.call("look").last
            self._thread = threading.Thread(target=self._run, name="vsc-listener", daemon=True)
            self._thread.start()

    def catch_up(self) -> None:
        """Tells what there is to tell."""
        if not self._subscriptions and not self._taps:
            return
        with self._lock:
            for event in self._reader.call("events", self._last_event):
                if event.number > self._last_event:
                    self._last_event = event.number
                    for subscription in self._subscriptions:
                        subscription.call(event)
            for number, exchange in self._reader.call("exchanges", self._last_exchange) if self._taps else ():
                if number > self._last_exchange:
                    self._last_exchange = number
                    for tap in self._taps:
                        _told(tap, exchange)

    def end(self) -> None:
        self._over.set()
        self._subscriptions, self._taps = (), ()

    def _run(self) -> None:
        while not self._over.is_set():
            with suppress(VscError, KeyError):
                if self._taps:
                    self._over.wait(0.05)
                    self.catch_up()
                elif self._subscriptions:
                    self._reader.call("events", self._last_event, wait_s=_POLL_S)
                    self.catch_up()
                else:
                    self._over.wait(_POLL_S)
                continue
            return  # The reader, or the process, is gone.


def _told(tap: Tap, exchange: Exchange) -> None:
    try:
        tap(exchange)
    except Exception as error:
        report(error, tap)
