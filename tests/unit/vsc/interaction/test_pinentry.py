"""vsc.interaction.pinentry with the real programs of Debian, on a real terminal."""

import functools
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.interop.need import require_tool
from tests.unit.vsc.interaction.person import CTRL_C, Person, answer
from vsc.interaction import PinentryInteraction, Question, QuestionKind
from vsc.interaction.pinentry import PinentryError

# Python 3.12 warns whoever forks while another thread runs, as one of pytest-xdist does.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")

POLICY = "PinPolicy(6, 12, digits=CharacterRule.REQUIRE_AT_LEAST_ONE)"
TAB = "\t"
BACKSPACES = "\x7f" * 10
TO_CANCEL = f"{TAB}{TAB}\r"


def asking(program: str, call: str) -> Person:
    """The question by that program, run as gpg runs it: DISPLAY unset, on the terminal of the process."""
    path = require_tool(program)
    os.environ.pop("DISPLAY", None)
    return PatientPerson(f"PinentryInteraction({path!r}).{call}", environment={"GPG_TTY": ""})


@functools.cache
def has_one_box() -> bool:
    """Whether pinentry-curses is one that asks twice in one box."""
    said = subprocess.run(
        [require_tool("pinentry-curses"), "--version"], capture_output=True, text=True, check=True
    ).stdout
    version = re.search(r"(\d+)\.(\d+)", said)
    return version is not None and (int(version[1]), int(version[2])) >= (1, 3)


class PatientPerson(Person):
    """Types when the echo is off: pinentry shows its prompt a moment before that."""

    def types(self, text: str) -> Person:
        assert self._child.waitnoecho()
        return super().types(text)


class TestOnALineTerminal:
    PROGRAM = "pinentry-tty"

    def test_a_new_pin_is_asked_twice_by_pinentry_and_not_shown(self) -> None:
        person = asking(self.PROGRAM, f"new_pin(Question(NEW, 'work 100%', {POLICY}))")
        screen = person.reads("New PIN").types("s3%cr3t\n").reads("Repeat").types("s3%cr3t\n").ends()
        assert "Choose a new PIN for the card 'work 100%'." in screen
        assert "6 to 12 characters; with digits; no blanks" in screen
        assert "cr3t" not in screen
        assert screen.endswith(answer(b"s3%cr3t"))

    def test_two_that_differ_are_asked_again(self) -> None:
        person = asking(self.PROGRAM, "new_pin(Question(NEW, 'work'))")
        person.reads("New PIN").types("first-1\n").reads("Repeat").types("other-1\n")
        person.reads("The two differ.").reads("New PIN").types("third-1\n").reads("Repeat").types("third-1\n")
        assert person.ends().endswith(answer(b"third-1"))

    def test_the_current_pin_with_what_to_know(self) -> None:
        person = asking(self.PROGRAM, "current_pin(Question(CURRENT, 'wörk', tries_left=3, problem='wrong PIN'))")
        screen = person.reads("PIN:").types("1234é\n").ends()
        for words in ("Wrong PIN.", "Enter the PIN of the card 'wörk'.", "3 tries left."):
            assert words in screen
        assert screen.endswith(answer("1234é".encode()))

    def test_ctrl_c_and_an_empty_line_cancel(self) -> None:
        for typed in (CTRL_C, "\n"):
            person = asking(self.PROGRAM, "current_pin(Question(CURRENT, 'work'))").reads("PIN:").types(typed)
            assert person.ends().endswith("ANSWER: None\r\n")

    @pytest.mark.parametrize(("typed", "consents"), [("d", True), ("c", False)])
    def test_deletion(self, typed: str, consents: bool) -> None:
        person = asking(self.PROGRAM, "consent_to_deletion(Question(DELETION, 'work'))")
        screen = person.reads("Delete the card 'work' and its keys for good?").reads("?").types(typed).ends()
        assert screen.endswith(f"ANSWER: {consents}\r\n")


