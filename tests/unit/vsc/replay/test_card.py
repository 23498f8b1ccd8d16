"""The card made of a log, in the modes strict and command, and what all modes share."""

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.vsc.replay.samples import ATR, of
from vsc.profiles import GIDS
from vsc.reader import NotTransactedError, Reader
from vsc.replay import Log, LogError, Mode, ReplayCard
from vsc.testing import SoftCard

MODES: list[Mode] = ["strict", "command", "learnt"]


def send(card: ReplayCard, *commands: str) -> list[str]:
    return [card.transmit(bytes.fromhex(command)).hex().upper() for command in commands]


# --- all modes


@pytest.mark.parametrize("mode", MODES)
def test_a_log_answers_itself(mode: Mode) -> None:
    pairs = ["00A4040001A000 9000", "00200080023132 63C4", "00200080023334 9000", "00CA0001 019000", "00CA0001 029000"]
    card = ReplayCard(of(*pairs), mode)
    assert card.power_on() == card.reset() == card.atr == ATR
    assert send(card, *(pair.split()[0] for pair in pairs)) == [pair.split()[1] for pair in pairs]
    assert (card.report, card.unused, card.position) == (None, 0, 5)


@pytest.mark.parametrize("mode", MODES)
def test_an_unknown_command_is_told_of(mode: Mode) -> None:
    card = ReplayCard(of("00A4040009A0000003974254465900 9000", "00CBA012045C02DF2000 9000"), mode)
    assert send(card, "00A4040009A0000003974254465900", "00CBA012045C02DF2100", "00D60000") == ["9000", "6F00", "6F00"]
    assert card.unknown_commands == 2
    assert card.last_outcome is not None
    assert card.last_outcome.reason == "the log has no answer to this"
    assert card.report is not None
    assert (card.report.position, card.report.total) == (1, 2)
    unknown, where, following = str(card.report).splitlines()
    assert re.fullmatch(r"the log has no answer to GET DATA .*\bDF21\b.* \(00CBA012045C02DF2100\)", unknown)
    assert where == "  where: at APDU 2 of 2"
    assert re.fullmatch(r"  next in the log: GET DATA .*\bDF20\b.* \(00CBA012045C02DF2000\)", following)


@pytest.mark.parametrize("mode", MODES)
def test_no_answer_is_an_answer(mode: Mode) -> None:
    card = ReplayCard(of("00A40000 ", "00A40000 9000"), mode)
    with pytest.raises(NotTransactedError, match="gave no answer"):
        send(card, "00A40000")
    assert send(card, "00A40000") == ["9000"]


@pytest.mark.parametrize("mode", MODES)
def test_it_is_a_card_for_a_reader(mode: Mode) -> None:
    reader = Reader()
    reader.insert(ReplayCard(of("00A40000 9000"), mode))
    assert reader.transmit(bytes.fromhex("00A40000")) == b"\x90\x00"
    assert reader.atr == ATR


def test_where_the_atr_is_from() -> None:
    named = Log(of("00A4040009A0000003974254465900 6112").entries)
    assert ReplayCard(named).atr == bytes(GIDS.atr)
    assert ReplayCard(named, atr=ATR).atr == ATR
    with pytest.raises(LogError, match="does not tell the card's ATR"):
        ReplayCard(Log(of("00A4040009A0000003974254465900 6A82").entries))
    with pytest.raises(ValueError, match="2 to 33 bytes"):
        ReplayCard(named, atr=b";")


def test_a_mode_and_a_prover_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="there is no mode 'loose'; there are: strict, command, learnt"):
        ReplayCard(of("00A40000 9000"), "loose")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="only in mode"):
        ReplayCard(of("00A40000 9000"), prover=SoftCard.make())


@given(
    st.lists(st.tuples(st.binary(max_size=12), st.binary(max_size=12)), min_size=1, max_size=6),
    st.lists(st.none() | st.binary(max_size=12) | st.integers(0, 5), max_size=12),
    st.sampled_from(MODES),
)
def test_any_commands_on_any_log(pairs: list[tuple[bytes, bytes]], steps: list[bytes | int | None], mode: Mode) -> None:
    """None: a reset; a number: a command of the log, as far as it may be seen."""
    log = of(*(f"{command.hex()} {response.hex()}" for command, response in pairs))
    card = ReplayCard(log, mode)
    for step in steps:
        if step is None:
            assert card.reset() == ATR
            continue
        with suppress(NotTransactedError):
            command = step if isinstance(step, bytes) else pairs[step % len(pairs)][0]
            assert len(card.transmit(command)) >= 2
    assert 0 <= card.position <= len(pairs)
    assert 0 <= card.unused <= len(pairs)
    assert (card.report is None) == (card.unknown_commands == 0)


# --- strict


def test_strict_is_the_order_of_the_log_and_resets_do_not_count() -> None:
    card = ReplayCard(of("00A40001 9001", "reset", "00A40002 9002"))
    card.power_off()
    assert send(card, "00A40001", "00A40001") == ["9001", "6F00"]
    card.reset()
    assert send(card, "00A40002", "00A40002") == ["9002", "6F00"]
    assert card.report is not None
    assert card.report.position == 1


def test_strict_takes_any_pin_of_that_length() -> None:
    card = ReplayCard(of("00200080023132 9000"))
    assert send(card, "0020008003313233", "00200080023939") == ["6F00", "9000"]


# --- by command


def test_each_use_moves_on_and_the_last_answer_repeats() -> None:
    card = ReplayCard(of("00840000 019000", "00CA0000 9000", "00840000 029000"), "command")
    assert send(card, "00840000", "00840000", "00840000", "00CA0000") == ["019000", "029000", "029000", "9000"]


def test_a_reset_goes_on_to_what_came_after_one() -> None:
    log = of("00CA0000 019000", "00CA0000 029000", "reset", "00CA0000 039000", "00CA0000 049000", "reset")
    card = ReplayCard(log, "command")
    card.power_off()
    card.power_on()
    assert send(card, "00CA0000") == ["019000"]
    card.reset()
    card.reset()
    assert send(card, "00CA0000") == ["039000"]
    card.reset()
    # The last part again.
    assert send(card, "00CA0000", "00CA0000", "00CA0000") == ["039000", "049000", "049000"]


def test_after_the_last_reset_what_came_before_it_is_still_known() -> None:
    card = ReplayCard(of("00CA0000 019000", "00CA0000 029000", "reset", "00CA0001 039000"), "command")
    send(card, "00CA0001")
    card.reset()
    assert send(card, "00CA0000") == ["029000"]


def test_get_response_belongs_to_what_came_before_it() -> None:
    log = of("00CA0001 AA6101", "00C0000001 BB9000", "00CA0002 CC6101", "00C0000001 DD9000")
    card = ReplayCard(log, "command")
    assert send(card, "00CA0002", "00C0000001", "00CA0001", "00C0000001") == ["CC6101", "DD9000", "AA6101", "BB9000"]


def test_a_log_in_which_nothing_was_said_makes_no_card() -> None:
    with pytest.raises(LogError, match="no APDU in the log"):
        ReplayCard(Log((), atr=ATR))
