"""What this package must know of a card: five names, and nothing else.

Anything with these members can be put on the wire: a card of card_os, a slot of a reader, a double in a test.
The port is written down here, on the wire's side, so that neither package needs to import the other.
"""

from typing import Protocol


class PoweredCard(Protocol):
    """A card seen through its contacts. Calls come one at a time, from the thread that runs the bridge."""

    @property
    def atr(self) -> bytes:
        """The answer to reset, 2 to 33 bytes (ISO/IEC 7816-3). Asked for while unpowered, too."""
        ...

    def power_on(self) -> bytes:
        """Gives power; returns the ATR. On a powered card it acts as `reset` does."""
        ...

    def power_off(self) -> None:
        """Takes power away; whatever a reset forgets is forgotten. Harmless on an unpowered card."""
        ...

    def reset(self) -> bytes:
        """Resets a powered card (warm reset); returns the ATR."""
        ...

    def transmit(self, command: bytes) -> bytes:
        """Answers one C-APDU with one R-APDU.

        command: 2 to 65 535 bytes, malformed ones included (2 and 3 bytes arrive as well).
        Returns data and SW, 2 to 65 535 bytes; an error of the card is a status word, not an exception.
        """
        ...
