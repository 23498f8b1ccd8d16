"""The machines that `checks.py` is run with, each with what it takes to move cards behind its back."""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from vsc.factory import create
from vsc.machine import (
    CardStatus,
    Change,
    ChangeKind,
    InProcessMachine,
    Machine,
    MachineReader,
    ServedMachine,
    VpcdMachine,
    Watcher,
    current,
)
from vsc.machine.own import OwnReader
from vsc.machine.winscard import Context, scard
from vsc.pcsc import use_in_this_process
from vsc.reader import Reader
from vsc.serving.control import ask
from vsc.serving.owner import ServiceProcess
from vsc.store import Store
from vsc.store.memory import MemoryStore
from vsc.testing.served import ServedService

SELECT = bytes.fromhex("00A4040009A00000039742544659")
PIN = b"12345678"
WAIT_S = 20.0
CARDS = ("one", "two")


class Log:
    """What a watcher was told."""

    def __init__(self, watch: Callable[[Watcher], Callable[[], None]]) -> None:
        self.changes: list[Change] = []
        self.threads: set[str] = set()
        self._changed = threading.Condition()
        self.end = watch(self._hear)

    def _hear(self, change: Change) -> None:
        with self._changed:
            self.changes.append(change)
            self.threads.add(threading.current_thread().name)
            self._changed.notify_all()

    def wait_for(self, condition: Callable[["Log"], object]) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self), WAIT_S), self.changes[-6:]

    def cards(self) -> list[Change]:
        return [one for one in self.changes if one.kind in (ChangeKind.CARD_ADDED, ChangeKind.CARD_REMOVED)]

    def last_added(self) -> int | None:
        last = self.cards()[-1:]
        return last[0].insertion if last and last[0].kind is ChangeKind.CARD_ADDED else None

    def has(self, reader: MachineReader) -> bool:
        """Whether the reader is there, after all that was told."""
        told = [one.kind for one in self.changes if one.reader.name == reader.name]
        return bool(told) and told[-1] is not ChangeKind.READER_REMOVED

    def now(self, reader: MachineReader) -> int | None:
        """The insertion in that reader, after all that was told."""
        cards = [one for one in self.cards() if one.reader.name == reader.name]
        return cards[-1].insertion if cards and cards[-1].kind is ChangeKind.CARD_ADDED else None

    def check_alternation(self) -> None:
        """For each reader a card comes, goes, comes; and it is the one that came that goes."""
        present: dict[str, int | None] = {}
        for change in self.cards():
            was = present.get(change.reader.name)
            if change.kind is ChangeKind.CARD_ADDED:
                assert was is None, change
                present[change.reader.name] = change.insertion
            else:
                assert was == change.insertion, change
                present[change.reader.name] = None


class World:
    """A machine, and hands to move the cards in its readers."""

    is_seen_through_pcsc = True

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def slot(self, reader: MachineReader) -> Reader:
        raise NotImplementedError

    def eject(self, reader: MachineReader) -> None:
        self._card = self.slot(reader).eject()

    def insert(self, reader: MachineReader) -> None:
        self.slot(reader).insert(self._card)

    def swap(self, reader: MachineReader) -> None:
        card = self.slot(reader).card
        assert card is not None
        self.slot(reader).swap(card)

    def reset(self, reader: MachineReader) -> None:
        """As another PC/SC program does it."""
        with Context() as context:
            pcsc = scard()
            _, card, _ = pcsc.SCardConnect(context.handle, reader.name, pcsc.SCARD_SHARE_SHARED, 3)
            pcsc.SCardDisconnect(card, pcsc.SCARD_RESET_CARD)

    def check_card_status(self, reader: MachineReader, status: CardStatus) -> None:
        assert reader.card_status() is status

    def stop_service(self) -> None:
        raise NotImplementedError

    def start_service(self) -> None:
        raise NotImplementedError


