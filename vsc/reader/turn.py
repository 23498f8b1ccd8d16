"""A card's stay in a reader, and whose turn it is to call the card, wherever it is."""

import threading
from weakref import WeakValueDictionary, ref

from vpcd_bridge.port import PoweredCard
from vsc.reader.errors import CardRemovedError, ReaderBusyError, ReaderError


class Insertion:
    """One stay of one card in one reader. Guarded by the reader's state lock."""

    def __init__(self, turn: "Turn", reader_name: str, reader: object) -> None:
        self.turn = turn
        self.reader_name = reader_name
        self.reader = reader
        """Stands for the reader, and does not keep it alive: a card whose reader is forgotten is free again."""
        self.number = 0
        self.atr = b""
        self.is_powered = False
        self.resets = 0


class Turn:
    """A card, where it is, and whose turn it is to call it."""

    def __init__(self, card: PoweredCard) -> None:
        self.card = card
        self._changed = threading.Condition(threading.RLock())
        self._place: ref[Insertion] | None = None
        self._thread: int | None = None

    @property
    def is_taken_here(self) -> bool:
        return self._thread == threading.get_ident() or is_owned(self._changed)

    def enter(self, new: Insertion, *, again: bool) -> None:
        """Takes the turn, once it is free, for a card on its way into a reader. again: it may be in that reader."""
        with self._changed:
            while self._thread is not None:
                self._wait()
            place = self._where()
            if place is not None and place.reader is not new.reader:
                raise ReaderError(f"the card is in {place.reader_name!r}; it can be in one reader only")
            if place is not None and not again:
                raise ReaderBusyError(f"the card is in {place.reader_name!r} already")
            self._place = ref(new)
            self._thread = threading.get_ident()

    def begin(self, inserted: Insertion) -> None:
        """Takes the turn; CardRemovedError as soon as the card has left."""
        with self._changed:
            while self._thread is not None and self._where() is inserted:
                self._wait()
            if self._where() is not inserted:
                raise CardRemovedError(f"the card was taken out of {inserted.reader_name!r}")
            self._thread = threading.get_ident()

    def part(self, old: Insertion) -> bool:
        """The card leaves. True: nobody calls it, and the turn is the caller's, to be ended."""
        with self._changed:
            if self._where() is not old:
                return False  # On its way in again: it is a swap with itself.
            self._place = None
            self._changed.notify_all()
            if self._thread is not None:
                return False
            self._thread = threading.get_ident()
            return True

    def end(self, inserted: Insertion) -> bool:
        """Ends the turn. True: the card has left since, and has been powered off."""
        with self._changed:
            if self._where() is inserted:
                self._free()
                return False
        try:
            self.card.power_off()
        finally:
            with self._changed:
                self._free()
        return True

    def _where(self) -> Insertion | None:
        return self._place() if self._place is not None else None

    def _free(self) -> None:
        self._thread = None
        self._changed.notify_all()

    def _wait(self) -> None:
        if self._thread == threading.get_ident():
            raise ReaderError("a card cannot be used or inserted by a command of its own that runs")
        self._changed.wait()


def is_owned(condition: threading.Condition) -> bool:
    """Whether this thread has it."""
    return bool(condition._is_owned())  # type: ignore[attr-defined]


_turns: WeakValueDictionary[int, Turn] = WeakValueDictionary()
"""By the identity of the card. A turn lives while its card is in a reader or computes, and keeps the card."""
_turns_lock = threading.Lock()


def turn_of(card: PoweredCard) -> Turn:
    """Returns the one turn of that card."""
    with _turns_lock:
        turn = _turns.get(id(card))
        if turn is None:
            turn = _turns[id(card)] = Turn(card)
        return turn
