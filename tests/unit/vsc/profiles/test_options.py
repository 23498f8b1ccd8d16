"""vsc.profiles.options: one set of options, which every door that makes a card has."""

import inspect
from collections.abc import Callable
from dataclasses import fields

import click

import vsc
from card_os.pin import PinPolicy
from vsc import factory
from vsc.cli.create import create_command
from vsc.profiles import PROFILES, CardOptions
from vsc.profiles.options import NAMES
from vsc.testing import SoftCard, plugin
from vsc.testing.card_factory import CardOptions as FactoryOptions

HAS_ITS_OWN_WORD = {"file_system": "no_file_system", "policy": "pin_policy", "keys": "slots"}
"""On the command line."""


def test_every_door_has_every_option() -> None:
    in_memory = set(NAMES) - {"file_system"}
    doors: dict[str, tuple[Callable[..., object], set[str]]] = {
        "vsc.factory.create": (factory.create, set(NAMES)),
        "vsc.create": (vsc.create, in_memory),
        "SoftCard.make": (SoftCard.make, in_memory),
    }
    for name, (door, wanted) in doors.items():
        assert wanted <= set(inspect.signature(door).parameters), name
    in_fixtures = in_memory - {"keys"}  # They have a `key` of their own.
    assert in_fixtures <= set(FactoryOptions.__annotations__)
    assert in_fixtures <= set(plugin.OPTIONS.split(", "))
    words = {one.name for one in create_command.params if isinstance(one, click.Option)}
    assert {HAS_ITS_OWN_WORD.get(name, name) for name in NAMES} <= words


def test_profiles_take_options_that_there_are() -> None:
    for profile in PROFILES.values():
        for recipe in (profile.personalisation, profile.blank_card):
            assert recipe is None or set(recipe.options) <= set(NAMES), profile


def test_nothing_is_said_at_first_and_no_secret_is_shown() -> None:
    assert CardOptions().said == {}
    said = CardOptions(pin=b"1234", tries=3, file_system=False, policy=PinPolicy())
    assert said.said == {"pin": b"1234", "tries": 3, "file_system": False, "policy": PinPolicy()}
    assert "1234" not in repr(CardOptions(pin=b"1234", puk=b"1234", admin_key=b"1234", admin_pin=b"1234"))
    assert all(field.default is None for field in fields(CardOptions))
