"""`bench.fuzz` in its short form; and each of its oracles finds the bug that is planted for it."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.fuzz.__main__ import main, said
from bench.fuzz.run import Result, names, run, unanswered
from bench.fuzz.start import all_starts
from bench.fuzz.transcript import read, replayed, shortened, written
from card_os.apps.gids import Gids, GidsState, data, pins
from card_os.card import Card, Outcome
from card_os.command import Session
from card_os.pin import Pin
from card_os.secret import Secret
from card_os.sw import SW, CardError
from card_os.tlv import Tlv
from vsc.profiles import PROFILES

ALL = list(PROFILES.values())
COUNT = 3_500 * len(ALL)


def test_thousands_of_mutated_commands_break_no_rule() -> None:
    result = run(ALL, COUNT, seed=1)
    assert result.card is not None
    assert result.finding is None, f"{result.finding}\n{written(result.card, result.card.sent)}"
    assert result.sent >= COUNT
    assert len(result.seen) > 200
    for profile in ALL:
        assert 2 * len(unanswered(profile, result)) < len(names(profile))


def test_a_seed_repeats_a_run() -> None:
    one, other = run(ALL, 500, seed=7), run(ALL, 500, seed=7)
    assert one.seen == other.seen
    assert one.seen != run(ALL, 500, seed=8).seen


def test_every_profile_has_its_starts() -> None:
    for profile in ALL:
        found = {start.name for start in all_starts(profile.name)}
        assert {"personalised", "with a PUK"} <= found
        assert ("blank" in found) == (profile.blank_card is not None)
    assert {"blocked", "terminated", "with keys and objects"} <= {start.name for start in all_starts()}


# --- planted bugs ----------------------------------------------------------------------------------------------------

Plant = Callable[[pytest.MonkeyPatch], None]


def an_exception(patch: pytest.MonkeyPatch) -> None:
    """A tag list with three tags is too much."""
    right = data._choose

    def choose(objects: Any, wanted: tuple[int, ...], *, subject: str) -> bytes:
        assert len(wanted) < 2
        return right(objects, wanted, subject=subject)

    patch.setattr(data, "_choose", choose)


def half_a_pin(patch: pytest.MonkeyPatch) -> None:
    """The first four bytes are enough."""
    patch.setattr(Secret, "matches", lambda self, guess: self.reveal()[:4] == guess[:4])


def a_try_for_nothing(patch: pytest.MonkeyPatch) -> None:
    """GET DATA of an unknown object gives a try back."""
    right = data._application_objects

    def objects(session: Any, wanted: tuple[int, ...]) -> list[Tlv]:
        pin = session.state.pin
        if 0 < pin.tries_left < pin.try_limit:
            pins._set(session, 0x80, pin.value.reveal())
        return right(session, wanted)

    patch.setattr(data, "_application_objects", objects)


def a_change_by_a_refused_command(patch: pytest.MonkeyPatch) -> None:
    """PUT DATA writes, then looks whether there is room."""
    right = Session.commit

    def commit(self: Any, state: Any) -> None:
        grown = (
            hasattr(state, "files") and len(state.files) == len(self.state.files) and state.files != self.state.files
        )
        right(self, state)
        if grown and state.pin == self.state.pin and any(getattr(file, "objects", ()) for file in state.files[-3:]):
            raise CardError(SW.NOT_ENOUGH_MEMORY, "no room")

    patch.setattr(Session, "commit", commit)


def a_pin_in_the_answer(patch: pytest.MonkeyPatch) -> None:
    """The status of the PIN has the PIN in it."""
    right = data._reference_status

    def status(tag: int, pin: Pin) -> Tlv:
        assert pin.value is not None
        return Tlv(tag, right(tag, pin).value + bytes(Tlv(0x80, pin.value.reveal())))

    patch.setattr(data, "_reference_status", status)


def an_image_that_is_read_wrongly(patch: pytest.MonkeyPatch) -> None:
    """The limit of admin keys grows by one each time that an image is read."""
    right = Gids.decode

    def decode(self: Gids, raw: bytes) -> GidsState:
        state = right(self, raw)
        return replace(state, admin_try_limit=(state.admin_try_limit or 0) + 1)

    patch.setattr(Gids, "decode", decode)


def no_reason(patch: pytest.MonkeyPatch) -> None:
    """Nobody is told why a PIN was wrong."""
    right = Card.exchange

    def exchange(self: Card, command: bytes) -> Outcome:
        outcome = right(self, command)
        return Outcome(outcome.response) if outcome.response.sw >> 4 == 0x63C else outcome

    patch.setattr(Card, "exchange", exchange)


def an_unlawful_answer(patch: pytest.MonkeyPatch) -> None:
    right = Card.select

    def select(self: Any, *args: Any) -> Any:
        try:
            return right(self, *args)
        except CardError:
            raise CardError(0x6F00, "who knows") from None

    patch.setattr(Card, "select", select)


@pytest.mark.parametrize(
    ("plant", "rule"),
    [
        (an_exception, "no exception"),
        (half_a_pin, "no right without its proof|a try comes back only by the right secret"),
        (a_try_for_nothing, "a try comes back only by the right secret"),
        (a_change_by_a_refused_command, "refused means unchanged"),
        (a_pin_in_the_answer, "no secret in an answer"),
        (an_image_that_is_read_wrongly, "a state is read as it was written"),
        (no_reason, "a reason for every refusal"),
        (an_unlawful_answer, "lawful status words"),
    ],
)
def test_a_planted_bug_is_found_and_its_transcript_is_short(
    plant: Plant, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = PROFILES["gids"]
    # The cards to begin with are made before the bug is there.
    all_starts("gids")
    with monkeypatch.context() as patch:
        plant(patch)
        result = run([profile], 20_000, seed=1)
        assert result.finding is not None
        assert result.card is not None
        sent = shortened(result.card, result.finding)
        assert len(sent) <= 12
        start, seed, commands = read(written(result.card, sent))
        found, _ = replayed(start, seed, commands)
        assert found is not None
        assert found.rule == result.finding.rule
    assert re.fullmatch(rule, result.finding.rule)


# --- the command -----------------------------------------------------------------------------------------------------


def test_the_command_says_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--count", "300", "--seed", "5", "--profile", "gids"]) == 0
    line = capsys.readouterr().out.splitlines()[0]
    assert line.startswith("seed 5: 3")
    assert line.endswith("no rule was broken")


def test_a_finding_is_printed_and_can_be_played_again(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as patch:
        an_unlawful_answer(patch)
        assert main(["--count", "20000"]) == 1
        out = capsys.readouterr().out
        assert "BROKEN: lawful status words" in out
        file = tmp_path / "finding"
        file.write_text(out.partition("\n# ")[2].partition("\n")[2], encoding="utf-8")
        assert main(["--replay", str(file)]) == 1
        assert "6F00" in capsys.readouterr().out
    assert main(["--replay", str(file)]) == 0


def test_a_result_without_time_has_no_rate() -> None:
    assert "0 a second" in said(Result(1))
