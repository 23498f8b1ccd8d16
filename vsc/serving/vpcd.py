"""A reader of ours in a slot of vpcd: what is put into the reader appears under pcscd, what is taken out disappears.

For vpcd a card's presence is the connection itself, so there is a connection exactly while the reader has a card: each
stay of a card in the reader gets a bridge of its own, and an ejection ends it at once.
"""

import threading
from collections.abc import Callable

from vpcd_bridge import Address, Bridge, Event, Stop
from vsc.reader import EventKind, Reader, ReaderEvent


class VpcdSlot:
    """Keeps one slot of vpcd like one reader. `run` in a thread of its own; `stop` ends it from any other.

    on_event, connect_timeout_s: as for vpcd_bridge.Bridge.
    """

    def __init__(
        self,
        reader: Reader,
        address: Address,
        *,
        on_event: Callable[[Event], None],
        connect_timeout_s: float | None = None,
    ) -> None:
        self._reader = reader
        self._address = address
        self._on_event = on_event
        self._connect_timeout_s = connect_timeout_s
        self._changed = threading.Condition()
        self._stopped = False
        self._stay: Stop | None = None
        """Ends the bridge of the card that is in the reader now."""
        self._stay_number = 0

    def run(self) -> None:
        """Serves until `stop`. Raises what Bridge.run raises."""
        unsubscribe = self._reader.subscribe(self._observe)
        try:
            while (stop := self._next_stay()) is not None:
                with stop:
                    card = self._reader.as_powered_card(insertion=self._stay_number)
                    bridge = Bridge(
                        card, self._address, on_event=self._on_event, connect_timeout_s=self._connect_timeout_s
                    )
                    bridge.run(stop)
                    with self._changed:
                        self._stay = None
        finally:
            unsubscribe()

    def stop(self) -> None:
        """Takes the card out of vpcd and ends `run`."""
        with self._changed:
            self._stopped = True
            self._end_stay()

    def _next_stay(self) -> Stop | None:
        """Waits for a card that has had no bridge yet; returns what will end its bridge, or None once stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._is_new())
            if self._stopped:
                return None
            self._stay_number = self._reader.insertions
            self._stay = Stop()
            return self._stay

    def _is_new(self) -> bool:
        return self._reader.card is not None and self._reader.insertions > self._stay_number

    def _observe(self, event: ReaderEvent) -> None:
        if event.kind not in (EventKind.INSERTED, EventKind.EJECTED):
            return
        with self._changed:
            # An event of an earlier stay, told late, does not end this one.
            if event.kind == EventKind.EJECTED and event.insertion == self._stay_number:
                self._end_stay()
            self._changed.notify_all()

    def _end_stay(self) -> None:
        if self._stay is not None:
            self._stay.set()
        self._changed.notify_all()
