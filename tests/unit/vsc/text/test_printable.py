"""What others have written never reaches a terminal raw, and never without end."""

import json

from hypothesis import given
from hypothesis import strategies as st

from vsc.text.printable import MAX_MESSAGE_CHARACTERS, escaped_json, json_line, message, printable

HOSTILE = "\x1b]0;title\x07\x9b2J\u202e\ud800\r\n\x7f"


@given(st.text())
def test_nothing_is_left_that_a_terminal_obeys(text: str) -> None:
    for shown in (printable(text), message(text), json_line({text: text})):
        assert shown.isprintable()


@given(st.text(st.characters(exclude_categories=("C", "Zl", "Zp", "Zs")), max_size=100))
def test_what_prints_stays(text: str) -> None:
    assert printable(text) == message(text) == text


def test_messages_are_cut() -> None:
    assert len(message("x" * 10**7)) == MAX_MESSAGE_CHARACTERS
    assert message("abcdef", max_characters=4) == "abc…"
    assert message("abcd", max_characters=4) == "abcd"


def test_a_message_is_one_line() -> None:
    assert message("one\n\ttwo\r\nthree") == "one two three"
    assert message(ValueError(HOSTILE)).isprintable()


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_says_the_same(value: object) -> None:
    assert json.loads(json_line(value)) == value


def test_ends_of_lines_stay_in_a_text_of_several() -> None:
    assert escaped_json('["ä\x9b"]\n') == '["ä\\u009b"]\n'
