"""This process as a machine: cards of the store in readers of this process, and the readers of PC/SC beside them."""

import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from vsc.errors import CardInUseError, CardNotFoundError
from vsc.factory import home_store
from vsc.machine.herald import Herald
from vsc.machine.left_open import closes_at_exit
from vsc.machine.own import OwnReader, follow
from vsc.machine.pcsc import UNKNOWN, Description
from vsc.machine.pcsc_readers import PcscReaders
from vsc.machine.plugged import PluggedCard
from vsc.machine.port import MachineReader, ReaderKind, Watcher
from vsc.reader import free_name
from vsc.store import Store

if TYPE_CHECKING:
    from vsc.pcsc import Service


class InProcessMachine:
    """Readers of this process, one for each card that is plugged in, and those that PC/SC has.

    store: where the cards are; None: the one that VSC_HOME names at the time.
    pcsc: whether readers of PC/SC belong to it, too. True: NoPcscError if there is no PC/SC; None: if there is one.
    service: a private PC/SC that has our readers, too, while they are plugged in; other programs that use it see them.

    A reader of PC/SC that has the name of one of ours is ours, seen from outside, and listed once.
    """

    def __init__(
        self,
        store: Store | None = None,
        *,
        pcsc: bool | None = None,
        service: "Service | None" = None,
    ) -> None:
        self._store = store
        self._service = service
        self._lock = threading.RLock()
        self._plugged: dict[OwnReader, PluggedCard] = {}
        self._card_names: dict[str, str] = {}
        """The cards that are plugged in, by their readers' names. Read without the lock."""
        self._following: dict[OwnReader, Callable[[], None]] = {}
        self._is_watched = False
        self._herald = Herald(self._look)
        self._pcsc: PcscReaders | None = None
        if pcsc is not False:
            self._pcsc = PcscReaders(self._herald, describe=self._describe, is_own=self._is_own, must=bool(pcsc))
            self._pcsc.names()
        closes_at_exit(self)

    @property
    def store(self) -> Store:
        return self._store if self._store is not None else home_store()

    def readers(self) -> tuple[MachineReader, ...]:
        others: tuple[MachineReader, ...] = self._pcsc.readers() if self._pcsc is not None else ()
        with self._lock:
            return (*self._plugged, *others)

    def plug(self, card_name: str) -> MachineReader:
        with self._lock, ExitStack() as undo:
            if card_name in self._card_names.values():
                raise CardInUseError(f"card {card_name!r} is plugged in already")
            card = PluggedCard(card_name, store=self.store, reader_name=free_name(self._names()))
            undo.callback(card.give_back)
            reader = OwnReader(card.reader, card_name=card_name, herald=self._herald)
            self._card_names[reader.name] = card_name
            undo.callback(self._card_names.pop, reader.name)
            if self._service is not None:
                self._service.add_reader(card.reader)
                undo.callback(self._service.remove_reader, card.reader)
            shown = self._shown(reader)
            self._plugged[reader] = card
            undo.pop_all()
            return shown

    def unplug(self, card_name: str) -> None:
        with self._lock:
            reader = next((reader for reader in self._plugged if reader.card_name == card_name), None)
            if reader is None:
                raise CardNotFoundError(f"card {card_name!r} is not plugged in")
            self._take_away(reader)

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        return self._herald.watch(watcher)

    def close(self) -> None:
        # The lock is not held while watchers end: they may ask for it.
        with ExitStack() as undo:
            if self._pcsc is not None:
                undo.callback(self._pcsc.close)
            undo.callback(self._herald.close)
            with self._lock:
                for reader in tuple(self._plugged):
                    self._take_away(reader)

    def _names(self) -> set[str]:
        names = set(self._card_names)
        if self._service is not None:
            names.update(reader.name for reader in self._service.readers)
        if self._pcsc is not None:
            names.update(self._pcsc.names())
        return names

    def _shown(self, reader: OwnReader) -> MachineReader:
        """Has a new reader seen by those who watch, and returns it as users see it."""
        if self._is_watched:
            self._following[reader] = follow(reader, self._herald)
        return reader

    def _take_away(self, reader: OwnReader) -> None:
        card = self._plugged.pop(reader)
        reader.unplug()
        if reader in self._following:
            self._following.pop(reader)()
        if self._service is not None:
            self._service.remove_reader(card.reader)
            if self._pcsc is not None:
                self._pcsc.look_again()  # While the name is still known for ours.
        del self._card_names[reader.name]
        card.give_back()

    # --- what PC/SC shows; called by its thread, and therefore without the lock

    def _is_own(self, name: str) -> bool:
        return name in self._card_names

    def _describe(self, name: str) -> Description:
        card_name = self._card_names.get(name)
        return UNKNOWN if card_name is None else Description(ReaderKind.VIRTUAL, card_name)

    def _look(self, herald: Herald) -> Callable[[], None]:
        with self._lock:
            self._is_watched = True
            for reader in self._plugged:
                self._following[reader] = follow(reader, herald)
        end_pcsc = self._pcsc.start() if self._pcsc is not None else None

        def end() -> None:
            with self._lock:
                self._is_watched = False
                following = list(self._following.values())
                self._following.clear()
            for end_one in following:
                end_one()
            if end_pcsc is not None:
                end_pcsc()

        return end
