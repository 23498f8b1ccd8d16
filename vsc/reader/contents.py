"""Whatever card is in a reader, seen as one card."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vsc.reader.reader import Reader


class Contents:
    """A reader's card as a PoweredCard."""

    def __init__(self, reader: "Reader", insertion: int | None) -> None:
        self._reader = reader
        self._insertion = insertion

    @property
    def atr(self) -> bytes:
        return self._reader.atr_of(self._insertion)

    def power_on(self) -> bytes:
        return self._reader.power_on(insertion=self._insertion)

    def power_off(self) -> None:
        self._reader.power_off(insertion=self._insertion)

    def reset(self) -> bytes:
        return self._reader.reset(insertion=self._insertion)

    def transmit(self, command: bytes) -> bytes:
        return self._reader.transmit(command, insertion=self._insertion)
