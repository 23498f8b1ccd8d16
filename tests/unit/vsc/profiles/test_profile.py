"""vsc.profiles.profile: how a card of a kind is made, and with what."""

import uuid

import pytest

from card_os.atr import Atr
from card_os.env import Env
from tests.unit.vsc.tiny import UNMADE, Tiny
from vsc.errors import UnsupportedOption, VscError
from vsc.profiles import CardOptions, Profile, Recipe, States
from vsc.world import SeededEnv


def made(options: CardOptions, env: Env) -> States:
    return [repr((options.pin, options.tries)).encode() + env.random_bytes(1)]


KIND = Profile("kind", "Kind", Atr(), (Tiny(),), Recipe(made, {"pin": b"1234", "tries": 3}), Recipe(made, {"tries": 2}))
NOTHING = CardOptions()


def test_what_nobody_says_is_the_profiles() -> None:
    assert KIND.completed(CardOptions(tries=7)) == CardOptions(pin=b"1234", tries=7)
    assert KIND.personalise(CardOptions(tries=7), SeededEnv(1))[0] == b"(b'1234', 7)" + SeededEnv(1).random_bytes(1)


def test_a_blank_card_takes_its_own_options() -> None:
    assert KIND.blank(NOTHING, SeededEnv(1)) == [b"(None, 2)" + SeededEnv(1).random_bytes(1)]
    with pytest.raises(
        UnsupportedOption, match="a blank card of profile 'kind' takes no pin; it takes: tries"
    ) as caught:
        KIND.blank(CardOptions(pin=b"1"), SeededEnv(1))
    assert caught.value.option == "pin"


def test_what_it_takes() -> None:
    assert [KIND.takes(name) for name in ("pin", "tries", "puk")] == [True, True, False]
    assert not UNMADE.takes("pin")


def test_a_kind_that_nobody_says_how_to_make() -> None:
    for make in (UNMADE.personalise, UNMADE.blank):
        with pytest.raises(VscError, match="profile 'unmade' cannot be made: the profile does not say how"):
            make(NOTHING, SeededEnv(1))


def test_an_identity_of_16_bytes_is_read_as_it_stands() -> None:
    raw = bytes(range(16))
    assert KIND.guid(raw) == uuid.UUID(bytes=raw)
    assert repr(KIND) == "<Profile kind>"
