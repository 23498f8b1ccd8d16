"""Logs as conversations."""

from tests.unit.vsc.replay.samples import of
from vsc.replay.conversation import Conversation, conversations


def whole(*pairs: str) -> list[tuple[int, int, str, str]]:
    """Place, end, data of the command, answer with its status word."""
    return [(one.place, one.end, one.ask.data.hex(), answer(one)) for one in conversations(of(*pairs).entries)]


def answer(one: Conversation) -> str:
    return f"{one.data.hex()}{one.sw:04x}"


def test_an_answer_that_was_fetched_in_pieces() -> None:
    assert whole("00CB3FFF015C00 AA6110", "00C0000010 BB6102", "00C0000002 CC9000", "00CA0000 6A88") == [
        (0, 3, "5c", "aabbcc9000"),
        (3, 4, "", "6a88"),
    ]


def test_one_that_was_told_its_length_first() -> None:
    """T=0: no data with 61xx; and GET RESPONSE may be told another length, too."""
    pairs = ("00A4040001A000 6102", "00C0000000 6C02", "00C0000002 AABB9000")
    assert whole(*pairs) == [(0, 3, "a0", "aabb9000")]


def test_one_that_was_not_fetched_to_its_end() -> None:
    assert whole("00CB3FFF015C00 AA6110", "00CA0000 6A88") == [(0, 1, "5c", "aa6110"), (1, 2, "", "6a88")]


def test_a_chain_is_one_command() -> None:
    pairs = ("10CB3FFF02AABB 9000", "10CB3FFF01CC 9000", "00CB3FFF01DD00 EE9000")
    assert whole(*pairs) == [(2, 3, "aabbccdd", "ee9000")]
    assert [one.start for one in conversations(of("00CA0000 9000", *pairs).entries)] == [0, 1]


def test_a_piece_that_was_refused_is_one_of_its_own() -> None:
    assert whole("10CB3FFF02AABB 6884", "00CB3FFF01DD00 EE9000") == [(0, 1, "aabb", "6884"), (1, 2, "dd", "ee9000")]


def test_a_reset_ends_a_chain_and_the_state() -> None:
    assert whole("10CB3FFF02AABB 9000", "reset", "00CB3FFF01DD00 EE9000") == [(1, 2, "dd", "ee9000")]
    states = [
        one.state for one in conversations(of("00200080013100 9000", "00CA0000 9000", "reset", "00CA0000 9000").entries)
    ]
    assert states[0] == states[2] != states[1]


def test_channels_have_states_of_their_own() -> None:
    first, other = conversations(of("00200080013100 9000", "01CA0000 9000", "00CA0000 9000").entries)[1:]
    assert first.state.proven == frozenset()
    assert other.state.proven == {(0x20, 0x80)}
