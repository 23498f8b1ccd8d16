"""Histories of cards: whatever is done in whatever order, the rules of a card hold; and a planted bug shrinks well."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from hypothesis import Phase, find, given, settings

from card_os.apps.gids import pins
from card_os.apps.gids.session import GidsSession
from card_os.apps.gids.state import GidsState
from card_os.apps.gids.wire import AID
from vsc.errors import VscError
from vsc.testing import History, SoftCard
from vsc.testing.counters import counters, without_counters
from vsc.testing.operation import (
    Authenticate,
    Block,
    Change,
    ChangeAdminKey,
    GenerateKey,
    ImportKey,
    PowerCycle,
    Read,
    Reset,
    Sign,
    UseChannel,
    Verify,
    VerifyWrong,
    Write,
)
from vsc.testing.strategies import card_histories, cards

SHRINK = settings(database=None, max_examples=2_000, phases=(Phase.generate, Phase.shrink), deadline=None)


@given(cards(), card_histories(max_size=12))
def test_tries_stay_in_range_and_a_refusal_changes_nothing_else(card: SoftCard, history: History) -> None:
    before = card.persistent
    for step in history.walk(card):
        assert all(limit is None or 0 <= left <= limit for left, limit in counters(card.persistent))
        # A refused operation of several commands may have done some of them: only single ones are asked here.
        if step.error is not None and isinstance(step.operation, Verify | VerifyWrong | Sign | Read | Change | Reset):
            assert without_counters(card.persistent) == without_counters(before)
        before = card.persistent


@given(card_histories(max_size=12))
def test_the_same_history_makes_the_same_card(history: History) -> None:
    one, other = SoftCard.make(seed=1), SoftCard.make(seed=1)
    assert list(map(str, history.run(one))) == list(map(str, history.run(other)))
    assert one.persistent == other.persistent


@given(card_histories())
def test_a_history_can_be_pasted_and_read(history: History) -> None:
    names = {one.__name__: one for one in map(type, history.operations)}
    assert eval(repr(history), {"History": History, **names}) == history
    assert len(str(history).splitlines()) == max(1, len(history))


def test_an_empty_history_is_nothing() -> None:
    assert str(History()) == "nothing"
    assert History().run(SoftCard.make()) == ()


def test_lines_say_what_was_done_and_what_came_of_it() -> None:
    history = History((VerifyWrong(), Verify(), Write(0, 3, private=True), UseChannel(1), Read(0, private=True)))
    assert str(history).splitlines() == [
        "verify a wrong PIN",
        "verify the PIN",
        "write 3 bytes into private object 0",
        "go on on channel 1",
        "read private object 0",
    ]
    lines = [str(step) for step in history.run(SoftCard.make())]
    assert lines[0] == "verify a wrong PIN: wrong PIN, 4 tries left"
    assert lines[1] == "verify the PIN: done"
    assert "needs the PIN first" in lines[4]


def test_a_history_goes_on_where_another_has_ended() -> None:
    card = SoftCard.make(seed=1)
    first = History((Block(), Reset("2468"), Authenticate(), ChangeAdminKey(bytes(range(24)))))
    assert all(step.is_done for step in first.run(card))
    second = History((Verify(), ImportKey(), Sign(), GenerateKey(), Sign(1), PowerCycle(), Authenticate(), Verify()))
    assert all(step.is_done for step in second.run(card))
    assert all(step.is_done for step in (first + second).run(SoftCard.make(seed=2)))


@contextmanager
def planted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A bug: the PIN that an administrator sets after a block leaves one try."""
    right = pins._set

    def wrong(session: GidsSession, reference: int, new: bytes) -> None:
        was_blocked = session.state.pin.is_blocked
        right(session, reference, new)
        if was_blocked:
            session.commit(replace(session.state, pin=replace(session.state.pin, tries_left=1)))

    with monkeypatch.context() as patch:
        patch.setattr(pins, "_set", wrong)
        yield


def test_the_history_that_shows_a_planted_bug_shrinks_to_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    def shows_it(history: History) -> bool:
        card = SoftCard.make(seed=0)
        for step in history.walk(card):
            state = card.persistent.state(AID)
            assert isinstance(state, GidsState)
            if isinstance(step.operation, Reset) and step.is_done and state.pin.tries_left != state.pin.try_limit:
                return True
        return False

    with planted(monkeypatch):
        found = find(card_histories(), shows_it, settings=SHRINK)
    assert found == History((Block(), Reset("0000")))
    assert str(found) == "verify wrong PINs until the PIN is blocked\nreset the PIN to '0000'"


def test_a_profile_that_nobody_can_drive_is_refused() -> None:
    with pytest.raises(VscError, match="no profile 'nothing'"):
        card_histories("nothing")
