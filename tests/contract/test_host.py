"""What holds for every profile with a host half: histories and the state machine play it through the ports."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from card_os.fact import Kind
from vsc.errors import UnsupportedCard
from vsc.host import CanUnblock, HasChallenge, HasKeys, HasObjects, HostCard, ReferenceKind, find
from vsc.host.port import offered, offers, reference_of
from vsc.profiles import PROFILES, Profile
from vsc.testing import CardMachine, History, SoftCard, tear_everywhere
from vsc.testing.diff import facts_of
from vsc.testing.history import Step
from vsc.testing.operation import (
    Authenticate,
    Block,
    Change,
    CloseChannel,
    DeleteKey,
    GenerateKey,
    LogOut,
    Operation,
    PowerCycle,
    Read,
    Reset,
    Select,
    Sign,
    UseChannel,
    Verify,
    VerifyWrong,
    Write,
)
from vsc.testing.player import player
from vsc.testing.strategies import card_histories, cards

FEW = settings(max_examples=8)


def half_of(profile: Profile) -> type[HostCard]:
    assert profile.host is not None
    return profile.host


def new_pins(profile: Profile) -> tuple[str, str]:
    """Two that keep to the rules of the profile and are not the PIN that its cards have."""
    size = max(profile.pin_rules.min_length, 6)
    return "2468135790"[:size], "9753186420"[:size]


def life(profile: Profile) -> History:
    """Of everything that such a card has something of it."""
    half, (first, second) = half_of(profile), new_pins(profile)
    operations: list[Operation] = [Select(), UseChannel(1), CloseChannel()]
    if reference_of(half, ReferenceKind.USER):
        operations += [VerifyWrong(), Verify(), Change(first), Change(first, False), LogOut(), PowerCycle(), Verify()]
    objects = offered(half, HasObjects)
    for private in (False, True):
        if objects is not None and objects.places(private=private):
            operations += [Write(0, 20, private), Write(0, 3, private), Read(0, private)]
    if offers(half, HasChallenge):
        operations += [Authenticate(False), Authenticate()]
    if offers(half, HasKeys):
        operations += [GenerateKey(), Verify(), Sign(), DeleteKey()]
    if reference_of(half, ReferenceKind.USER):
        operations += [Block(), *([Reset(second, False), Reset(second), Verify()] if offers(half, CanUnblock) else [])]
    return History(tuple(operations))


def test_the_half_is_found_by_the_atr_and_by_its_application(played: Profile) -> None:
    card = SoftCard.make(played.name)
    connection = card.connection()
    assert half_of(played) in PROFILES.hosts(connection.atr)
    assert type(find(connection, PROFILES.hosts(connection.atr))) is half_of(played)
    assert isinstance(half_of(played).connect(connection), HostCard)


def test_what_the_host_calls_a_secret_the_card_does_too(played: Profile) -> None:
    card = SoftCard.make(played.name)
    facts = {name.rpartition(": ")[2]: fact for name, fact in facts_of(card).items()}
    for reference in half_of(played).references:
        if reference.name in facts:
            assert facts[reference.name].kind is Kind.SECRET, reference
    user = reference_of(half_of(played), ReferenceKind.USER)
    assert user is None or {user.name, f"{user.name} tries"} <= set(facts)


def test_the_card_takes_what_it_was_made_with(played: Profile) -> None:
    card = SoftCard.make(played.name)
    host = player(card)
    if host.reference(ReferenceKind.USER) is None:
        pytest.skip("cards of this kind have no PIN")
    assert card.pin is not None
    assert host.pin is not None
    host.verify(card.pin.encode())
    left, limit = host.pin_tries
    assert left == limit


@FEW
@given(data=st.data())
def test_any_history_leaves_a_card_that_can_be_kept(played: Profile, data: st.DataObject) -> None:
    card = data.draw(cards(played.name))
    before = card.snapshot()
    data.draw(card_histories(played.name, max_size=8)).run(card)
    for application in played.applications:
        state = card.persistent.state(application.aid)
        assert application.decode(application.encode(state)) == state
        assert application.read_description(application.describe(state)) == state
    assert bool(card.diff(before)) == (card.persistent != before.persistent)
    card.restore(before)
    assert card.persistent == before.persistent


def test_a_life_is_lived(played: Profile) -> None:
    """Nothing of it is refused but what has to be: what is wrong, what comes after the PIN is blocked for good, and
    what others of the kind have that this card lacks."""
    card = SoftCard.make(played.name, seed=1)
    steps = life(played).run(card)
    surprising = [str(step) for step in steps if not step.is_done and not _is_wrong(step)]
    assert surprising == []


def _is_wrong(step: Step) -> bool:
    done = step.operation
    knows = getattr(done, "knows_old", getattr(done, "knows_key", True))
    return isinstance(done, VerifyWrong) or not knows or isinstance(step.error, UnsupportedCard)


def test_a_life_survives_every_power_cut(played: Profile) -> None:
    tear_everywhere(life(played).run, card=SoftCard.make(played.name, seed=1))


def test_the_state_machine_plays_it(played: Profile) -> None:
    class Machine(CardMachine):
        profile = played.name

    few = settings(max_examples=8, stateful_step_count=10, deadline=None)
    run_state_machine_as_test(Machine, settings=few)
