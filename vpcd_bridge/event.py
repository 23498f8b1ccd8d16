"""What a bridge tells its owner while it runs: one `Event` per thing a person might want to read.

A bridge has no logger and prints nothing. The CLI prints `text` to stderr, a test waits for a `kind`, and a
`FAULT` carries the card's exception with its traceback. Texts never hold APDU data: it may be a PIN.

Each kind is told once per trouble: after READY everything may be told again (client.py).
"""

from dataclasses import dataclass
from enum import Enum, auto

Address = tuple[str, int]
"""Host and TCP port."""


class EventKind(Enum):
    """What happened."""

    WAITING = auto()
    """Nothing listens at the address yet; the bridge keeps trying."""
    LISTENING = auto()
    """Listening mode: the port is open and vpcd may call."""
    CONNECTED = auto()
    """There is a connection; whether vpcd has taken it, READY or SILENT will tell."""
    READY = auto()
    """vpcd has asked for the ATR: the card is in the reader."""
    SILENT = auto()
    """Connected, but vpcd says nothing: another card holds the slot."""
    LOST = auto()
    """The connection ended: pcscd went away or dropped the card. The card is powered off."""
    PROTOCOL_ERROR = auto()
    """The peer sent rubbish; `error` is the ProtocolError. The connection is closed."""
    FAULT = auto()
    """The card raised `error`; a C-APDU was answered 6F00. The bridge goes on."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, for a person (`text`) and for a program (the rest)."""

    kind: EventKind
    address: Address
    text: str
    error: Exception | None = None


def name_of(address: Address) -> str:
    """host:port, for texts."""
    return f"{address[0]}:{address[1]}"


def fault_event(address: Address, fault: Exception) -> Event:
    """A FAULT. Its text names the exception's type only: the message could quote a PIN."""
    text = f"the card failed with {type(fault).__name__}; a command is answered 6F00 (no precise diagnosis)"
    return Event(EventKind.FAULT, address, text, fault)
