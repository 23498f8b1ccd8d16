"""Data objects: found, written, deleted and emptied, whatever the card makes of an empty PUT DATA."""

import pytest

from tests.unit.vsc.host.cards import Double, LikeTheApplet, Refusing, Script, Wrapped, new_card
from tests.unit.vsc.samples import VERIFY
from vsc.errors import AuthenticationRequired, UnexpectedStatus, VscError
from vsc.host import DirectConnection
from vsc.host.exchange import Exchange
from vsc.host.gids.objects import Objects

PLACE = (0xA010, 0xDF24)


def objects(card: Double) -> Objects:
    connection = DirectConnection(card)
    connection.transmit(bytes.fromhex(VERIFY))
    return Objects(Exchange(connection))


@pytest.fixture(params=[Wrapped, LikeTheApplet])
def card(request: pytest.FixtureRequest) -> Objects:
    return objects(request.param(new_card()))


@pytest.mark.parametrize("size", [1, 127, 128, 250, 255, 256, 1000])
def test_what_is_written_is_found(card: Objects, size: int) -> None:
    assert card.find(PLACE) is None
    card.put(PLACE, b"\x01" * size)
    assert card.find(PLACE) == b"\x01" * size
    card.put(PLACE, b"\x02")
    assert card.find(PLACE) == b"\x02"


def test_a_file_that_is_not_there_has_no_objects(card: Objects) -> None:
    assert card.find((0xA099, 0xDF24)) is None
    assert card.tags(0xA099) == frozenset()


@pytest.mark.parametrize("before", [None, b"", b"x"])
def test_deleting_and_emptying(card: Objects, before: bytes | None) -> None:
    if before is not None:
        card.put(PLACE, before)
    card.empty(PLACE)
    assert card.find(PLACE) == b""
    card.empty(PLACE)
    if before is not None:
        card.put(PLACE, before or b"x")
    card.delete(PLACE)
    assert card.find(PLACE) is None
    card.delete(PLACE)


def test_the_tags_of_a_file(card: Objects) -> None:
    assert card.tags(0xA010) == {0xDF21, 0xDF22, 0xDF23}
    assert card.tags(0xA012) == {0xDF20}


def test_objects_that_may_not_be_read_or_written() -> None:
    card = new_card()
    found = Objects(Exchange(DirectConnection(card)))
    with pytest.raises(AuthenticationRequired, match="reading data object DF24 of file A014 needs the PIN"):
        found.find((0xA014, 0xDF24))
    with pytest.raises(AuthenticationRequired, match="writing data object DF24 of file A010"):
        found.put(PLACE, b"x")
    assert found.tags(0xA014) == frozenset()


def test_an_object_nobody_may_read_loses_its_content() -> None:
    card = new_card()
    found = objects(Wrapped(card))
    found.put((0xA011, 0xDF24), b"secret")
    found.delete((0xA011, 0xDF24))
    with pytest.raises(UnexpectedStatus):
        objects(Refusing(card, ("00CB", "6F00"))).find(PLACE)


def test_a_card_that_keeps_what_it_should_delete() -> None:
    card = new_card()
    objects(Wrapped(card)).put(PLACE, b"x")
    stubborn = objects(Refusing(card, ("00DB", "9000")))
    with pytest.raises(VscError, match="does not let go of data object DF24 of file A010"):
        stubborn.delete(PLACE)
    with pytest.raises(VscError, match="does not empty"):
        stubborn.empty(PLACE)


@pytest.mark.parametrize("answer", ["DF24029000", "FFFFFF9000"])
def test_an_answer_that_is_no_object(answer: str) -> None:
    with pytest.raises(VscError, match="no data object"):
        Objects(Exchange(DirectConnection(Script(("00CBA010045C02DF2400", answer))))).find(PLACE)


def test_an_object_is_found_anywhere_in_the_answer() -> None:
    script = Script(("00CBA010045C02DF2400", "DF2300DF240101" + "9000"))
    assert Objects(Exchange(DirectConnection(script))).find(PLACE) == b"\x01"


@pytest.mark.parametrize("answer", ["5C01DF9000", "DF24029000"])
def test_a_list_of_tags_that_is_none(answer: str) -> None:
    script = Script(("00CBA010035C015C00", answer))
    assert Objects(Exchange(DirectConnection(script))).tags(0xA010) == frozenset()
