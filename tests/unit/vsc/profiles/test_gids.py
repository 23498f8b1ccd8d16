"""vsc.profiles: what a card of each kind is made of."""

import pytest

from card_os.apps.gids.wire import AID
from card_os.atr import Atr
from card_os.memory import Persistent
from tests.unit.vsc import samples
from vsc.profiles import GIDS, PROFILES
from vsc.world import SeededEnv


def test_each_profile_is_found_by_its_name() -> None:
    assert {name: profile.name for name, profile in PROFILES.items()} == {name: name for name in PROFILES}
    assert PROFILES["gids"] is GIDS


def test_the_atr_names_the_application() -> None:
    raw = bytes(GIDS.atr)
    assert raw.hex().upper() == "3B8D0180FBA000000397425446590201C9"
    assert Atr.parse(raw) == GIDS.atr
    assert raw[-1 - len(AID) : -1] == AID


def test_a_profile_wants_one_state_for_each_application() -> None:
    state = samples.state()
    assert GIDS.persistent(state) == Persistent(((AID, state),))
    for states in ((), (state, state)):
        with pytest.raises(ValueError):
            GIDS.persistent(*states)


def test_a_card_in_memory_needs_no_store() -> None:
    card = GIDS.card(GIDS.persistent(samples.state()), SeededEnv(1))
    assert card.transmit(bytes.fromhex(samples.WRONG_VERIFY)) == bytes.fromhex("63C2")


def test_a_store_is_told_of_each_change_before_the_answer() -> None:
    seen: list[Persistent] = []
    card = GIDS.card(GIDS.persistent(samples.state()), SeededEnv(1), store=seen.append)
    card.transmit(bytes.fromhex(samples.WRONG_VERIFY))
    assert seen == [card.persistent]
