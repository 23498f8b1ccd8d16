"""What each strategy promises holds; and failing examples shrink to what a person would write."""

import subprocess
import sys

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from card_os.admin import encrypt
from card_os.apdu import CommandApdu
from card_os.application import Application
from card_os.atr import Atr
from card_os.class_byte import Classes
from card_os.command import ANYBODY, Command
from card_os.kernel import KernelIns
from card_os.pin import NO_POLICY, CharacterRule, PinPolicy
from vsc.errors import VscError
from vsc.profiles import PROFILES, Profile
from vsc.testing import SoftCard
from vsc.testing.strategies import (
    ApduKind,
    Miss,
    NearMiss,
    admin_keys,
    apdus,
    bad_pins,
    cards,
    near_misses,
    pins,
    policies,
)
from vsc.world import SeededEnv

ALLOW, REQUIRED, DISALLOWED = CharacterRule
SHRINK = settings(database=None, max_examples=2_000, phases=(Phase.generate, Phase.shrink), deadline=None)
SOME_POLICIES = st.none() | policies()
PIN_OF_POLICY = SOME_POLICIES.flatmap(lambda policy: st.tuples(st.just(policy), pins(policy)))
BAD_PIN_OF_POLICY = SOME_POLICIES.flatmap(lambda policy: st.tuples(st.just(policy), bad_pins(policy)))


# --- PINs ------------------------------------------------------------------------------------------------------------


@given(PIN_OF_POLICY)
def test_a_pin_is_accepted_by_its_policy(drawn: tuple[PinPolicy | None, str]) -> None:
    policy, pin = drawn
    assert (policy or NO_POLICY).violations(pin.encode()) == ()
    SoftCard.make(pin=pin, policy=policy).gids().verify_pin(pin.encode())


@given(BAD_PIN_OF_POLICY)
def test_a_bad_pin_breaks_a_rule_of_its_policy(drawn: tuple[PinPolicy | None, str]) -> None:
    policy, pin = drawn
    assert pin
    assert (policy or NO_POLICY).violations(pin.encode())


@pytest.mark.parametrize(
    ("words", "smallest"),
    [
        ("characters", "00000"),
        ("small letters are not allowed", "00000a"),
        ("special characters are required", "000000"),
    ],
)
def test_a_bad_pin_shrinks_to_one_that_is_all_but_allowed(words: str, smallest: str) -> None:
    policy = PinPolicy(6, 8, lowercase=DISALLOWED, special=REQUIRED)

    def breaks_only_this(pin: str) -> bool:
        broken = policy.violations(pin.encode())
        return len(broken) == 1 and words in broken[0]

    found = find(bad_pins(policy), breaks_only_this, settings=SHRINK)
    assert len(found) == len(smallest)
    assert policy.violations(found.encode())


def test_pins_reach_beyond_ascii_where_the_policy_lets_them() -> None:
    assert find(pins(), lambda pin: not pin.isascii(), settings=SHRINK) == "00é"
    assert find(pins(PinPolicy(4, 4)), lambda pin: True, settings=SHRINK) == "0000"


@given(admin_keys(), admin_keys())
def test_two_admin_keys_are_two_keys_to_3des(one: bytes, other: bytes) -> None:
    assert len(one) == len(other) == 24
    assert (encrypt(one, bytes(8)) == encrypt(other, bytes(8))) == (one == other)
    assert SoftCard.make(admin_key=one).admin_key == one


# --- APDUs -----------------------------------------------------------------------------------------------------------


@given(apdus(kind="well-formed"))
def test_a_well_formed_apdu_is_one_of_the_tables(raw: bytes) -> None:
    apdu = CommandApdu.parse(raw)
    assert apdu.cla == 0
    rows = [row for app in PROFILES["gids"].applications for row in app.table.of(apdu.ins)]
    fits = any(apdu.p1p2 in row.p1p2 and len(apdu.data) in row.nc for row in rows)
    assert fits or apdu.ins in list(KernelIns)


@given(apdus(kind=ApduKind.WELL_FORMED))
def test_the_first_checks_of_a_card_let_a_well_formed_apdu_pass(raw: bytes) -> None:
    card = SoftCard.make(seed=1)
    sw = int.from_bytes(card.transmit(raw)[-2:], "big")
    assert sw != 0x6700 or "fit" not in card.why
    assert sw not in (0x6A86, 0x6D00, 0x6E00, 0x6882, 0x6884)


@given(near_misses(), st.sampled_from(["blank", "ready", "logged in"]))
def test_a_near_miss_is_answered_as_it_says(miss: NearMiss, state: str) -> None:
    card = SoftCard.make_blank(seed=1) if state == "blank" else SoftCard.make(seed=1)
    if state == "logged in":
        card.gids().verify_pin(b"12345678")
    before = card.persistent
    sw = int.from_bytes(card.transmit(miss.apdu)[-2:], "big")
    assert sw in miss.answers if miss.answers else sw not in (0x9000, 0x6100)
    assert card.persistent == before


def test_there_is_every_kind_of_miss() -> None:
    seen = set()

    def is_new(miss: NearMiss) -> bool:
        return miss.miss not in seen

    for _ in Miss:
        seen.add(find(near_misses(), is_new, settings=SHRINK).miss)
    assert seen == set(Miss)


