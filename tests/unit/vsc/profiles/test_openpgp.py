"""vsc.profiles.openpgp: what cards of these kinds are made of."""

from typing import Any

import pytest

from card_os.apps.openpgp import OpenPgpState
from vsc.errors import RefusedError, UnsupportedOption
from vsc.factory import fresh
from vsc.profiles import PROFILES, CardOptions, Profile, profile_named, profile_of
from vsc.profiles.openpgp import OPENPGP, OPENPGP_63CX
from vsc.world import SeededEnv

all_profiles = pytest.mark.parametrize("profile", [OPENPGP, OPENPGP_63CX], ids=lambda one: one.name)


def made(profile: Profile, seed: int = 1, **options: Any) -> OpenPgpState:
    state = profile.personalise(CardOptions(**options), SeededEnv(seed))[0]
    assert isinstance(state, OpenPgpState)
    return state


@all_profiles
def test_a_card_knows_its_profile_and_offers_t_1_alone(profile: Profile) -> None:
    assert PROFILES[profile.name] is profile_named(profile.name) is profile
    assert profile_of(fresh(profile.name)) is profile
    assert profile.atr.protocols == (1,)
    assert bytes(profile.atr).hex().upper() == "3B8A010031F573C001E005900088"


def test_they_differ_in_what_a_wrong_pin_is_answered() -> None:
    wrong = bytes.fromhex("0020008106393939393939")
    assert fresh("openpgp").transmit(wrong).hex() == "6982"
    assert fresh("openpgp-63cx").transmit(wrong).hex() == "63c2"


@all_profiles
def test_a_seeded_card_repeats_and_two_have_their_own_serial_numbers(profile: Profile) -> None:
    assert made(profile, 1) == made(profile, 1)
    assert made(profile, 1).serial != made(profile, 2).serial


@all_profiles
def test_options_are_what_the_card_has(profile: Profile) -> None:
    state = made(profile, pin=b"654321", puk=b"87654321", admin_pin=b"11223344", tries=4, puk_tries=5, admin_tries=6)
    secrets = [one.value.reveal() for one in (state.pin, state.resetting_code, state.admin) if one.value]
    assert secrets == [b"654321", b"87654321", b"11223344"]
    assert [one.tries_left for one in (state.pin, state.resetting_code, state.admin)] == [4, 5, 6]
    new = made(profile)
    assert (new.resetting_code.value, new.resetting_code.tries_left) == (None, 0)


@all_profiles
@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"pin": b"12345"}, RefusedError),
        ({"pin": b"1" * 128}, RefusedError),
        ({"puk": b"1234567"}, RefusedError),
        ({"admin_pin": b"1234567"}, RefusedError),
        ({"tries": 16}, ValueError),
        ({"admin_key": bytes(24)}, UnsupportedOption),
        ({"file_system": False}, UnsupportedOption),
    ],
    ids=str,
)
def test_what_the_card_would_not_take(profile: Profile, options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        made(profile, **options)
