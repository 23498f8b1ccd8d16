"""vsc.faults.selection: which application commands go to, on each logical channel."""

import pytest

from bench.null_card import NullCard
from tests.unit.vsc.faults.hosts import SELECT, VERIFY
from vsc.factory import DEFAULT_ADMIN_KEY, fresh
from vsc.faults.selection import Selection
from vsc.testing import SoftCard

OK = b"\x90\x00"
ON_CHANNEL_1 = bytes([1])


@pytest.fixture
def selection() -> Selection:
    selection = Selection()
    selection.reset(SoftCard.make())
    return selection


def test_what_a_card_selects_by_itself(selection: Selection) -> None:
    assert selection.application(VERIFY) == "GIDS"
    selection.reset(fresh("gids", pin=b"12345678", admin_key=DEFAULT_ADMIN_KEY))
    assert selection.application(VERIFY) == "GIDS"
    selection.reset(None)
    assert selection.application(VERIFY) == ""


@pytest.mark.parametrize(("atr", "name"), [(SoftCard.make().atr, "GIDS"), (b"\x3b\x00", "")])
def test_a_card_of_others_is_known_by_its_atr(selection: Selection, atr: bytes, name: str) -> None:
    card = NullCard()
    card.atr = atr
    selection.reset(card)
    assert selection.application(VERIFY) == name


@pytest.mark.parametrize(
    ("answer", "name"), [(OK, "GIDS"), (b"\x61\x10", "GIDS"), (b"\x62\x83", "GIDS"), (b"\x6a\x82", "")]
)
def test_only_a_select_that_is_answered_well_selects(selection: Selection, answer: bytes, name: str) -> None:
    selection.reset(None)
    selection.note(SELECT, answer)
    assert selection.application(VERIFY) == name


def test_each_channel_has_its_own(selection: Selection) -> None:
    other = bytes.fromhex("00A4040006A00000000101")
    selection.note(ON_CHANNEL_1 + other[1:], OK)
    assert selection.application(ON_CHANNEL_1 + VERIFY[1:]) == ""
    assert selection.application(VERIFY) == "GIDS"
    selection.reset(SoftCard.make())
    assert selection.application(ON_CHANNEL_1 + VERIFY[1:]) == "GIDS"


@pytest.mark.parametrize("command", [b"", b"\x00", b"\x00\xa4\x04", b"\xff\x20\x00\x80", SELECT[:4] + b"\xff", VERIFY])
def test_what_selects_nothing(selection: Selection, command: bytes) -> None:
    selection.note(command, OK)
    assert selection.application(VERIFY) == selection.application(command) == "GIDS"
