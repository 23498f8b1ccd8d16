"""card_os.apps.piv.rules: what differs from one kind of PIV card to the next."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_os.apps.piv.pins import is_well_formed
from card_os.apps.piv.rules import SLOTS, Rules
from card_os.apps.piv.wire import PinPolicy
from card_os.key_kind import KeyKind
from tests.unit.card_os.apps.piv.piv_card import STRICT, YUBIKEY


def test_there_are_24_slots() -> None:
    assert len(SLOTS) == len(set(SLOTS)) == 24


@pytest.mark.parametrize(("reference", "policy"), [(0x9A, 2), (0x9C, 3), (0x9D, 2), (0x9E, 1), (0x82, 2), (0x95, 2)])
def test_when_a_key_wants_the_pin(reference: int, policy: int) -> None:
    assert STRICT.default_pin_policy(reference) == PinPolicy(policy)


def test_which_keys_may_be_where() -> None:
    assert STRICT.allows(0x9A, KeyKind.P256)
    assert not STRICT.allows(0x9A, KeyKind.RSA_1024)
    assert STRICT.allows(0x82, KeyKind.RSA_1024)
    assert not STRICT.allows(0x82, KeyKind.ED25519)
    assert YUBIKEY.allows(0x9A, KeyKind.ED25519)


@given(st.sampled_from([STRICT, YUBIKEY]), st.binary(max_size=10).filter(lambda pin: not pin.endswith(b"\xff")))
def test_the_policy_says_what_the_card_takes(rules: Rules, pin: bytes) -> None:
    fits = len(pin) <= 8 and is_well_formed(pin.ljust(8, b"\xff"), 0x80, rules)
    assert (rules.pin_rules.violation(pin) is None) == fits
