"""The application as the kernel sees it (`card_os/apps/gids/__init__.py`)."""

import pytest

from card_os.apps.gids import Gids, GidsState, GidsVolatile
from card_os.apps.gids.commands import COMMANDS
from card_os.wire import WireError
from tests.unit.card_os.apps.gids.gids_card import ready_card, ready_state
from vsc.profiles import GIDS


def test_the_application_is_selected_after_a_reset() -> None:
    assert ready_card().send("00CBA010045C02DF2300") == "DF23009000"


def test_the_atr_names_the_application() -> None:
    assert bytes.fromhex("80FBA000000397425446590201") in bytes(GIDS.atr)


def test_a_session_starts_with_nothing() -> None:
    assert Gids().new_volatile() == GidsVolatile()


def test_the_codec_and_the_table_are_the_applications() -> None:
    gids, state = Gids(), ready_state()
    assert gids.decode(gids.encode(state)) == state
    assert gids.commands is COMMANDS
    assert gids.template(GidsState()).hex() == "61124f0ba00000039742544659020173034001c0"
    with pytest.raises(WireError):
        gids.decode(b"")