class TestOnAScreen:
    """Enter is a carriage return there: the program reads keys, not lines. Before 1.3 it cannot ask twice by itself;
    since then it has two lines in one box, and Tab goes from one to the next."""

    PROGRAM = "pinentry-curses"

    @staticmethod
    def types_twice(person: Person, first: str, second: str) -> Person:
        """Answers the question for a new PIN as this pinentry puts it."""
        person.reads("New PIN:").reads("Cancel>")
        if has_one_box():
            return person.types(f"{first}{TAB}{second}\r")
        return person.types(f"{first}\r").reads("Repeat the new PIN:").reads("Cancel>").types(f"{second}\r")

    def test_a_new_pin_is_asked_twice_by_us_and_not_shown(self) -> None:
        person = asking(self.PROGRAM, "new_pin(Question(NEW, 'work'))")
        screen = self.types_twice(person, "s3cr3t-1", "s3cr3t-1").ends()
        assert "s3cr3t" not in screen
        assert screen.endswith(answer(b"s3cr3t-1"))

    def test_two_that_differ_are_asked_again(self) -> None:
        person = asking(self.PROGRAM, "new_pin(Question(NEW, 'work'))")
        self.types_twice(person, "first-1", "other-1").reads("The two differ.")
        if has_one_box():  # It stands as it was, at OK: behind that are Cancel and the two lines.
            screen = person.types(f"{TAB * 3}{BACKSPACES}first-1\r").ends()
            assert screen.endswith(answer(b"first-1"))
            return
        screen = self.types_twice(person, "third-1", "third-1").ends()
        assert screen.endswith(answer(b"third-1"))

    @pytest.mark.parametrize("typed", [TO_CANCEL, CTRL_C, "\r"], ids=["cancel", "ctrl-c", "empty"])
    def test_who_will_not_say_cancels(self, typed: str) -> None:
        person = asking(self.PROGRAM, "current_pin(Question(CURRENT, 'work', tries_left=3))").reads("Cancel>")
        assert person.types(typed).ends().endswith("ANSWER: None\r\n")

    def test_who_will_not_repeat_it_cancels(self) -> None:
        person = asking(self.PROGRAM, "new_pin(Question(NEW, 'work'))").reads("Cancel>")
        if has_one_box():
            person.types(f"first-1{TAB}{CTRL_C}")
        else:
            person.types("first-1\r").reads("Repeat the new PIN:").reads("Cancel>").types(TO_CANCEL)
        assert person.ends().endswith("ANSWER: None\r\n")

    @pytest.mark.parametrize(("typed", "consents"), [("\r", True), (f"{TAB}\r", False), (CTRL_C, False)])
    def test_deletion(self, typed: str, consents: bool) -> None:
        person = asking(self.PROGRAM, "consent_to_deletion(Question(DELETION, 'work'))").reads("Cancel>")
        assert person.types(typed).ends().endswith(f"ANSWER: {consents}\r\n")


QUESTION = Question(QuestionKind.CURRENT_PIN, "work")


def test_a_program_that_is_not_there_is_told_with_what_to_do() -> None:
    with pytest.raises(PinentryError, match=r"no program 'pinentry-of-nobody'.*on Debian: pinentry-curses"):
        PinentryInteraction("pinentry-of-nobody").current_pin(QUESTION)
    assert not PinentryInteraction.is_available("pinentry-of-nobody")


def test_it_needs_a_screen_to_ask_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("DISPLAY", "WAYLAND_DISPLAY", "GPG_TTY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr("vsc.interaction.pinentry._own_terminal", lambda: None)
    assert not PinentryInteraction.is_available("sh")
    monkeypatch.setenv("DISPLAY", ":0")
    assert PinentryInteraction.is_available("sh")


def test_a_program_that_says_nothing() -> None:
    with pytest.raises(PinentryError, match="true ended without an answer"):
        PinentryInteraction("true").current_pin(QUESTION)


def test_a_program_that_says_something_else() -> None:
    with pytest.raises(PinentryError, match=r"ls does not speak as a pinentry|ls ended without an answer"):
        PinentryInteraction("ls").current_pin(QUESTION)


def test_a_program_that_cannot_be_started(tmp_path: Path) -> None:
    program = tmp_path / "pinentry"
    program.write_bytes(b"\x7fELF nonsense")
    program.chmod(0o700)
    with pytest.raises(PinentryError, match="cannot be started: Exec format error"):
        PinentryInteraction(str(program)).current_pin(QUESTION)
