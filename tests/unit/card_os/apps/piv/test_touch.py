"""card_os.apps.piv.touch: keys that want somebody to be there (piv.md section 8)."""

from dataclasses import replace

import pytest

from card_os.apps.piv.state import AdminKey
from card_os.apps.piv.wire import PinPolicy, TouchPolicy
from tests.unit.card_os.apps.piv.piv_card import ADMIN, YUBIKEY, PivCard, new_state, slot_of, template
from vsc.testing.quick import QuickEnv

SIGN = "82008120" + "11" * 32


class Finger(QuickEnv):
    """Somebody who touches the card, or nobody; remembers how the card asked."""

    def __init__(self, *, is_there: bool) -> None:
        super().__init__(1)
        self.is_there = is_there
        self.asked: list[float] = []

    def touched(self, within_s: float = 0.0) -> bool:
        self.asked.append(within_s)
        return self.is_there


def card_with(policy: TouchPolicy, env: Finger) -> PivCard:
    return PivCard(new_state(slot_of(0x9E, pin_policy=PinPolicy.NEVER, touch_policy=policy)), YUBIKEY, env)


@pytest.mark.parametrize(
    ("policy", "asked"), [(TouchPolicy.NEVER, []), (TouchPolicy.ALWAYS, [0.0]), (TouchPolicy.CACHED, [15.0])]
)
def test_a_key_asks_for_a_touch_as_its_policy_says(policy: TouchPolicy, asked: list[float]) -> None:
    for is_there in (True, False):
        env = Finger(is_there=is_there)
        answer = card_with(policy, env).authenticate(0x11, 0x9E, SIGN)
        assert answer[-4:] == ("9000" if is_there or not asked else "6982")
        assert env.asked == asked


def test_nobody_is_asked_before_the_pin_and_for_nonsense() -> None:
    env = Finger(is_there=True)
    card = PivCard(new_state(slot_of(0x9A, touch_policy=TouchPolicy.ALWAYS)), YUBIKEY, env)
    assert card.authenticate(0x11, 0x9A, SIGN) == "6982"
    card.verify()
    assert card.send("0087119A", "00") == "6A80"
    assert env.asked == []


def test_a_management_key_wants_the_touch_with_the_answer() -> None:
    for is_there in (True, False):
        env = Finger(is_there=is_there)
        state = replace(new_state(), admin=AdminKey(ADMIN, TouchPolicy.ALWAYS))
        card = PivCard(state, YUBIKEY, env)
        challenge = card.read("0087039B", template("8100"))[4:]
        assert env.asked == []
        answer = card.authenticate(0x03, 0x9B, b"\x82\x08" + ADMIN.encrypt_block(challenge))
        assert (answer, env.asked) == ("9000" if is_there else "6982", [0.0])
        assert card.put("5FC105", "00") == answer
