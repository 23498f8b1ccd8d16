"""The card that stands in for "no card", where vpcd leaves no way to say so.

Listening mode only (server.py). There vpcd 3.3 must find somebody at both of a reader's ports, and an empty slot
has no form that survives, as tried with pcscd 1.9.9: hang up or answer the ATR with an empty frame, and pcscd
aborts at its next poll; do not answer, and pcscd never gets ready. What works is an answer that is no ATR.
34 bytes are one more than an ATR can have (pcsclite.h, MAX_ATR_SIZE), so vpcd refuses to power such a card,
and PC/SC shows it as what it then is: present and mute. Nobody can connect to it.
"""


class MuteCard:
    """A `PoweredCard` that never comes to life."""

    @property
    def atr(self) -> bytes:
        """34 bytes; the first is a true TS, in case anybody looks."""
        return b"\x3b" + bytes(33)

    def power_on(self) -> bytes:
        return self.atr

    def power_off(self) -> None:
        return

    def reset(self) -> bytes:
        return self.atr

    def transmit(self, command: bytes) -> bytes:
        """6F00; a program cannot get this far."""
        return b"\x6f\x00"
