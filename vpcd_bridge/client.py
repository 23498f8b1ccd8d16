"""A card plugged into vpcd: the usual way, in which vpcd listens and the card calls.

`Bridge.run` calls vpcd, serves the card there until told to stop, and calls again whenever the connection ends,
a little later each time: pcscd may be restarted under a card at any moment, and the card must then come back by
itself. What it meets it tells through `on_event`, each kind once until things are well again (READY), for a
person does not want to read "still nothing" every second.

vpcd serves one card per port. A second caller gets a connection, because the kernel accepts it on vpcd's behalf,
but never hears a word; since a vpcd that has a card asks for its ATR every 0.4 s, silence means "taken".
"""

import time
from collections.abc import Callable

from vpcd_bridge.dial import dial
from vpcd_bridge.errors import VpcdUnavailable
from vpcd_bridge.event import Address, Event, EventKind, fault_event, name_of
from vpcd_bridge.port import PoweredCard
from vpcd_bridge.stop import Stop
from vpcd_bridge.wire import Wire, serve

DEFAULT_ADDRESS: Address = ("127.0.0.1", 35963)
SILENT_AFTER_S = 2.0

_FIRST_DELAY_S = 0.05
_MAX_DELAY_S = 1.0


class Bridge:
    """Keeps one card in one slot of vpcd. Several cards: one Bridge and one thread each.

    on_event: called from the thread in `run`; what it raises ends `run`.
    connect_timeout_s: how long nobody may answer at first before `run` gives up; 0: the first failure ends it;
        None: keep trying. Once there was a connection, a bridge never gives up.
    silent_after_s: how long vpcd may take to ask for the ATR before the slot counts as taken.
    quickack: see wire.py; False only to show what it is worth.
    """

    def __init__(
        self,
        card: PoweredCard,
        address: Address = DEFAULT_ADDRESS,
        *,
        on_event: Callable[[Event], None],
        connect_timeout_s: float | None = None,
        silent_after_s: float = SILENT_AFTER_S,
        quickack: bool = True,
    ) -> None:
        self._card = card
        self._address = address
        self._on_event = on_event
        self._connect_timeout_s = connect_timeout_s
        self._silent_after_s = silent_after_s
        self._quickack = quickack
        self._told: set[EventKind] = set()
        self._delay_s = _FIRST_DELAY_S
        self._give_up_at: float | None = None

    def run(self, stop: Stop) -> None:
        """Serves the card until `stop` is set; then the card has left the reader and is powered off.

        Raises VpcdUnavailable as connect_timeout_s says, and ProtocolError when the peer is no vpcd.
        """
        self._all_is_well()
        self._give_up_at = None
        if self._connect_timeout_s is not None:
            self._give_up_at = time.monotonic() + self._connect_timeout_s
        while not stop.is_set():
            wire = self._call(stop)
            if wire is not None:
                try:
                    self._converse(wire, stop)
                finally:
                    wire.close()
                    self._tell_faults(wire)
            self._back_off(stop)

    def _call(self, stop: Stop) -> Wire | None:
        """Tries once to connect. None when that failed, which has been told, or when stopped."""
        try:
            sock = dial(self._address, stop, timeout_s=self._within_patience(self._silent_after_s))
        except OSError as error:
            self._not_connected(error)
            return None
        if sock is None:
            return None
        self._give_up_at = None
        self._tell(EventKind.CONNECTED, f"connected to {name_of(self._address)}")
        return Wire(sock, self._card, quickack=self._quickack)

    def _not_connected(self, error: OSError) -> None:
        where = name_of(self._address)
        if self._give_up_at is not None and time.monotonic() >= self._give_up_at:
            raise VpcdUnavailable(
                f"nothing answers at {where} ({error.strerror}): is pcscd running, with vpcd?"
            ) from error
        if EventKind.CONNECTED in self._told or EventKind.LOST in self._told:
            return  # There was a connection, and its end has been told.
        self._tell(EventKind.WAITING, f"nothing answers at {where} ({error.strerror}); trying again")

    def _converse(self, wire: Wire, stop: Stop) -> None:
        """Serves one connection to its end, and tells how it went. Raises ProtocolError on rubbish."""
        deadline: float | None = time.monotonic() + self._silent_after_s
        while serve(stop, [wire], deadline=deadline) is wire:
            if deadline is not None and wire.session.ready:
                deadline = None
                self._all_is_well()
                self._tell(EventKind.READY, f"the card is in the reader at {name_of(self._address)}")
            self._tell_faults(wire)
            if wire.ended:
                wire.close()  # Before it is told: who hears LOST may count on a card without power.
            if wire.error is not None:
                text = f"what answers at {name_of(self._address)} is no vpcd: {wire.error}"
                self._tell(EventKind.PROTOCOL_ERROR, text, wire.error)
                raise wire.error
            if wire.ended:
                self._tell(EventKind.LOST, self._farewell(wire))
                return
        if not stop.is_set():
            self._tell(EventKind.SILENT, self._silence(wire))

    def _farewell(self, wire: Wire) -> str:
        where = name_of(self._address)
        if wire.session.end is not None:
            return f"hung up on {where}: {wire.session.end}; calling again"
        return f"{where} hung up; calling again"

    def _silence(self, wire: Wire) -> str:
        where = name_of(self._address)
        if wire.session.pending_bytes:
            return f"{where} sent bytes that make no message: is it vpcd? Calling again"
        return f"{where} says nothing: another card is in that slot; calling again until it is free"

    def _back_off(self, stop: Stop) -> None:
        """Waits before the next call: 0.05 s, doubled each time up to 1 s, and from the start after READY."""
        stop.wait(self._within_patience(self._delay_s))
        self._delay_s = min(2 * self._delay_s, _MAX_DELAY_S)

    def _within_patience(self, duration_s: float) -> float:
        """The duration, cut short where connect_timeout_s ends first."""
        if self._give_up_at is None:
            return duration_s
        return max(0.0, min(duration_s, self._give_up_at - time.monotonic()))

    def _all_is_well(self) -> None:
        self._told.clear()
        self._delay_s = _FIRST_DELAY_S

    def _tell(self, kind: EventKind, text: str, error: Exception | None = None) -> None:
        if kind not in self._told:
            self._told.add(kind)
            self._on_event(Event(kind, self._address, text, error))

    def _tell_faults(self, wire: Wire) -> None:
        """Every fault is told: each may be another bug."""
        for fault in wire.session.take_faults():
            self._on_event(fault_event(self._address, fault))
