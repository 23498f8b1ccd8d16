"""vsc.profiles.traits: what a profile says, and what differs between two."""

from dataclasses import replace

import pytest

from vsc.profiles import GIDS, PROFILES, Profile
from vsc.profiles.piv import PIV, PIV_CONTACTLESS
from vsc.profiles.traits import differences, traits
from vsc.profiles.yubikey import YUBIKEY_5_4, YUBIKEY_5_7


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda one: one.name)
def test_a_profile_differs_in_nothing_from_itself(profile: Profile) -> None:
    assert differences(profile, profile) == []
    assert traits(profile)["title"] == profile.title


def test_what_differs_is_told_trait_by_trait() -> None:
    assert [name for name, _, _ in differences(PIV, PIV_CONTACTLESS)] == ["title", "ATR", "PIV: is contactless"]
    found = {name: (left, right) for name, left, right in differences(YUBIKEY_5_4, YUBIKEY_5_7)}
    assert found["PIV: commands"] == ("-", "MOVE KEY")
    assert found["PIV: kinds"] == ("-", "Ed25519, RSA-3072, RSA-4096, X25519")
    assert found["PIV: default cipher"] == ("3DES", "AES-192")


def test_what_one_of_them_has_not_is_a_dash() -> None:
    found = {name: (left, right) for name, left, right in differences(PIV, YUBIKEY_5_7)}
    assert found["Yubico management: AID"] == ("-", "A000000527471117")
    assert found["reader"] == ("any", "Yubico YubiKey CCID")


def test_lists_are_told_by_what_is_not_in_both() -> None:
    other = replace(GIDS, personalisation=None)
    ((name, left, right),) = differences(GIDS, other)
    assert (name, right) == ("options", "-")
    assert "pin, " in left
