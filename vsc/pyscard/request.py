"""Readers and card requests, as pyscard's factories give them while readers are registered."""

from collections.abc import Sequence
from contextlib import suppress
from time import monotonic
from typing import Any, NoReturn

from vsc.pyscard.connection import Connection
from vsc.pyscard.failure import Failure
from vsc.pyscard.library import AbstractCardRequest, AbstractReader, pyscard
from vsc.pyscard.registry import registry
from vsc.reader import CardRemovedError, Reader


class InProcessReader(AbstractReader):  # type: ignore[misc]
    """What `smartcard.System.readers()` gives for a reader of this process."""

    def __init__(self, slot: Reader) -> None:
        super().__init__(slot.name)
        self._slot = slot

    def createConnection(self) -> Connection:
        return Connection(self._slot)

    @staticmethod
    def readers(groups: object = None) -> list["InProcessReader"]:
        """The registered ones. Groups play no part, as in PC/SC lite."""
        return [InProcessReader(reader) for reader in registry.readers]


_Card = tuple[Reader, int, bytes]
"""A card that is in: reader, insertion, ATR."""


class InProcessCardRequest(AbstractCardRequest):  # type: ignore[misc]
    """What `smartcard.CardRequest.CardRequest` asks while readers are registered. Nothing in it polls."""

    def __init__(
        self,
        newcardonly: bool = False,
        readers: Sequence[Any] | None = None,
        cardType: Any = None,
        cardServiceClass: Any = None,
        timeout: float | None = 1,
    ) -> None:
        super().__init__(newcardonly, readers, cardType, cardServiceClass, timeout)
        self._told: dict[Reader, int] | None = None

    def waitforcard(self) -> Any:
        """Returns the card service for the first card that matches, for a new one only if newcardonly was given."""
        deadline = self._deadline()
        ticks = registry.ticks
        known = {reader: reader.insertions for reader in registry.readers} if self.newcardonly else {}
        while True:  # Until there is a card, or time is up.
            for slot, insertion, atr in self._cards():
                reader = InProcessReader(slot)
                if insertion <= known.get(slot, 0) or not self.cardType.matches(list(atr), reader):
                    continue
                if self.cardServiceClass.supports("dummy"):  # As pyscard asks.
                    return self.cardServiceClass(reader.createConnection())
            if not registry.wait(ticks, deadline):
                _time_out()
            ticks = registry.ticks

    def waitforcardevent(self) -> list[Any]:
        """Waits until other cards are in than were told last, or readers come or go; returns those that are in.

        The first call does not wait. A card in the place of another is told in two calls, so that who compares them
        by ATR sees it.
        """
        deadline = self._deadline()
        blocks = list(registry.blocks)
        while True:  # Until there is an event, or time is up.
            ticks = registry.ticks
            cards = self._cards()
            if self._told is not None:
                told = self._told
                cards = [card for card in cards if told.get(card[0], card[1]) == card[1]]
            now = {reader: insertion for reader, insertion, _ in cards}
            if now != self._told or blocks != registry.blocks:
                self._told = now
                return [pyscard("Card").Card(reader.name, list(atr)) for reader, _, atr in cards]
            if not registry.wait(ticks, deadline):
                if not hasattr(pyscard("CardMonitoring"), "CardRequestTimeoutException"):
                    return [pyscard("Card").Card(reader.name, list(atr)) for reader, _, atr in cards]
                _time_out()

    def getReaderNames(self) -> list[str]:
        """Returns the names of those asked for, of all if none were named, that are registered."""
        return [reader.name for reader in self._readers()]

    def release(self) -> None:
        """Does nothing: there is no PC/SC context."""

    def _readers(self) -> list[Reader]:
        asked = None if self.readersAsked is None else {str(reader) for reader in self.readersAsked}
        return [reader for reader in registry.readers if asked is None or reader.name in asked]

    def _cards(self) -> list[_Card]:
        cards = []
        for reader in self._readers():
            insertion = reader.insertions
            with suppress(CardRemovedError):
                cards.append((reader, insertion, reader.atr_of(insertion)))
        return cards

    def _deadline(self) -> float | None:
        return None if self.timeout is None else monotonic() + self.timeout


def _time_out() -> NoReturn:
    raise pyscard("Exceptions").CardRequestTimeoutException(Failure.E_TIMEOUT.code)
