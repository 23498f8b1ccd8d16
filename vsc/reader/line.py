"""What lies between hosts, a reader and its card: nothing, unless somebody wants faults there (`vsc.faults`)."""

from typing import TYPE_CHECKING, Protocol

from vpcd_bridge.port import PoweredCard

if TYPE_CHECKING:
    from vsc.reader.reader import Reader


class Line(Protocol):
    """All that a command meets on its way. Each may do nothing; each may raise what the host shall get instead."""

    def before(self, reader: "Reader", command: bytes) -> None:
        """A host is about to send. Nobody has the card's turn: it may be ejected, swapped, reset.

        Called once for each command, before the host's handle is looked at.
        """
        ...

    def transmit(self, reader: "Reader", command: bytes, card: PoweredCard) -> tuple[bytes, str]:
        """Gets the card's answer, or another one; and why it is another one, in words.

        With the card's turn: the card may be called, and ejected; the reader must not be asked to call it.
        """
        ...

    def after(self, reader: "Reader", command: bytes, response: bytes) -> None:
        """The card has answered, the host has not got it yet. Nobody has the card's turn."""
        ...

    def atr(self, reader: "Reader", atr: bytes) -> bytes:
        """The card has answered to reset; what the reader takes for its ATR."""
        ...
