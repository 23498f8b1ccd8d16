"""vsc.host.find: which application a card has."""

from collections.abc import Callable
from typing import Self

import pytest

from tests.unit.vsc.host.cards import Double, new_card
from vsc.errors import CardRemoved, NoApplication, UnsupportedCard
from vsc.host import Connection, DirectConnection, Gids, find


class Other(Gids):
    """Has another application, which no card here has."""

    @classmethod
    def connect(cls, connection: Connection, *, random: Callable[[int], bytes] = bytes) -> Self:
        connection.transmit(bytes.fromhex("00A4040005F000000001"))
        raise NoApplication("other", 0x6A82)


class Ended(Gids):
    @classmethod
    def connect(cls, connection: Connection, *, random: Callable[[int], bytes] = bytes) -> Self:
        raise UnsupportedCard("the application is terminated")


class Lost(Gids):
    @classmethod
    def connect(cls, connection: Connection, *, random: Callable[[int], bytes] = bytes) -> Self:
        raise CardRemoved("gone")


class Empty(Double):
    def transmit(self, command: bytes) -> bytes:
        return bytes.fromhex("6A82")


def test_the_first_that_the_card_has() -> None:
    connection = DirectConnection(new_card())
    assert type(find(connection, [Other, Gids])) is Gids
    assert type(find(connection, [Gids, Other])) is Gids


def test_none_that_the_card_has() -> None:
    connection = DirectConnection(Empty())
    with pytest.raises(UnsupportedCard, match=r"^there is no GIDS application on this card \(6A82\)$"):
        find(connection, [Gids])
    with pytest.raises(UnsupportedCard, match=r"no application on this card that is known here: GIDS, other$"):
        find(connection, [Gids, Other])
    with pytest.raises(UnsupportedCard, match=r"none is$"):
        find(connection, [])


def test_one_that_is_of_no_use_says_more_than_one_that_is_not_there() -> None:
    with pytest.raises(UnsupportedCard, match="terminated"):
        find(DirectConnection(Empty()), [Other, Ended])


def test_a_lost_card_is_not_asked_on() -> None:
    with pytest.raises(CardRemoved):
        find(DirectConnection(new_card()), [Lost, Gids])
