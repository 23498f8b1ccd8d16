"""A reader that is not ours beside ours, with a card that may not be ours, either; in this process."""

from collections.abc import Callable
from typing import Any

from tests.unit.vsc.host.cards import Double
from vsc.host.connection import Connection
from vsc.machine import InProcessMachine, MachineReader, ReaderKind
from vsc.machine.own import OwnReader
from vsc.machine.port import CardStatus, ReaderStatus, Watcher
from vsc.reader import Reader
from vsc.store import Store

NAME = "Foreign Reader 00 00"


class Powered:
    """A card of the tests of the host's half, as readers want it."""

    def __init__(self, card: Double) -> None:
        self.card = card
        self.atr = b""

    def power_on(self) -> bytes:
        self.atr = self.card.power_on()
        return self.atr

    reset = power_on

    def power_off(self) -> None:
        pass

    def transmit(self, command: bytes) -> bytes:
        return self.card.transmit(command)


class ForeignReader:
    """A reader of this process that says of itself what a physical one says."""

    kind = ReaderKind.PHYSICAL
    card_name = None

    def __init__(self, card: Any, name: str = NAME) -> None:
        slot = Reader(name)
        slot.insert(card)
        slot.power_on()
        self._own = OwnReader(slot)

    @property
    def name(self) -> str:
        return self._own.name

    @property
    def id(self) -> str:
        return self._own.id

    @property
    def insertion(self) -> int | None:
        return self._own.insertion

    @property
    def atr(self) -> bytes | None:
        return self._own.atr

    def status(self) -> ReaderStatus:
        return self._own.status()

    def card_status(self, insertion: int | None = None) -> CardStatus:
        return self._own.card_status(insertion)

    def connect(self, *, exclusive: bool = False, insertion: int | None = None) -> Connection:
        return self._own.connect(exclusive=exclusive, insertion=insertion)

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        return self._own.watch(watcher)


class Neighbourhood:
    """A machine with its own readers, and foreign ones beside them."""

    def __init__(self, machine: InProcessMachine, *others: MachineReader) -> None:
        self._machine = machine
        self._others = others

    @property
    def store(self) -> Store:
        return self._machine.store

    def readers(self) -> tuple[MachineReader, ...]:
        return (*self._machine.readers(), *self._others)

    def plug(self, card_name: str) -> MachineReader:
        return self._machine.plug(card_name)

    def unplug(self, card_name: str) -> None:
        self._machine.unplug(card_name)

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        return self._machine.watch(watcher)

    def close(self) -> None:
        self._machine.close()
