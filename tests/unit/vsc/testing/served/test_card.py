"""vsc.testing.served.card: a SoftCard in a reader there is as before; other objects come back as they have become."""

import os
import pickle
from pathlib import Path

import pytest

from tests.interop.need import require_module
from vsc.errors import VscError
from vsc.profiles import PROFILES
from vsc.serving.travel import TravelError
from vsc.testing import SoftCard, tear_everywhere
from vsc.testing.reader import VirtualReader
from vsc.testing.served import ServedReader

SELECT = bytes.fromhex("00A4040009A00000039742544659")
WRONG_PIN = bytes.fromhex("0020008008") + b"87654321"


def test_what_is_done_there_is_seen_here(reader: ServedReader) -> None:
    card = SoftCard.make(seed=1)
    before = card.snapshot()
    reader.insert(card)
    assert reader.card is card
    assert card.snapshot() == before
    reader.transmit(SELECT)
    reader.transmit(WRONG_PIN)
    assert card.why == "PIN: wrong value"
    assert str(card.diff(before)) == "PIN tries 5 -> 4"
    assert reader.eject() is card
    tries = card.gids().pin_tries()
    assert tries is not None
    assert tries.left == 4


def test_a_state_is_put_back_and_forked(reader: ServedReader) -> None:
    card = SoftCard.make(seed="there")
    twin = SoftCard.make(seed="there")
    reader.insert(card)
    before, copy = card.snapshot(), card.fork()
    reader.transmit(SELECT)
    reader.transmit(WRONG_PIN)
    assert (copy.snapshot() == before, card.snapshot() == before) == (True, False)
    card.restore(before)
    assert card.snapshot() == before
    assert card.env.random_bytes(8) == twin.env.random_bytes(8) == copy.env.random_bytes(8)
    with pytest.raises(ValueError, match="other applications"):
        card.card.restore(type(card.persistent)(()))


def test_a_card_that_was_there_goes_everywhere_else(reader: ServedReader) -> None:
    card = SoftCard.make()
    reader.insert(card)
    reader.eject()
    here = VirtualReader()
    here.insert(card)
    assert here.transmit(SELECT)[-2:] == b"\x90\x00"
    assert pickle.loads(pickle.dumps(card)).snapshot() == card.snapshot()
    assert tear_everywhere(lambda torn: torn.transmit(SELECT), card=card).commands == 1


@pytest.mark.parametrize("profile", PROFILES)
def test_cards_of_every_profile_travel(reader: ServedReader, profile: str) -> None:
    card = SoftCard.make(profile, seed=1)
    before = card.snapshot()
    reader.insert(card)
    assert reader.atr == card.atr == bytes(PROFILES[profile].atr)
    reader.power_on()
    assert card.snapshot() == before
    reader.eject()
    card.restore(before)
    assert card.fork().snapshot() == before


def test_a_card_that_is_torn_stays_here(reader: ServedReader) -> None:
    with pytest.raises(TravelError, match=r"torn cannot travel.*Lab\(in_this_process=False\)"):
        tear_everywhere(reader.insert)
    assert reader.card is None


class Counting(SoftCard):
    """A card that counts what it is asked."""

    asked = 0

    def transmit(self, command: bytes) -> bytes:
        self.asked += 1
        return super().transmit(command)


class Plain:
    """Any object that is a card."""

    atr = bytes.fromhex("3B00")

    def __init__(self) -> None:
        self.seen: list[bytes] = []

    def power_on(self) -> bytes:
        return self.atr

    def power_off(self) -> None:
        pass

    def reset(self) -> bytes:
        return self.atr

    def transmit(self, command: bytes) -> bytes:
        self.seen.append(command)
        if command == b"bug!":
            raise ZeroDivisionError("a bug of the card")
        return b"\x90\x00"


def test_other_objects_come_back_as_they_have_become(reader: ServedReader) -> None:
    plain, counting = Plain(), Counting.make()
    reader.insert(plain)
    assert reader.transmit(b"\0\0\0\0") == b"\x90\x00"
    assert (reader.card is plain, plain.seen) == (True, [])
    assert reader.swap(counting) is plain
    assert plain.seen == [b"\0\0\0\0"]
    reader.transmit(SELECT)
    assert reader.eject() is counting
    assert counting.asked == 1
    plain.seen.clear()
    reader.insert(plain)
    with pytest.raises(ZeroDivisionError, match="a bug of the card") as raised:
        reader.transmit(b"bug!")
    assert "transmit" in str(raised.value.__cause__)
    reader.close()
    assert plain.seen == [b"bug!"]


def test_an_object_of_a_class_that_only_this_process_has(reader: ServedReader) -> None:
    require_module("cloudpickle")

    class Local(Plain):
        pass

    card = Local()
    reader.insert(card)
    reader.transmit(b"\0\0\0\0")
    assert reader.eject() is card
    assert card.seen == [b"\0\0\0\0"]


def test_an_object_that_cannot_travel(reader: ServedReader, tmp_path: Path) -> None:
    card = Plain()
    with (tmp_path / "log").open("w") as log:
        card.log = log  # type: ignore[attr-defined]
        with pytest.raises(TravelError, match="cannot travel"):
            reader.insert(card)
    assert reader.card is None


def test_cards_that_nobody_has_any_more_are_forgotten(reader: ServedReader) -> None:
    card = SoftCard.make()
    reader.insert(card)
    number = reader._look().card
    reader.eject()
    reader._seen.clear()
    del card
    reader.insertions  # noqa: B018 - any call tells.
    with pytest.raises(KeyError):
        reader._process.call("card", number, "atr")
    assert os.getpid() != reader._process.pid
    with pytest.raises(VscError, match="there is no card"):
        reader.transmit(SELECT)
