"""Prompts, on a real terminal: what is asked, what is shown, and what Ctrl-C and Ctrl-D do."""

import re
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

from tests.unit.vsc import processes, samples
from tests.unit.vsc.samples import gids_state
from vsc.factory import admin_key_of
from vsc.store.sqlite import SqliteStore

PATIENCE_S = 30
CTRL_C, CTRL_D = "\x03", "\x04"

# Python 3.12 warns whoever forks while another thread runs, as one of pytest-xdist does.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")


class Terminal:
    """A person at a terminal: reads until a text comes, types, and keeps all that was on the screen."""

    def __init__(self, home: Path, *arguments: str) -> None:
        executable, *module = processes.VSC
        self._child = pexpect.spawn(
            executable,
            [*module, *arguments],
            env=processes.environment(home, {"TERM": "xterm", "COLUMNS": "80"}),
            timeout=PATIENCE_S,
            encoding="utf-8",
            echo=True,
        )
        self._child.delaybeforesend = None
        self._child.ptyproc.delayafterclose = 0
        self.screen = ""

    def reads(self, text: str) -> "Terminal":
        self._child.expect_exact(text)
        self.screen += self._child.before + self._child.after
        return self

    def types(self, text: str) -> "Terminal":
        # A hidden prompt switches the echo off just before it is shown; a visible one leaves it on.
        self._child.send(text)
        return self

    def ends(self, code: int) -> str:
        self._child.expect(pexpect.EOF)
        self.screen += self._child.before
        self._child.wait()
        self._child.close()
        assert self._child.exitstatus == code, self.screen
        assert "Traceback" not in self.screen
        return self.screen.replace("\r\n", "\n")


Person = Callable[..., Terminal]


@pytest.fixture
def person(home: Path) -> Person:
    return lambda *arguments: Terminal(home, *arguments)


def pin_of(store: SqliteStore) -> bytes:
    value = gids_state(store.read("work")).pin.value
    assert value is not None
    return value.reveal()


class TestCreate:
    @pytest.mark.parametrize("options", [(), ("--pin", "prompt")])
    def test_a_pin_is_asked_twice_and_not_shown(
        self, person: Person, store: SqliteStore, options: tuple[str, ...]
    ) -> None:
        terminal = person("create", "work", *options)
        terminal.reads("New PIN: ").types("s3cr3t-1\n").reads("Repeat the new PIN: ").types("s3cr3t-1\n")
        screen = terminal.ends(0)
        assert re.search(r"Made the card 'work', id [0-9a-f-]{36}\.\n$", screen)
        assert "s3cr3t" not in screen
        assert pin_of(store) == b"s3cr3t-1"

    def test_two_that_differ_are_asked_again(self, person: Person, store: SqliteStore) -> None:
        terminal = person("create", "work")
        terminal.reads("New PIN: ").types("first-12\n").reads("Repeat the new PIN: ").types("second-12\n")
        terminal.reads("The two differ.").reads("New PIN: ").types("third-12\n")
        terminal.reads("Repeat the new PIN: ").types("third-12\n")
        screen = terminal.ends(0)
        assert not re.search("first|second|third", screen)
        assert pin_of(store) == b"third-12"

    def test_one_that_breaks_the_policy_is_asked_again(self, person: Person, store: SqliteStore) -> None:
        terminal = person("create", "work", "--pin-policy", "digits=required").reads("with digits")
        terminal.reads("New PIN: ").types("abcdefgh\n")  # It is not to be repeated.
        terminal.reads("digits are required, one at least").reads("New PIN: ").types("abcdefg1\n")
        terminal.reads("Repeat the new PIN: ").types("abcdefg1\n").ends(0)
        assert pin_of(store) == b"abcdefg1"

    @pytest.mark.parametrize("key", [CTRL_C, CTRL_D, "\n"], ids=["ctrl-c", "ctrl-d", "enter"])
    def test_who_will_not_say_cancels(self, person: Person, home: Path, key: str) -> None:
        assert person("create", "work").reads("New PIN: ").types(key).ends(3).endswith("cancelled\n")
        terminal = person("create", "work").reads("New PIN: ").types("s3cr3t-1\n")
        screen = terminal.reads("Repeat the new PIN: ").types(key if key != "\n" else CTRL_C).ends(3)
        assert screen.endswith("cancelled\n")
        assert "s3cr3t" not in screen
        assert not home.exists()

    def test_an_admin_key_is_asked_too(self, person: Person, store: SqliteStore) -> None:
        terminal = person("create", "work", "--pin", "default", "--admin-key", "prompt")
        for question in ("Admin key (48 hexadecimal digits): ", "Repeat for confirmation: "):
            terminal.reads(question).types(f"{samples.ADMIN_KEY.hex()}\n")
        assert samples.ADMIN_KEY.hex() not in terminal.ends(0)
        assert admin_key_of(store.read("work")) == samples.ADMIN_KEY

    def test_a_blank_card_asks_nothing(self, person: Person, store: SqliteStore) -> None:
        assert person("create", "work", "--blank").ends(0) == "Made the blank card 'work'.\n"


