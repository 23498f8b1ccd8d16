"""vsc.serving.owned_desk: what an owner can call, here in the same process."""

from collections.abc import Iterator

import pytest

from vsc.errors import CardRemoved
from vsc.pcsc import PcscError, Service
from vsc.serving.owned_desk import CALLS, OwnedDesk
from vsc.serving.travel import unpacked
from vsc.testing import SoftCard

SELECT = bytes.fromhex("00A4040009A00000039742544659")


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def desk(service: Service) -> Iterator[OwnedDesk]:
    with OwnedDesk(service) as desk:
        yield desk


def test_no_call_is_private() -> None:
    assert all(not name.startswith("_") for name in CALLS)
    assert {"add", "reader", "card", "inject", "close"} < CALLS
    assert not {"plug", "insert", "readers", "add_new_card"} & CALLS, (
        "what the desk of `vsc run` does goes by its verbs"
    )


def test_a_reader_comes_and_goes(desk: OwnedDesk, service: Service) -> None:
    slot = desk.add("One")
    assert [reader.name for reader in service.readers] == [reader.name for reader in desk.readers] == ["One"]
    with pytest.raises(PcscError, match="'One' already"):
        desk.add("One")
    desk.remove(slot)
    assert (service.readers, desk.readers) == ((), [])
    desk.close([slot])
    desk.forget([slot], [])
    with pytest.raises(KeyError):
        desk.look(slot)


def test_cards_have_numbers(desk: OwnedDesk) -> None:
    slot, card, twin = desk.add("One"), SoftCard.make(), SoftCard.make()
    desk.lay(7, card)
    desk.reader(slot, "insert", 7)
    desk.lay(7, twin)  # It is in a reader: it stays the one that it is.
    assert desk.look(slot).card == 7
    assert desk.reader(slot, "eject") == 7
    desk.lay(7, twin)
    assert desk.card(7, "transmit", SELECT) == twin.transmit(SELECT)
    assert desk.state(7) == [(one.aid, one.encode(twin.persistent.state(one.aid))) for one in twin.profile.applications]
    stranger = SoftCard.make()
    desk.readers[0].insert(stranger)
    assert desk.look(slot).card == -1 == desk.look(slot).card
    desk.forget([], [7])
    with pytest.raises(KeyError):
        desk.outcome(7)


def test_a_reader_does_for_its_owner_what_it_is_asked_by_name(desk: OwnedDesk) -> None:
    slot = desk.add("One")
    with pytest.raises(CardRemoved):
        desk.reader(slot, "transmit", SELECT)
    for name in ("subscribe", "__init__", "name"):
        with pytest.raises(AttributeError):
            desk.reader(slot, name)


class BadCard:
    atr = bytes.fromhex("3B00")

    def power_on(self) -> bytes:
        return self.atr

    def power_off(self) -> None:
        pass

    def reset(self) -> bytes:
        return self.atr

    def transmit(self, command: bytes) -> bytes:
        raise ZeroDivisionError(f"bug {command!r}")


def test_bugs_are_numbered(desk: OwnedDesk, service: Service) -> None:
    assert desk.bugs(0) == []
    for text in ("one", "two"):
        service._engine.fault(ZeroDivisionError(text))
    told = desk.bugs(0)
    assert [number for number, _ in told] == [1, 2]
    assert [str(unpacked(bug).again()) for _, bug in told] == ["one", "two"]
    service._engine.fault(ZeroDivisionError("three"))
    assert [number for number, _ in desk.bugs(2)] == [3]
    for number in range(200):
        service._engine.fault(ZeroDivisionError(str(number)))
    assert [number for number, _ in desk.bugs(0)][-1] == 103, "of very many the last hundred"


def test_all_is_taken_away_whatever_a_card_raises(desk: OwnedDesk, service: Service) -> None:
    slots = [desk.add(name) for name in ("One", "Two")]

    class Stuck(BadCard):
        is_in = False

        def power_off(self) -> None:
            if self.is_in:
                raise ZeroDivisionError("a bug of the card")

    stuck = Stuck()
    desk.lay(1, stuck)
    desk.reader(slots[1], "insert", 1)
    stuck.is_in = True
    with pytest.raises(ZeroDivisionError):
        desk.close(slots)
    assert service.readers == ()
