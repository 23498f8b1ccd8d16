"""vsc.testing.card: cards in memory."""

import uuid

import pytest

import vsc
from vsc.errors import VscError
from vsc.reader import Reader
from vsc.testing import SoftCard


def test_a_card_is_what_it_was_asked_to_be() -> None:
    identity = uuid.uuid4()
    card = SoftCard.make(pin="24681357", admin_key=bytes(24), tries=3, puk="87654321", card_id=identity)
    host = card.gids()
    host.verify_pin(b"24681357")
    assert host.card_id() == identity
    assert (card.pin, card.admin_key, card.puk) == ("24681357", bytes(24), "87654321")
    assert "24681357" not in repr(card)


def test_a_seeded_card_is_the_same_every_time() -> None:
    one, other = SoftCard.make(seed=7), SoftCard.make(seed=7)
    for card in (one, other):
        card.gids().verify_pin(b"12345678")
    assert one.persistent == other.persistent
    assert one.persistent != SoftCard.make(seed=8).persistent


def test_it_says_why_it_refused() -> None:
    card = SoftCard.make()
    assert card.why == ""
    card.transmit(bytes.fromhex("00CBA014045C02DF2000"))
    assert card.why == "EF A014: GET is not allowed (missing: admin key; verified: nothing)"


def test_it_fits_into_a_reader() -> None:
    reader, card = Reader(), SoftCard.make()
    reader.insert(card)
    assert reader.card is card
    assert reader.power_on() == card.atr


def test_a_blank_card_has_nothing_on_it() -> None:
    card = SoftCard.make_blank()
    assert (card.pin, card.admin_key) == (None, None)


def test_what_cannot_be_made_is_said_at_once() -> None:
    with pytest.raises(vsc.PinPolicyViolation):
        SoftCard.make(pin="12", policy=vsc.PinPolicy())
    with pytest.raises(VscError, match="no profile 'x'; there is: gids"):
        SoftCard.make("x")
