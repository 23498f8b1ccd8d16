"""What lies between hosts, a reader and its card: nothing, unless somebody wants faults there (`vsc.faults`)."""

from typing import Protocol, TypeVar

from vpcd_bridge.port import PoweredCard

Reader_contra = TypeVar("Reader_contra", contravariant=True)


class Line(Protocol[Reader_contra]):
    """All that a command meets on its way. Each may do nothing; each may raise what the host shall get instead."""

    def entering(self, reader: Reader_contra, card: PoweredCard) -> None:
        """A card is about to be put in; what is raised keeps it out."""
        ...

    def before(self, reader: Reader_contra, command: bytes) -> str:
        """A host is about to send. Nobody has the card's turn: it may be ejected, swapped, reset.

        Called once for each command, before the host's handle is looked at. Returns what was done, in words; empty if
        nothing was.
        """
        ...

    def transmit(self, reader: Reader_contra, command: bytes, card: PoweredCard) -> tuple[bytes, str]:
        """Gets the card's answer, or another one; and why it is another one, in words.

        With the card's turn: the card may be called, and ejected; the reader must not be asked to call it.
        """
        ...

    def after(self, reader: Reader_contra, command: bytes, response: bytes) -> None:
        """The card has answered, the host has not got it yet. Nobody has the card's turn.

        response: empty if there is none, whatever has kept it away. Must not raise.
        """
        ...

    def atr(self, reader: Reader_contra, atr: bytes) -> bytes:
        """The card has answered to reset; what the reader takes for its ATR."""
        ...