class Direct(World):
    """In this process, without PC/SC."""

    is_seen_through_pcsc = False

    def slot(self, reader: MachineReader) -> Reader:
        assert isinstance(reader, OwnReader)
        return reader.slot

    def reset(self, reader: MachineReader) -> None:
        self.slot(reader).reset()


class Served(World):
    """Inside `vsc run`, whose own readers have cards already."""

    socket: Path | None = None

    def eject(self, reader: MachineReader) -> None:
        ask(self.socket, {"do": "eject", "what": reader.name})

    def insert(self, reader: MachineReader) -> None:
        ask(self.socket, {"do": "insert", "what": reader.name})

    def swap(self, reader: MachineReader) -> None:
        # The desk swaps for another card only.
        self.eject(reader)
        self.insert(reader)


class InService(Served):
    """With a private PC/SC service of this process, which is in a process of its own."""

    def __init__(self, machine: Machine, process: ServiceProcess) -> None:
        super().__init__(machine)
        self.socket = process.control_path
        self._process = process

    def stop_service(self) -> None:
        self._process.call("go_away")

    def start_service(self) -> None:
        self._process.call("come_back")


class Vpcd(World):
    """With a pcscd that has vpcd, whose ports this process can reach."""

    def slot(self, reader: MachineReader) -> Reader:
        assert isinstance(self.machine, VpcdMachine)
        return self.machine._held[reader.name].card.reader

    def eject(self, reader: MachineReader) -> None:
        super().eject(reader)
        # vpcd looks every 0.4 s, and misses what is quicker.
        self._wait(reader, False)

    def insert(self, reader: MachineReader) -> None:
        super().insert(reader)
        self._wait(reader, True)

    def swap(self, reader: MachineReader) -> None:
        self.eject(reader)
        self.insert(reader)

    def check_card_status(self, reader: MachineReader, status: CardStatus) -> None:
        # pcscd shows who uses a card up to 0.4 s late.
        assert isinstance(self.machine, VpcdMachine)
        assert self.machine._pcsc.pcsc.wait_for(lambda _: reader.card_status() is status, WAIT_S), reader.card_status()

    def stop_service(self) -> None:
        _tell("kill")

    def start_service(self) -> None:
        _tell("restart")

    def _wait(self, reader: MachineReader, present: bool) -> None:
        assert isinstance(self.machine, VpcdMachine)
        pcsc = self.machine._pcsc.pcsc
        assert pcsc.wait_for(lambda states: states[reader.name].is_present is present, WAIT_S)


def _tell(what: str) -> None:
    """Has the test do what is outside this process."""
    print(f"> {what}", flush=True)  # noqa: T201
    assert sys.stdin.readline() == "done\n"


def _filled(store: Store | None) -> Store | None:
    for name in CARDS:
        create(name, pin=PIN, store=store)
    return store


@contextmanager
def direct() -> Iterator[World]:
    yield Direct(InProcessMachine(_filled(MemoryStore()), pcsc=False))


@contextmanager
def _service() -> Iterator[ServiceProcess]:
    with ServiceProcess() as process:
        use_in_this_process(ServedService(process))
        yield process


@contextmanager
def beside_a_service() -> Iterator[World]:
    with _service() as process:
        process.call("add", "Foreign")
        yield Direct(InProcessMachine(_filled(MemoryStore()), pcsc=True))


@contextmanager
def through_a_service() -> Iterator[World]:
    _filled(None)
    with _service() as process:
        yield InService(ServedMachine(socket=process.control_path), process)


@contextmanager
def served() -> Iterator[World]:
    _filled(None)
    machine = current()
    assert isinstance(machine, ServedMachine)
    yield Served(machine)


@contextmanager
def vpcd() -> Iterator[World]:
    yield Vpcd(VpcdMachine(_filled(MemoryStore()), port=int(os.environ["VPCD_PORT"])))


WORLDS = {
    "direct": direct,
    "beside a service": beside_a_service,
    "through a service": through_a_service,
    "served": served,
    "vpcd": vpcd,
}
