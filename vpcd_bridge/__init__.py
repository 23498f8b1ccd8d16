"""One wire: a card <-> vsmartcard's vpcd, and through it every PC/SC program on the machine.

Put anything that has the five members of `PoweredCard` on a `Bridge` (the card calls vpcd; the usual way) or on
a `Listener` (vpcd calls the card), and run it in a thread until its `Stop` is set::

    with Stop() as stop:
        Bridge(card, on_event=lambda event: print(event.text)).run(stop)

Inside, from the wire inwards: `frames` cuts the stream into messages, `session` maps messages to calls on the
card (neither does I/O), `wire` serves them on a socket, `client` and `server` find the peer.
"""

from vpcd_bridge.client import DEFAULT_ADDRESS, Bridge
from vpcd_bridge.errors import NoAnswer, ProtocolError, VpcdError, VpcdUnavailable
from vpcd_bridge.event import Address, Event, EventKind
from vpcd_bridge.port import PoweredCard
from vpcd_bridge.server import Listener
from vpcd_bridge.session import Session
from vpcd_bridge.stop import Stop

__all__ = [
    "DEFAULT_ADDRESS",
    "Address",
    "Bridge",
    "Event",
    "EventKind",
    "Listener",
    "NoAnswer",
    "PoweredCard",
    "ProtocolError",
    "Session",
    "Stop",
    "VpcdError",
    "VpcdUnavailable",
]
