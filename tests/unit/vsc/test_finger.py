"""vsc.finger: somebody who touches a card at once, after a while, or never."""

import pickle

import pytest

from card_os.apps.piv import PivState
from card_os.apps.piv.state import Origin, Slot
from card_os.apps.piv.wire import PinPolicy, TouchPolicy
from card_os.card import Card
from card_os.key_kind import KeyKind
from vsc.finger import PATIENCE_S, Finger
from vsc.profiles import profile_named
from vsc.profiles.options import CardOptions
from vsc.world import SeededEnv, SystemEnv

SIGN = bytes.fromhex("0087119E267C2482008120" + "11" * 32)


class Clock:
    """Time that passes when somebody waits."""

    def __init__(self) -> None:
        self.now, self.waits = 100.0, [0.0]

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("delay_s", "touches"), [(0.0, True), (2.0, True), (PATIENCE_S, True), (16.0, False), (None, False)]
)
def test_a_touch_comes_in_time_or_not_at_all(delay_s: float | None, touches: bool) -> None:
    clock = Clock()
    assert Finger(delay_s, clock.wait, clock).touches() is touches
    assert sum(clock.waits) == (delay_s if touches else 0)


def test_a_touch_a_moment_ago_is_enough_where_that_is_said() -> None:
    clock = Clock()
    finger = Finger(2.0, clock.wait, clock)
    assert finger.touches(15.0)
    clock.now += 15.0
    assert finger.touches(15.0)
    assert clock.waits == [0.0, 2.0]
    clock.now += 0.1
    assert finger.touches(15.0)
    assert finger.touches()
    assert clock.waits == [0.0, 2.0, 2.0, 2.0]
    finger.delay_s = None
    assert finger.touches(15.0)
    assert not finger.touches()


def test_worlds_have_a_finger_that_is_there_and_travels() -> None:
    for env in (SystemEnv(), SeededEnv(1)):
        assert env.touched()
        env.finger = Finger(None)
        assert not env.touched()
        assert not pickle.loads(pickle.dumps(env)).touched()


@pytest.mark.parametrize(
    ("policy", "answers"),
    [
        (TouchPolicy.NEVER, ["9000", "9000", "9000"]),
        (TouchPolicy.ALWAYS, ["9000", "6982", "6982"]),
        (TouchPolicy.CACHED, ["9000", "9000", "6982"]),
    ],
)
def test_a_key_of_a_yubikey_asks_for_it(policy: TouchPolicy, answers: list[str]) -> None:
    profile, env, clock = profile_named("yubikey"), SeededEnv(1), Clock()
    state, *others = profile.personalise(CardOptions(), env)
    assert isinstance(state, PivState)
    slot = Slot(0x9E, env.key(KeyKind.P256), Origin.GENERATED, PinPolicy.NEVER, policy)
    card: Card = profile.card(profile.persistent(state.with_slot(slot), *others), env)
    env.finger = Finger(0.0, clock.wait, clock)
    got = [card.transmit(SIGN)[-2:].hex()]
    env.finger.delay_s = None
    got.append(card.transmit(SIGN)[-2:].hex())
    clock.now += 16
    got.append(card.transmit(SIGN)[-2:].hex())
    assert got == answers
