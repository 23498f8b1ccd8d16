"""What a GIDS card says of itself to those who know no application."""

from dataclasses import replace

from card_os.apps.gids import Gids
from card_os.apps.gids.state import GidsState, LifeCycle
from card_os.key_kind import KeyKind
from card_os.outline import Outline, Reference, Slot
from card_os.pin import PinPolicy
from tests.unit.card_os.apps.gids.gids_card import CARD_ID, ready_state
from tests.unit.vsc.samples import certificate, state_with_key


def test_a_new_card() -> None:
    assert Gids().outline(ready_state()) == Outline(
        "GIDS", "operational", CARD_ID, (Reference("PIN", 3, 3), Reference("admin key"))
    )


def test_a_blank_card_has_nothing_yet() -> None:
    assert Gids().outline(GidsState()) == Outline("GIDS", "initialisation")
    assert Gids().outline(GidsState(LifeCycle.CREATION)).slots == ()


def test_tries_and_a_policy() -> None:
    state = replace(ready_state(puk=b"87654321", admin_try_limit=3), pin_policy=PinPolicy(6, 9))
    state = replace(state, pin=replace(state.pin, tries_left=0))
    found = Gids().outline(state)
    assert found.references == (Reference("PIN", 0, 3), Reference("PUK", 3, 3), Reference("admin key", 3, 3))
    assert found.pin_policy == PinPolicy(6, 9)


def test_containers_are_slots() -> None:
    ada = Slot(0, "Ada's key", "key exchange", KeyKind.RSA_1024, (certificate(),), is_default=True)
    assert Gids().outline(state_with_key()).slots == (ada,)
    assert Gids().outline(state_with_key(b"nonsense")).slots == (replace(ada, certificates=(b"",)),)
    state = state_with_key()
    assert Gids().outline(state.without_file(0xB081)).slots == (replace(ada, kind=None),)
