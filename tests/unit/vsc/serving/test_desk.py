"""vsc.serving.desk: readers and the cards beside them."""

from pathlib import Path

import pytest

from vsc.errors import CardInUseError, CardNotFoundError, VscError
from vsc.factory import create
from vsc.reader import Reader
from vsc.serving.desk import Desk, DeskError
from vsc.store.sqlite import SqliteStore


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    store = SqliteStore(tmp_path / "cards")
    for name in ("work", "home"):
        create(name, pin=b"12345678", store=store)
    return store


@pytest.fixture
def desk(store: SqliteStore) -> Desk:
    return Desk(store=store)


def test_readers_are_named_like_those_of_pcscd(desk: Desk) -> None:
    assert [desk.add_reader().name for _ in range(2)] == ["Virtual Smart Card 00 00", "Virtual Smart Card 01 00"]
    assert desk.add_reader("Mine").name == "Mine"


def test_two_readers_of_one_name_are_refused(desk: Desk) -> None:
    desk.add_reader("Mine")
    with pytest.raises(DeskError, match="two readers called 'Mine'"):
        desk.add_reader("Mine")


def test_a_card_goes_into_the_first_empty_reader(desk: Desk) -> None:
    first, second = desk.add_reader(), desk.add_reader()
    assert desk.insert("work") == first.name
    assert desk.insert("home") == second.name
    with pytest.raises(DeskError, match="no empty reader"):
        desk.insert(desk.add_new_card("gids"))


def test_a_card_is_in_one_reader_only(desk: Desk) -> None:
    desk.add_reader()
    desk.add_reader("Other")
    desk.insert("work")
    with pytest.raises(DeskError, match="'work' is in reader"):
        desk.insert("work", "Other")
    desk.insert("home", "Other")
    with pytest.raises(DeskError, match="'work' is in reader"):
        desk.swap("home", "work")


def test_a_card_leaves_by_its_name_or_by_its_reader(desk: Desk) -> None:
    reader = desk.add_reader()
    desk.insert("work")
    assert desk.eject("work") == reader.name
    desk.insert("work")
    assert desk.eject(reader.name) == reader.name
    with pytest.raises(DeskError, match="is empty"):
        desk.eject(reader.name)


def test_a_reader_takes_back_what_was_last_in_it(desk: Desk) -> None:
    reader = desk.add_reader()
    with pytest.raises(DeskError, match="say which card"):
        desk.insert(reader.name)
    desk.insert("work")
    card = reader.card
    desk.eject("work")
    desk.insert(reader.name)
    assert reader.card is card


def test_a_swap_has_nothing_in_between(desk: Desk) -> None:
    reader = desk.add_reader()
    desk.insert("work")
    before = reader.atr
    assert desk.swap("work", "home") == reader.name
    assert desk.swap(reader.name, "work") == reader.name
    assert reader.atr == before
    assert [event.kind.name for event in reader.events] == ["INSERTED", "EJECTED", "INSERTED", "EJECTED", "INSERTED"]


@pytest.mark.parametrize(("cold", "kind"), [(False, "WARM_RESET"), (True, "COLD_RESET")])
def test_a_reset_is_warm_or_cold(desk: Desk, cold: bool, kind: str) -> None:
    reader = desk.add_reader()
    desk.insert("work")
    reader.power_on()
    desk.reset("work", cold=cold)
    assert kind in [event.kind.name for event in reader.events]


def test_what_is_not_there_is_said(desk: Desk) -> None:
    desk.add_reader()
    with pytest.raises(DeskError, match="called 'nobody'"):
        desk.eject("nobody")
    with pytest.raises(CardNotFoundError):
        desk.insert("nobody")
    with pytest.raises(DeskError, match="no reader called 'Other'"):
        desk.insert("work", "Other")
    with pytest.raises(VscError, match="no profile 'plastic'"):
        desk.add_new_card("plastic")


def test_a_full_reader_takes_no_second_card(desk: Desk) -> None:
    reader = desk.add_reader()
    desk.insert("work")
    with pytest.raises(DeskError, match="has a card"):
        desk.insert("home", reader.name)


def test_a_card_stays_ours_until_the_desk_is_cleared(desk: Desk, store: SqliteStore) -> None:
    desk.add_reader()
    with desk:
        desk.insert("work")
        desk.eject("work")
        with pytest.raises(CardInUseError), store.open("work"):
            pass
    with store.open("work"):
        pass


def test_new_cards_are_numbered(desk: Desk) -> None:
    assert [desk.add_new_card("gids") for _ in range(2)] == ["new-1", "new-2"]


class Shown:
    """What PC/SC clients see."""

    def __init__(self, desk: Desk) -> None:
        self.readers: list[str] = []
        desk.show_in(add=self._add, remove=lambda reader: self.readers.remove(reader.name))

    def _add(self, reader: Reader) -> None:
        assert reader.card is not None
        self.readers.append(reader.name)


def test_plugging_adds_a_reader_with_the_card_in_it(desk: Desk, store: SqliteStore) -> None:
    shown = Shown(desk)
    desk.add_reader("Mine")
    assert desk.plug("work") == "Virtual Smart Card 00 00"
    assert desk.plug("home") == "Virtual Smart Card 01 00"
    assert shown.readers == ["Virtual Smart Card 00 00", "Virtual Smart Card 01 00"]
    assert desk.contents() == {"Mine": None, "Virtual Smart Card 00 00": "work", "Virtual Smart Card 01 00": "home"}
    assert desk.unplug("work") == "Virtual Smart Card 00 00"
    assert shown.readers == ["Virtual Smart Card 01 00"]
    assert desk.contents() == {"Mine": None, "Virtual Smart Card 01 00": "home"}
    with store.open("work"):
        pass
    assert desk.plug("work") == "Virtual Smart Card 00 00"


def test_a_card_is_plugged_in_once(desk: Desk, store: SqliteStore) -> None:
    desk.add_reader()
    desk.insert("work")
    with pytest.raises(CardInUseError):
        desk.plug("work")
    with pytest.raises(CardNotFoundError):
        desk.plug("nobody")
    with store.open("home"), pytest.raises(CardInUseError):
        desk.plug("home")
    assert len(desk.readers) == 1


def test_unplugging_takes_the_reader_that_the_card_is_in_or_was_in_last(desk: Desk, store: SqliteStore) -> None:
    desk.add_reader("Mine")
    desk.insert("work")
    assert desk.unplug("work") == "Mine"
    desk.plug("home")
    desk.eject("home")
    assert desk.contents() == {"Virtual Smart Card 00 00": None}
    desk.unplug("home")
    assert desk.readers == []
    for name in ("work", "home"):
        with store.open(name):
            pass
        with pytest.raises(CardNotFoundError):
            desk.unplug(name)


def test_a_card_of_memory_is_not_unplugged_and_has_no_name_in_the_store(desk: Desk) -> None:
    desk.add_reader()
    desk.insert(desk.add_new_card("gids"))
    assert desk.contents() == {"Virtual Smart Card 00 00": None}
    with pytest.raises(CardNotFoundError):
        desk.unplug("new-1")


def test_a_reader_that_nobody_would_see_is_not_added(desk: Desk) -> None:
    def refuse(_: Reader) -> None:
        raise VscError("no")

    desk.show_in(add=refuse, remove=lambda _: None)
    with pytest.raises(VscError, match="no"):
        desk.plug("work")
    assert desk.readers == []
    Shown(desk)
    desk.plug("work")


def test_what_is_plugged_in_goes_with_the_desk(desk: Desk, store: SqliteStore) -> None:
    with desk:
        desk.plug("work")
    with store.open("work"):
        pass
