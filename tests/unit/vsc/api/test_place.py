"""vsc.api.place: where a handle finds its card."""

from collections.abc import Iterator

import pytest

import vsc
from tests.unit.vsc import samples
from vsc.api.place import InReader, InStore, is_same_store, plugged_in
from vsc.errors import CardInUseError, CardNotFoundError, CardRemoved
from vsc.machine import InProcessMachine, use
from vsc.machine.own import OwnReader
from vsc.reader import Reader
from vsc.store.memory import MemoryStore
from vsc.store.sqlite import SqliteStore


@pytest.fixture
def machine() -> Iterator[InProcessMachine]:
    machine = InProcessMachine(MemoryStore(), pcsc=False)
    with use(machine):
        vsc.create("work", pin=samples.PIN)
        yield machine
    machine.close()


def test_a_card_of_the_store_is_put_into_a_reader_of_its_own_and_given_back(machine: InProcessMachine) -> None:
    with InStore("work", machine.store).enter() as spot:
        assert spot.is_ours
        assert spot.reader.card_name == "work"
        assert spot.reader.insertion is not None
        with pytest.raises(CardInUseError), machine.store.open("work"):
            pass
    with pytest.raises(CardRemoved):
        InReader(spot.reader)
    with machine.store.open("work"):
        pass


def test_two_readers_of_its_own_have_two_names(machine: InProcessMachine) -> None:
    vsc.create("other", pin=samples.PIN)
    with InStore("work", machine.store).enter() as one, InStore("other", machine.store).enter() as other:
        assert one.reader.name != other.reader.name
    with InStore("other", machine.store).enter() as later:
        assert later.reader.name == one.reader.name


def test_a_card_that_is_plugged_in_is_found_there(machine: InProcessMachine) -> None:
    reader = machine.plug("work")
    with InStore("work", machine.store).enter() as spot:
        assert (spot.reader, spot.is_ours) == (reader, False)
        assert spot.insertion == reader.insertion
    assert plugged_in("work", machine.store) is reader
    assert plugged_in("other", machine.store) is None
    assert plugged_in("work", MemoryStore()) is None


def test_a_card_that_somebody_else_has_is_in_use(machine: InProcessMachine) -> None:
    with machine.store.open("work"), pytest.raises(CardInUseError), InStore("work", machine.store).enter():
        pass


def test_a_deleted_card_does_not_come_back_with_another_of_its_name(machine: InProcessMachine) -> None:
    place = InStore("work", machine.store)
    place.is_deleted = True
    with pytest.raises(CardNotFoundError, match="'work' was deleted"), place.enter():
        pass


def test_in_a_reader_it_is_the_card_that_is_in_now(machine: InProcessMachine) -> None:
    slot = Reader("Ours")
    with pytest.raises(CardRemoved, match="no card in 'Ours'"):
        InReader(OwnReader(slot, card_name="work"))
    reader = machine.plug("work")
    place = InReader(reader)
    met = reader.insertion
    machine.unplug("work")
    with place.enter() as spot:
        assert spot.insertion == met


def test_stores_are_the_same_by_their_folder(store: SqliteStore) -> None:
    memory = MemoryStore()
    assert is_same_store(memory, memory)
    assert not is_same_store(memory, MemoryStore())
    assert is_same_store(store, SqliteStore(store.folder))
    assert not is_same_store(store, memory)
