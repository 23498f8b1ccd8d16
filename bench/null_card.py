"""The floor: a card that answers 9000 to everything. What a transport costs with it, it costs by itself."""


class NullCard:
    """A card with the five members that a bridge needs, and nothing behind them."""

    atr = bytes.fromhex("3B8D0180FBA000000397425446590201C9")

    def power_on(self) -> bytes:
        return self.atr

    def power_off(self) -> None:
        return

    def reset(self) -> bytes:
        return self.atr

    def transmit(self, command: bytes) -> bytes:
        return b"\x90\x00"
