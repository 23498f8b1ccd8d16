"""A card that waits for vpcd's call: the lesser way, for when vpcd must be the one that connects.

`DEVICENAME host:port` in reader.conf makes vpcd call the card instead of listening for it. A reader of vpcd has
two slots, and calls port for the first and port + 1 for the second, so a `Listener` keeps both open and puts a
mute card (mute.py) into a slot it was given none for.

Lesser, because vpcd 3.3 calls only while pcscd starts and does not survive being hung up on: start the listener
before pcscd, and expect pcscd to abort within 1.5 s of the listener's end ("bit out of range 0 - FD_SETSIZE on
fd_set": it polls a socket it does not have). Newer vpcd use poll() and call again.

Both slots share one thread: a card that computes for long keeps the other waiting that long.
"""

import socket
import time
from collections.abc import Callable
from contextlib import ExitStack

from vpcd_bridge.client import DEFAULT_ADDRESS, SILENT_AFTER_S
from vpcd_bridge.errors import VpcdUnavailable
from vpcd_bridge.event import Address, Event, EventKind, fault_event, name_of
from vpcd_bridge.mute import MuteCard
from vpcd_bridge.port import PoweredCard
from vpcd_bridge.stop import Stop
from vpcd_bridge.wire import Wire, serve


class _Slot:
    """One port: the door vpcd knocks at, and the wire while it is inside."""

    def __init__(self, card: PoweredCard | None, address: Address, on_event: Callable[[Event], None]) -> None:
        self.card: PoweredCard = MuteCard() if card is None else card
        self.address = address
        # What happens in a slot nobody asked for is news to nobody.
        self.tell: Callable[[Event], None] = on_event if card is not None else (lambda event: None)
        self.door: socket.socket
        self.wire: Wire | None = None
        self.deadline: float | None = None

    def open(self) -> None:
        try:
            self.door = socket.create_server(self.address, backlog=1)
        except OSError as error:
            raise VpcdUnavailable(f"cannot listen on {name_of(self.address)}: {error.strerror or error}") from error
        # poll() may promise a caller that is gone by the time of accept().
        self.door.setblocking(False)

    def close(self) -> None:
        self.door.close()
        self.hang_up()

    def hang_up(self) -> None:
        if self.wire is not None:
            self.wire.close()
            self.tell_faults(self.wire)
        self.wire = None
        self.deadline = None

    def say(self, kind: EventKind, text: str, error: Exception | None = None) -> None:
        self.tell(Event(kind, self.address, text, error))

    def tell_faults(self, wire: Wire) -> None:
        for fault in wire.session.take_faults():
            self.tell(fault_event(self.address, fault))


class Listener:
    """Keeps one card, or two, in the slots of a vpcd that calls address and address + 1.

    card, second: for the first and second slot; a slot without a card shows a mute one.
    address: loopback unless given; whoever reaches the port can use the card, PIN tries included.
    on_event: called from the thread in `run`; what it raises ends `run`.
    silent_after_s: how long a caller may take to ask for the ATR before it is hung up on.
    """

    def __init__(
        self,
        card: PoweredCard,
        address: Address = DEFAULT_ADDRESS,
        *,
        second: PoweredCard | None = None,
        on_event: Callable[[Event], None],
        silent_after_s: float = SILENT_AFTER_S,
    ) -> None:
        host, port = address
        self._slots = (_Slot(card, (host, port), on_event), _Slot(second, (host, port + 1), on_event))
        self._silent_after_s = silent_after_s

    def run(self, stop: Stop) -> None:
        """Serves until `stop` is set; then the cards have left their slots and are powered off.

        Raises VpcdUnavailable when a port cannot be listened on. A caller that is no vpcd does not end it.
        """
        with ExitStack() as stack:
            for slot in self._slots:
                slot.open()
                stack.callback(slot.close)
            for slot in self._slots:
                slot.say(EventKind.LISTENING, f"listening on {name_of(slot.address)}; vpcd may call")
            while not stop.is_set():
                self._serve_once(stop)

    def _serve_once(self, stop: Stop) -> None:
        """Serves until there is news, and deals with it."""
        wires = [slot.wire for slot in self._slots if slot.wire is not None]
        # A slot takes one caller at a time, as vpcd's own do.
        doors = [slot.door for slot in self._slots if slot.wire is None]
        deadlines = [slot.deadline for slot in self._slots if slot.deadline is not None]
        end = serve(stop, wires, doors, deadline=min(deadlines, default=None))
        for slot in self._slots:
            if end is slot.door:
                self._welcome(slot)
            elif slot.wire is not None and end is slot.wire:
                _deal_with(slot, slot.wire)
            elif slot.deadline is not None and slot.deadline <= time.monotonic():
                slot.hang_up()
                slot.say(EventKind.SILENT, f"who called {name_of(slot.address)} says nothing; hung up")

    def _welcome(self, slot: _Slot) -> None:
        try:
            sock, _ = slot.door.accept()
        except OSError:
            return  # Gone again before we came to the door.
        slot.wire = Wire(sock, slot.card)
        slot.deadline = time.monotonic() + self._silent_after_s
        slot.say(EventKind.CONNECTED, f"vpcd has called {name_of(slot.address)}")


def _deal_with(slot: _Slot, wire: Wire) -> None:
    """Tells the news of a wire, and hangs up where that is called for."""
    if slot.deadline is not None and wire.session.ready:
        slot.deadline = None
        slot.say(EventKind.READY, f"the card is in the reader that called {name_of(slot.address)}")
    slot.tell_faults(wire)
    if wire.ended:
        slot.hang_up()
    if wire.error is not None:
        text = f"who called {name_of(slot.address)} is no vpcd: {wire.error}; hung up"
        slot.say(EventKind.PROTOCOL_ERROR, text, wire.error)
    elif wire.ended:
        why = "vpcd hung up on" if wire.session.end is None else f"{wire.session.end}: hung up on vpcd at"
        slot.say(EventKind.LOST, f"{why} {name_of(slot.address)}; listening again")
