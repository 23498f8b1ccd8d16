"""vsc.interaction.terminal, on a real terminal."""

import os

import pytest

from tests.unit.vsc.interaction.person import CTRL_C, CTRL_D, Person, answer
from vsc.errors import VscError
from vsc.interaction import Question, QuestionKind, TerminalInteraction

# Python 3.12 warns whoever forks while another thread runs, as one of pytest-xdist does.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")

POLICY = "PinPolicy(6, 12, digits=CharacterRule.REQUIRE_AT_LEAST_ONE)"
NEW_PIN = f"TerminalInteraction().new_pin(Question(NEW, 'work', {POLICY}))"
AGAIN = f"TerminalInteraction().new_pin(Question(NEW, 'work', {POLICY}, problem='digits are required'))"
CURRENT_PIN = "TerminalInteraction().current_pin(Question(CURRENT, 'work', tries_left=3, problem='wrong PIN'))"
DELETION = "TerminalInteraction().consent_to_deletion(Question(DELETION, 'work'))"


class TestNewPin:
    def test_it_is_asked_twice_and_not_shown(self) -> None:
        person = Person(NEW_PIN).reads("New PIN: ").types("s3cr3t-1\n").reads("Repeat the new PIN: ")
        screen = person.types("s3cr3t-1\n").ends()
        assert screen.startswith("Choose a new PIN for the card 'work'.\r\n6 to 12 characters; with digits; no blanks")
        assert screen.endswith(answer(b"s3cr3t-1"))
        assert "s3cr3t" not in screen

    def test_two_that_differ_are_asked_again(self) -> None:
        person = (
            Person(NEW_PIN).reads("New PIN: ").types("first-12\n").reads("Repeat the new PIN: ").types("other-12\n")
        )
        person.reads("The two differ.\r\n").reads("New PIN: ").types("third-12\n")
        assert person.reads("Repeat the new PIN: ").types("third-12\n").ends().endswith(answer(b"third-12"))

    def test_one_that_breaks_the_rules_is_not_to_be_repeated(self) -> None:
        person = Person(NEW_PIN).reads("New PIN: ").types("short\n").reads("6 to 12 characters")
        person = person.reads("New PIN: ").types("no-digit\n").reads("New PIN: ").types("s3cr3t-1\n")
        screen = person.reads("Repeat the new PIN: ").types("s3cr3t-1\n").ends()
        assert screen.count("Repeat") == 1
        assert screen.count("The new PIN is refused: ") == 2
        assert screen.endswith(answer(b"s3cr3t-1"))

    def test_it_says_why_it_asks_again(self) -> None:
        assert (
            Person(AGAIN).reads("New PIN: ").types("\n").ends().startswith("Digits are required.\r\nChoose a new PIN")
        )

    @pytest.mark.parametrize("key", ["\n", CTRL_C, CTRL_D, f"123{CTRL_C}"], ids=["empty", "ctrl-c", "ctrl-d", "half"])
    def test_who_will_not_say_cancels(self, key: str) -> None:
        assert Person(NEW_PIN).reads("New PIN: ").types(key).ends().endswith("ANSWER: None\r\n")

    @pytest.mark.parametrize("key", [CTRL_C, CTRL_D])
    def test_who_will_not_repeat_it_cancels(self, key: str) -> None:
        person = Person(NEW_PIN).reads("New PIN: ").types("s3cr3t-1\n").reads("Repeat the new PIN: ").types(key)
        assert person.ends().endswith("ANSWER: None\r\n")


class TestCurrentPin:
    def test_it_is_asked_once_with_what_to_know(self) -> None:
        screen = Person(CURRENT_PIN).reads("PIN: ").types("s3cr3t-1\n").ends()
        assert screen.startswith("Wrong PIN.\r\nEnter the PIN of the card 'work'.\r\n3 tries left.\r\nPIN: \r\n")
        assert screen.endswith(answer(b"s3cr3t-1"))

    @pytest.mark.parametrize("key", ["\n", CTRL_C, CTRL_D])
    def test_who_will_not_say_cancels(self, key: str) -> None:
        assert Person(CURRENT_PIN).reads("PIN: ").types(key).ends().endswith("ANSWER: None\r\n")

    def test_a_typing_error_can_be_mended(self) -> None:
        person = Person(CURRENT_PIN).reads("PIN: ").types("wrong\x15")  # Ctrl-U: the whole line.
        assert person.types("s3cr3x\x7fet\n").ends().endswith(answer(b"s3cr3et"))

    def test_bytes_that_are_no_text_are_the_pin(self) -> None:
        person = Person(CURRENT_PIN).reads("PIN: ").types("12\udcff34\n")
        assert person.ends().endswith(answer(b"12\xff34"))

    def test_what_was_typed_before_is_no_answer(self) -> None:
        slow = "import time, termios, sys, os\nprint('typing', flush=True)\nsys.stdin.readline()\n"
        person = Person(CURRENT_PIN, prelude=slow).reads("typing").types("go\nearly\n")
        assert person.reads("PIN: ").types("late\n").ends().endswith(answer(b"late"))

    def test_in_a_thread_that_is_not_the_main_one_ctrl_c_cancels_too(self) -> None:
        expression = (
            f"__import__('concurrent.futures').futures.ThreadPoolExecutor().submit(lambda: {CURRENT_PIN}).result()"
        )
        assert Person(expression).reads("PIN: ").types(CTRL_C).ends().endswith("ANSWER: None\r\n")

    def test_the_terminal_is_as_before_afterwards(self) -> None:
        flags = "__import__('termios').tcgetattr(0)"
        expression = f"[{flags}, {CURRENT_PIN}, {flags}]"
        script = f"(lambda before, pin, after: before == after)(*{expression})"
        for key in ("1234\n", CTRL_C):
            assert Person(script).reads("PIN: ").types(key).ends().endswith("ANSWER: True\r\n")

    def test_wherever_stdin_and_stdout_go(self) -> None:
        elsewhere = "import os\nkeep = os.dup(1)\nos.dup2(os.open('/dev/null', os.O_RDWR), 0)\nos.dup2(0, 1)\n"
        back = f"({CURRENT_PIN}, os.dup2(keep, 1))[0]"
        assert Person(back, prelude=elsewhere).reads("PIN: ").types("1234\n").ends().endswith(answer(b"1234"))


class TestDeletion:
    @pytest.mark.parametrize(
        ("typed", "consents"),
        [("y\n", True), ("YES\n", True), ("n\n", False), ("\n", False), (CTRL_C, False), (CTRL_D, False)],
    )
    def test_only_yes_is_yes(self, typed: str, consents: bool) -> None:
        person = Person(DELETION).reads("Delete the card 'work' and its keys for good? [y/N]: ").types(typed)
        assert person.ends().endswith(f"ANSWER: {consents}\r\n")


def test_a_name_cannot_command_the_terminal() -> None:
    person = Person("TerminalInteraction().current_pin(Question(CURRENT, 'a\\x1b[2J\\nb'))")
    screen = person.reads("PIN: ").types("\n").ends()
    assert "Enter the PIN of the card 'a\N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}b'." in screen


def test_without_a_terminal() -> None:
    question = Question(QuestionKind.CURRENT_PIN, "work")
    with pytest.raises(VscError, match="no terminal to ask on: No such file"):
        TerminalInteraction("/nowhere/tty").current_pin(question)
    assert not TerminalInteraction.is_available("/nowhere/tty")
    with pytest.raises(VscError, match="/dev/null is no terminal to ask on"):
        TerminalInteraction(os.devnull).current_pin(question)