def test_without_a_kind_all_of_them_come() -> None:
    assert find(apdus(), lambda raw: raw == b"", settings=SHRINK) == b""
    is_well_formed = find(apdus(), lambda raw: raw[:2] == b"\x00\x20" and len(raw) > 6, settings=SHRINK)
    assert CommandApdu.parse(is_well_formed).ins == 0x20


class Own(Application[bytes, None]):
    """One command in a proprietary class, one in both kinds."""

    aid, name = b"\xf0OWN00", "own"
    commands = {  # noqa: RUF012
        0x11: Command("OWN", {0}, {2}, ANYBODY, lambda *_: b"", "this test", classes=Classes.PROPRIETARY),
        0x12: Command("BOTH", {0}, {2}, ANYBODY, lambda *_: b"", "this test", classes=Classes.ANY),
    }


def test_a_proprietary_command_is_drawn_in_its_class(monkeypatch: pytest.MonkeyPatch) -> None:
    profile = Profile("own class", "Own class", Atr(historical=b"own"), (Own(),))
    monkeypatch.setitem(PROFILES, profile.name, profile)
    card = profile.card(profile.persistent(b""), SeededEnv(0))

    @given(apdus(profile.name, "well-formed"))
    def right(raw: bytes) -> None:
        card.reset()
        assert (raw[0] == 0x80) == (raw[1] == 0x11)
        assert card.transmit(raw)[-2:] not in (b"\x6e\x00", b"\x6d\x00", b"\x6a\x86")

    @given(near_misses(profile.name))
    def nearly(miss: NearMiss) -> None:
        card.reset()
        assert int.from_bytes(card.transmit(miss.apdu)[-2:], "big") in miss.answers or not miss.answers

    right()
    nearly()


@given(apdus(kind="arbitrary"))
def test_arbitrary_bytes_get_an_answer(raw: bytes) -> None:
    assert len(SoftCard.make(seed=1).transmit(raw)) >= 2


def test_unknown_words_are_refused() -> None:
    with pytest.raises(VscError, match="no profile 'nothing'"):
        apdus("nothing", "well-formed")
    with pytest.raises(ValueError, match="nearly"):
        apdus(kind="nearly")
    with pytest.raises(VscError, match="no profile 'nothing'"):
        find(cards("nothing"), lambda card: True)


# --- policies and cards ----------------------------------------------------------------------------------------------


@given(policies())
def test_a_policy_can_be_pasted(policy: PinPolicy) -> None:
    assert eval(repr(policy), {"PinPolicy": PinPolicy, "CharacterRule": CharacterRule}) == policy


@given(cards())
def test_a_card_is_ready_for_use(card: SoftCard) -> None:
    assert card.pin is not None
    gids = card.gids()
    gids.verify_pin(card.pin.encode())
    assert gids.pin_policy() == card.persistent.applications[0][1].pin_policy  # type: ignore[attr-defined]


def printed(strategy: st.SearchStrategy[SoftCard], is_fine: object) -> str:
    """What hypothesis prints of the smallest card that is not fine."""

    @settings(SHRINK)
    @given(strategy)
    def check(card: SoftCard) -> None:
        assert is_fine(card)  # type: ignore[operator]

    with pytest.raises(AssertionError) as caught:
        check()
    return "\n".join(caught.value.__notes__)


def test_a_failing_example_prints_a_recipe_that_makes_the_same_card() -> None:
    assert "card=SoftCard.make(seed=0)" in printed(cards(), lambda card: False)
    text = printed(cards(), lambda card: card.puk is None or card.pin == "12345678")
    recipe = text.partition("card=")[2].rpartition(",\n)")[0]
    assert recipe.startswith("SoftCard.make(")
    one, other = (
        eval(recipe, {"SoftCard": SoftCard, "PinPolicy": PinPolicy, "CharacterRule": CharacterRule}) for _ in range(2)
    )
    assert one.persistent == other.persistent
    assert one.puk is not None


def test_nothing_is_unhealthy() -> None:
    """Strategies that draw slowly, or throw much away, would fail here: no health check is suppressed."""
    everything = st.tuples(apdus(), PIN_OF_POLICY, BAD_PIN_OF_POLICY, admin_keys(), cards(), near_misses())

    @settings(max_examples=100, database=None, suppress_health_check=())
    @given(everything)
    def draw(drawn: object) -> None:
        assert drawn

    draw()


def test_vsc_testing_needs_no_hypothesis() -> None:
    code = (
        "import sys; sys.modules['hypothesis'] = None\n"
        "import vsc, vsc.testing, vsc.testing.history, vsc.testing.operation\n"
        "from vsc.testing import SoftCard, History\n"
        "History().run(SoftCard.make())\n"
        "import vsc.cli.__main__\n"
        "try: from vsc.testing import CardMachine\n"
        "except ModuleNotFoundError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, timeout=60, stdout=subprocess.PIPE, text=True)
    assert done.stdout == "hypothesis is not installed: pip install 'virtual-smart-card[hypothesis]'\n"
