"""Whatever card is in a reader, seen as one card."""

from typing import Protocol


class Stays(Protocol):
    """A reader that is told which stay of a card is meant; None: of whatever card is in it."""

    def atr_of(self, insertion: int | None) -> bytes: ...

    def power_on(self, *, insertion: int | None) -> bytes: ...

    def power_off(self, *, insertion: int | None) -> None: ...

    def reset(self, *, insertion: int | None) -> bytes: ...

    def transmit(self, command: bytes, *, insertion: int | None) -> bytes: ...


class Contents:
    """A reader's card as a PoweredCard."""

    def __init__(self, reader: Stays, insertion: int | None) -> None:
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
