"""A card of a store in a reader of its own: opened, plugged in, and given back when it is unplugged."""

from collections.abc import Callable
from contextlib import ExitStack

from vpcd_bridge.port import PoweredCard
from vsc.factory import powered
from vsc.reader import Reader
from vsc.store import Store


class PluggedCard:
    """Opens a card for this process and puts it into a new reader.

    wrap: put round the card on its way in. CardNotFoundError, ImageError, CardInUseError.
    """

    def __init__(
        self,
        card_name: str,
        *,
        store: Store | None,
        reader_name: str,
        wrap: Callable[[PoweredCard], PoweredCard] = lambda card: card,
    ) -> None:
        self.card_name = card_name
        self._open = ExitStack()
        card = self._open.enter_context(powered(card_name, store=store))
        self.reader = Reader(reader_name)
        try:
            self.reader.insert(wrap(card))
        except BaseException:
            self._open.close()
            raise

    def give_back(self) -> None:
        """Takes the card out, at once, and gives it back to the store when it has ended what it was computing."""
        if self.reader.card is not None:
            card = self.reader.eject()
            # Who inserts a card waits for its last command, which may still save.
            last = Reader(self.reader.name)
            last.insert(card)
            last.eject()
        self._open.close()
