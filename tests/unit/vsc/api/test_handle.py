"""vsc.api.handle: what a handle holds, and when."""

from collections.abc import Iterator

import pytest

import vsc
from tests.unit.vsc import samples
from vsc import CardInUseError, VirtualCard
from vsc.machine import InProcessMachine, use
from vsc.reader import Reader
from vsc.store.memory import MemoryStore

PIN = "24681357"


@pytest.fixture
def machine() -> Iterator[InProcessMachine]:
    machine = InProcessMachine(MemoryStore(), pcsc=False)
    with use(machine):
        yield machine
    machine.close()


@pytest.fixture
def card(machine: InProcessMachine) -> VirtualCard:
    return vsc.create("work", pin=PIN, admin_key=samples.ADMIN_KEY)


def is_free(card: VirtualCard) -> bool:
    try:
        with card.store.open(card.name):
            return True
    except CardInUseError:
        return False


def test_outside_a_block_it_holds_nothing(card: VirtualCard) -> None:
    card.verify_pin(PIN)
    assert is_free(card)
    assert card.reader is None
    assert repr(card) == "<VirtualCard 'work'>"


def test_inside_one_it_holds_the_card_in_a_reader_of_its_own(card: VirtualCard) -> None:
    with card:
        assert not is_free(card)
        assert isinstance(card.reader, Reader)
        with pytest.raises(CardInUseError, match="open already, by this very handle"), card:
            pass
        assert not is_free(card)
    assert is_free(card)
    card.close()


def test_what_was_verified_stays_in_a_block_and_nowhere_else(card: VirtualCard, machine: InProcessMachine) -> None:
    reader = machine.plug("work")
    with reader.connect() as other:
        with card:
            card.verify_pin(PIN)
            assert other.transmit(bytes.fromhex(samples.PIN_STATUS)) == b"\x90\x00"
        assert other.transmit(bytes.fromhex(samples.PIN_STATUS))[0] == 0x63
        card.verify_pin(PIN)
        assert other.transmit(bytes.fromhex(samples.PIN_STATUS))[0] == 0x63


def test_an_operation_that_fails_leaves_nothing_proved(card: VirtualCard, machine: InProcessMachine) -> None:
    reader = machine.plug("work")
    with reader.connect() as other, pytest.raises(ValueError, match="new: 24 bytes"):
        card.change_admin_key(new=b"short", admin_key=samples.ADMIN_KEY)
    with reader.connect() as other:
        assert other.transmit(bytes.fromhex(samples.PIN_STATUS))[0] == 0x63


def test_closing_voids_an_open_challenge(card: VirtualCard) -> None:
    with card:
        challenge = card.challenge()
    assert is_free(card)
    with pytest.raises(vsc.ChallengeUsed):
        challenge.verify(bytes(8))
