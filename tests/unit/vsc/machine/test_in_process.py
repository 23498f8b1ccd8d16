"""vsc.machine.in_process: cards of the store in readers of this process."""

import threading
from collections.abc import Iterator
from queue import SimpleQueue

import pytest

from vsc.errors import CardInUseError, CardNotFoundError, CardRemoved
from vsc.factory import create
from vsc.machine import Change, ChangeKind, InProcessMachine
from vsc.pcsc import PcscError, Service
from vsc.reader import Reader
from vsc.store import Store
from vsc.store.memory import MemoryStore

WAIT_S = 20
PIN = b"12345678"
SELECT = bytes.fromhex("00A4040009A00000039742544659")
VERIFY_WRONG = bytes.fromhex("00200080083131313131313131")


@pytest.fixture
def store() -> Store:
    store = MemoryStore()
    for name in ("one", "two"):
        create(name, pin=PIN, store=store)
    return store


@pytest.fixture
def machine(store: Store) -> Iterator[InProcessMachine]:
    machine = InProcessMachine(store, pcsc=False)
    yield machine
    machine.close()


def test_a_card_in_a_reader_of_its_own(machine: InProcessMachine, store: Store) -> None:
    assert machine.readers() == ()
    one, two = machine.plug("one"), machine.plug("two")
    assert [reader.name for reader in machine.readers()] == ["Virtual Smart Card 00 00", "Virtual Smart Card 01 00"]
    assert machine.readers() == (one, two)
    assert [reader.card_name for reader in machine.readers()] == ["one", "two"]
    with pytest.raises(CardInUseError), store.open("one"):
        pass
    machine.unplug("one")
    assert machine.readers() == (two,)
    with store.open("one"):
        pass
    assert machine.plug("one").name == "Virtual Smart Card 00 00"


def test_what_cannot_be(machine: InProcessMachine, store: Store) -> None:
    with pytest.raises(CardNotFoundError):
        machine.plug("nobody")
    with pytest.raises(CardNotFoundError):
        machine.unplug("one")
    machine.plug("one")
    with pytest.raises(CardInUseError):
        machine.plug("one")
    with store.open("two"), pytest.raises(CardInUseError):
        machine.plug("two")
    assert len(machine.readers()) == 1


def test_what_the_card_is_told_lasts(machine: InProcessMachine) -> None:
    reader = machine.plug("one")
    with reader.connect() as card:
        card.transmit(SELECT)
        assert card.transmit(VERIFY_WRONG) == b"\x63\xc4"
    machine.unplug("one")
    with machine.plug("one").connect() as card:
        card.transmit(SELECT)
        assert card.transmit(VERIFY_WRONG) == b"\x63\xc3"


def test_unplugging_ends_connections_at_once(machine: InProcessMachine) -> None:
    with machine.plug("one").connect() as card:
        machine.unplug("one")
        with pytest.raises(CardRemoved):
            card.transmit(SELECT)


def test_events_of_readers_and_cards(machine: InProcessMachine) -> None:
    heard: SimpleQueue[Change] = SimpleQueue()
    first = machine.plug("one")
    machine.watch(heard.put)
    second = machine.plug("two")
    machine.unplug("one")
    machine.close()
    changes = [heard.get(timeout=WAIT_S) for _ in range(8)]
    assert [(change.kind, change.reader, change.card_name) for change in changes] == [
        (ChangeKind.READER_ADDED, first, None),
        (ChangeKind.CARD_ADDED, first, "one"),
        (ChangeKind.READER_ADDED, second, None),
        (ChangeKind.CARD_ADDED, second, "two"),
        (ChangeKind.CARD_REMOVED, first, "one"),
        (ChangeKind.READER_REMOVED, first, None),
        (ChangeKind.CARD_REMOVED, second, "two"),
        (ChangeKind.READER_REMOVED, second, None),
    ]
    assert heard.empty()


def test_a_watcher_may_use_the_machine(machine: InProcessMachine) -> None:
    """Nothing that a watcher waits for is held while it runs."""
    done: SimpleQueue[int] = SimpleQueue()

    def watcher(change: Change) -> None:
        if change.kind is ChangeKind.CARD_ADDED and change.card_name == "one":
            with change.reader.connect(insertion=change.insertion) as card:
                card.transmit(SELECT)
            machine.plug("two")
            machine.unplug("one")
            done.put(len(machine.readers()))

    machine.watch(watcher)
    machine.plug("one")
    assert done.get(timeout=WAIT_S) == 1


def test_closing_unplugs_and_ends_threads(machine: InProcessMachine, store: Store) -> None:
    before = set(threading.enumerate())  # Those of other tests may have yet to end.
    machine.plug("one")
    machine.watch(lambda _: None)
    machine.close()
    machine.close()
    assert machine.readers() == ()
    with store.open("one"):
        pass
    assert not [thread for thread in set(threading.enumerate()) - before if thread.name.startswith("vsc-")]


def test_a_service_has_the_readers_while_they_are_plugged_in(store: Store) -> None:
    with_ours = Service([Reader("Virtual Smart Card 00 00")])
    machine = InProcessMachine(store, pcsc=False, service=with_ours)
    reader = machine.plug("one")
    assert reader.name == "Virtual Smart Card 01 00"
    assert [one.name for one in with_ours.readers] == ["Virtual Smart Card 00 00", "Virtual Smart Card 01 00"]
    machine.unplug("one")
    assert [one.name for one in with_ours.readers] == ["Virtual Smart Card 00 00"]


class _FullService(Service):
    def add_reader(self, reader: Reader) -> None:
        raise PcscError("no")


def test_a_card_that_cannot_be_plugged_in_is_given_back(store: Store) -> None:
    machine = InProcessMachine(store, pcsc=False, service=_FullService())
    for _ in range(2):
        with pytest.raises(PcscError):
            machine.plug("one")
    assert machine.readers() == ()
    with store.open("one"):
        pass