class TestPin:
    """Questions of the facade's interaction: hidden, a new PIN twice, again until it is right."""

    def test_a_change(self, person: Person, work: SqliteStore) -> None:
        terminal = person("pin", "change", "work").reads("Enter the PIN of the card 'work'.").reads("3 tries left.")
        terminal.reads("PIN: ").types(f"{samples.PIN.decode()}\n").reads("New PIN: ").types("s3cr3t-1\n")
        screen = terminal.reads("Repeat the new PIN: ").types("s3cr3t-1\n").ends(0)
        assert screen.endswith("The PIN is changed.\n")
        assert "s3cr3t" not in screen
        assert max(map(len, screen.splitlines())) <= 80
        assert pin_of(work) == b"s3cr3t-1"

    def test_a_wrong_one_is_asked_again(self, person: Person, work: SqliteStore) -> None:
        terminal = person("pin", "verify", "work").reads("PIN: ").types("wr0ng-1\n")
        terminal.reads("Wrong PIN, 2 tries left.").reads("PIN: ").types(f"{samples.PIN.decode()}\n")
        assert terminal.ends(0).endswith("The PIN is right.\n")

    @pytest.mark.parametrize("key", [CTRL_C, CTRL_D, "\n"], ids=["ctrl-c", "ctrl-d", "enter"])
    def test_who_will_not_say_cancels(self, person: Person, work: SqliteStore, key: str) -> None:
        screen = person("pin", "change", "work", "--old-pin", "default").reads("New PIN: ").types(key).ends(3)
        assert screen.endswith("cancelled\n")
        assert gids_state(work.read("work")).pin.tries_left == 3

    def test_an_admin_key_is_asked_once_and_not_shown(self, person: Person, work: SqliteStore) -> None:
        terminal = person("pin", "reset", "work").reads("Admin key (48 hexadecimal digits): ")
        terminal.types(f"{samples.ADMIN_KEY.hex()}\n").reads("New PIN: ").types("s3cr3t-1\n")
        screen = terminal.reads("Repeat the new PIN: ").types("s3cr3t-1\n").ends(0)
        assert samples.ADMIN_KEY.hex() not in screen
        assert pin_of(work) == b"s3cr3t-1"

    def test_a_format_is_asked_for(self, person: Person, work: SqliteStore) -> None:
        before = work.read("work")
        question = "Delete the keys and certificates of the card 'work' for good? [y/N]: "
        terminal = person("provision", "work", "--format", "--admin-key", "stored")
        assert terminal.reads(question).types("n\n").ends(3).endswith("cancelled\n")
        assert work.read("work") == before


class TestDestroy:
    QUESTION = "Delete the card 'work' and its keys for good? [y/N]: "

    def test_yes(self, person: Person, work: SqliteStore) -> None:
        assert (
            person("destroy", "work").reads(self.QUESTION).types("y\n").ends(0).endswith("Deleted the card 'work'.\n")
        )
        assert not work.exists("work")

    @pytest.mark.parametrize("answer", ["n\n", "\n", CTRL_C, CTRL_D], ids=["no", "enter", "ctrl-c", "ctrl-d"])
    def test_anything_else(self, person: Person, work: SqliteStore, answer: str) -> None:
        assert person("destroy", "work").reads(self.QUESTION).types(answer).ends(3).endswith("cancelled\n")
        assert work.exists("work")

    def test_a_card_that_is_not_there_is_told_before_the_question(self, person: Person, home: Path) -> None:
        assert person("destroy", "work").ends(4) == "vsc: there is no card called 'work'\n"


def test_a_list_on_a_narrow_terminal_is_not_cut(person: Person, work: SqliteStore) -> None:
    assert samples.UUID_OF_CARD_ID in person("list").ends(0)


def test_transmit_on_a_terminal_answers_line_by_line(person: Person, work: SqliteStore) -> None:
    terminal = person("transmit", "work", "-").types("00200080\n").reads("63C3").types(CTRL_D)
    terminal.ends(0)
