"""vsc.interaction.wording: what people read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_os.pin import NO_POLICY, CharacterRule, PinPolicy
from vsc.interaction import Question, QuestionKind
from vsc.interaction.wording import details, problem, rules, title
from vsc.text.printable import printable

REQUIRED, DISALLOWED = CharacterRule.REQUIRE_AT_LEAST_ONE, CharacterRule.DISALLOW


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (NO_POLICY, "4 to 127 characters."),
        (PinPolicy(), "8 to 127 characters; no blanks and other characters."),
        (PinPolicy(6, 6, other=CharacterRule.ALLOW), "6 characters."),
        (
            PinPolicy(6, 9, uppercase=DISALLOWED, lowercase=REQUIRED, digits=REQUIRED),
            "6 to 9 characters; with small letters, digits; no capital letters, blanks and other characters.",
        ),
    ],
)
def test_a_policy_in_one_sentence(policy: PinPolicy, words: str) -> None:
    assert rules(policy) == words


def test_rules_for_a_new_pin_and_tries_for_a_current_one() -> None:
    assert details(Question(QuestionKind.NEW_PIN, "c", NO_POLICY)) == ("4 to 127 characters.",)
    assert details(Question(QuestionKind.NEW_PIN, "c")) == ()
    assert details(Question(QuestionKind.CURRENT_PIN, "c", NO_POLICY, tries_left=1)) == ("1 try left.",)
    assert details(Question(QuestionKind.CURRENT_PIN, "c", tries_left=2)) == ("2 tries left.",)


@pytest.mark.parametrize(
    ("given_problem", "words"),
    [(None, None), ("", None), ("wrong PIN", "Wrong PIN."), ("It is wrong.", "It is wrong.")],
)
def test_a_problem_is_a_sentence(given_problem: str | None, words: str | None) -> None:
    assert problem(Question(QuestionKind.NEW_PIN, "c", problem=given_problem)) == words


@given(st.text(), st.sampled_from(QuestionKind))
def test_a_title_is_one_printable_line_whatever_the_name(name: str, kind: QuestionKind) -> None:
    words = title(Question(kind, name))
    assert words.isprintable()
    assert len(printable(name)) == len(name)
    assert printable(name) in words
