"""A desk: readers that PC/SC clients see, and the cards that lie beside them.

`vsc run` and `vsc serve` have one each; `vsc insert`, `eject`, `swap` and `reset` act on it, and so do programs inside
(`vsc.machine.served`), which plug in and unplug readers, too. A card of the store is opened when it is first put into
a reader and stays ours until it is unplugged or the desk is cleared: no other process can take it.
"""

import threading
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from card_os.card import Card
from vpcd_bridge.port import PoweredCard
from vsc.errors import CardInUseError, CardNotFoundError, VscError
from vsc.factory import fresh, powered
from vsc.profiles import profile_of
from vsc.reader import Reader, free_name
from vsc.store import Store


class DeskError(VscError):
    """What was asked for does not fit what is on the desk."""


class Desk:
    """Readers in order, and the cards in and beside them, by name. Safe to use from several threads."""

    def __init__(self, *, store: Store | None = None) -> None:
        self.readers: list[Reader] = []
        self._store = store
        self._cards: dict[str, PoweredCard] = {}
        self._open: dict[str, ExitStack] = {}
        """What gives a card back to the store, by the card's name."""
        self._last: dict[str, str] = {}
        self._lock = threading.RLock()
        self._add: Callable[[Reader], None] = lambda _: None
        self._remove: Callable[[Reader], None] = lambda _: None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()

    def clear(self) -> None:
        """Takes every card out and gives it back to the store."""
        with self._lock, ExitStack() as undo:
            for stack in self._open.values():
                undo.push(stack)
            self._open.clear()
            for reader in self.readers:
                if reader.card is not None:
                    reader.eject()

    def show_in(self, *, add: Callable[[Reader], None], remove: Callable[[Reader], None]) -> None:
        """Has PC/SC clients see readers come and go from now on: `plug` calls `add`, `unplug` calls `remove`."""
        self._add, self._remove = add, remove

    def add_reader(self, name: str | None = None) -> Reader:
        """Adds an empty reader; without a name the next of `Virtual Smart Card 00 00`, `… 01 00` and so on."""
        reader = Reader(name or f"Virtual Smart Card {len(self.readers):02d} 00")
        if any(one.name == reader.name for one in self.readers):
            raise DeskError(f"there are two readers called {reader.name!r}")
        self.readers.append(reader)
        return reader

    def add_reader_for(self, card_name: str) -> Reader:
        """Adds an empty reader of the name under which that card's clients look for it, or of the usual one."""
        return self.add_reader(self._free_name(self._card(card_name)))

    def _free_name(self, card: PoweredCard) -> str:
        profile = profile_of(card) if isinstance(card, Card) else None
        taken = [one.name for one in self.readers]
        return free_name(taken, profile.reader_name) if profile and profile.reader_name else free_name(taken)

    def add_new_card(self, profile: str) -> str:
        """Makes a card in memory with the PIN 12345678 and the default admin key; returns its name, `new-1`, …"""
        name = f"new-{sum(one.startswith('new-') for one in self._cards) + 1}"
        self._cards[name] = fresh(profile)
        return name

    def insert(self, what: str, reader_name: str | None = None) -> str:
        """Puts a card into a reader: `what` names the card, or a reader to put back what was last in it.

        Without `reader_name`: the first empty reader. Returns the reader's name.
        """
        with self._lock:
            if self._find_reader(what) is not None:
                what, reader_name = self._last_card_of(what), what
            if (there := self._holder_of(what)) is not None:
                raise DeskError(f"card {what!r} is in reader {there.name!r} already")
            card = self._card(what)
            reader = self._empty_reader(reader_name)
            reader.insert(card)
            self._last[reader.name] = what
            return reader.name

    def eject(self, what: str) -> str:
        """Takes a card out: `what` names the card or its reader. Returns the reader's name."""
        with self._lock:
            reader = self._occupied(what)
            reader.eject()
            return reader.name

    def swap(self, what: str, card_name: str) -> str:
        """Takes a card out and puts another one in, with nothing in between. Returns the reader's name."""
        with self._lock:
            reader = self._occupied(what)
            if (there := self._holder_of(card_name)) is not None:
                raise DeskError(f"card {card_name!r} is in reader {there.name!r} already")
            reader.swap(self._card(card_name))
            self._last[reader.name] = card_name
            return reader.name

    def reset(self, what: str, *, cold: bool = False) -> str:
        """Resets a card, warm or cold: `what` names the card or its reader. Returns the reader's name."""
        with self._lock:
            reader = self._occupied(what)
            reader.reset(warm=not cold)
            return reader.name

    def plug(self, card_name: str) -> str:
        """Adds a reader with that card of the store in it. Returns the reader's name. CardInUseError."""
        with self._lock:
            if (there := self._holder_of(card_name)) is not None:
                raise CardInUseError(f"card {card_name!r} is in reader {there.name!r} already")
            reader = Reader(self._free_name(self._card(card_name)))
            reader.insert(self._card(card_name))
            try:
                self._add(reader)
            except BaseException:
                reader.eject()
                raise
            self.readers.append(reader)
            self._last[reader.name] = card_name
            return reader.name

    def unplug(self, card_name: str) -> str:
        """Takes away the reader that the card is in, or was in last, and gives the card back to the store.

        Returns the reader's name. CardNotFoundError.
        """
        with self._lock:
            reader = self._holder_of(card_name) or self._empty_reader_of(card_name)
            if reader is None or card_name not in self._open:
                raise CardNotFoundError(f"card {card_name!r} is not plugged in")
            self._remove(reader)
            self.readers.remove(reader)
            card = self._cards.pop(card_name)
            if reader.card is not None:
                reader.eject()
            # Who inserts a card waits for its last command, which may still save.
            last = Reader()
            last.insert(card)
            last.eject()
            self._open.pop(card_name).close()
            return reader.name

    def contents(self) -> dict[str, str | None]:
        """The readers' names, each with the name of the card of the store that is in it."""
        with self._lock:
            names = {id(self._cards[name]): name for name in self._open}
            return {reader.name: names.get(id(reader.card)) for reader in self.readers}

    def _card(self, name: str) -> PoweredCard:
        if name not in self._cards:
            stack = ExitStack()
            self._cards[name] = stack.enter_context(powered(name, store=self._store))
            self._open[name] = stack
        return self._cards[name]

    def _empty_reader_of(self, card_name: str) -> Reader | None:
        return next((one for one in self.readers if one.card is None and self._last.get(one.name) == card_name), None)

    def _find_reader(self, name: str) -> Reader | None:
        return next((one for one in self.readers if one.name == name), None)

    def _holder_of(self, card_name: str) -> Reader | None:
        card = self._cards.get(card_name)
        return next((one for one in self.readers if card is not None and one.card is card), None)

    def _occupied(self, what: str) -> Reader:
        reader = self._find_reader(what) or self._holder_of(what)
        if reader is None:
            raise DeskError(f"there is no reader, and no card in a reader, called {what!r}")
        if reader.card is None:
            raise DeskError(f"reader {reader.name!r} is empty")
        return reader

    def _last_card_of(self, reader_name: str) -> str:
        if reader_name not in self._last:
            raise DeskError(f"no card has been in reader {reader_name!r}: say which card")
        return self._last[reader_name]

    def _empty_reader(self, name: str | None) -> Reader:
        if name is not None:
            reader = self._find_reader(name)
            if reader is None:
                raise DeskError(f"there is no reader called {name!r}")
            if reader.card is not None:
                raise DeskError(f"reader {name!r} has a card")
            return reader
        empty = next((one for one in self.readers if one.card is None), None)
        if empty is None:
            raise DeskError("there is no empty reader")
        return empty
