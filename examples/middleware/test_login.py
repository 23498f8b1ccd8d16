"""`CardMachine` drives the middleware of `login.py` beside a model of the card.

`LoginMachine` passes. `OldLoginMachine` is the same with version 1.0, and hypothesis finds what was wrong with it.
"""

import sys
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import invariant, run_state_machine_as_test

sys.path.insert(0, str(Path(__file__).parent))
from login import Login

from vsc.testing.machine import CardMachine

# The same examples every time, and no long explanation: this one is to be read.
HUNT = settings(
    deadline=None,
    stateful_step_count=6,
    max_examples=1_000,
    derandomize=True,
    database=None,
    phases=(Phase.generate, Phase.shrink),
)


class LoginMachine(CardMachine):
    remembers_pin = True
    has_public_objects = False
    max_rsa_bits = 0
    has_the_bug: ClassVar[bool] = False

    def start(self) -> None:
        self.login = Login(self.connection, has_the_bug=self.has_the_bug)

    def do_verify(self, pin: str) -> None:
        self.login.log_in(pin)

    def do_log_out(self) -> None:
        self.login.log_out()

    def do_change(self, old: str, new: str) -> None:
        self.login.change_pin(old, new)

    def do_reset_pin(self, new: str, admin_key: bytes) -> None:
        self.login.unblock(new, admin_key)

    def do_write(self, number: int, value: bytes, *, private: bool) -> None:
        assert private
        self.login.save_note(number, value)

    def do_read(self, number: int, *, private: bool) -> bytes | None:
        return self.login.note(number)

    def do_remove_and_insert(self) -> None:
        super().do_remove_and_insert()
        self.login.insert(self.connection)

    @invariant()
    def the_tries_shown_are_those_of_the_card(self) -> None:
        assert self.login.tries_left == self.model.tries_left


class OldLoginMachine(LoginMachine):
    has_the_bug = True


TestLogin = LoginMachine.TestCase
TestLogin.settings = settings(deadline=None, max_examples=25, stateful_step_count=20)


def test_hypothesis_finds_what_was_wrong_with_version_1() -> None:
    with pytest.raises(AssertionError, match="the model expects it to be done; it was refused") as caught:
        run_state_machine_as_test(OldLoginMachine, settings=HUNT)
    said = "\n".join(caught.value.__notes__)
    # Another PIN, the card forgets who was verified, and the old PIN is entered again.
    assert "state.change(knows_old=True, new='0000')" in said
    assert "state.remove_and_insert()" in said or "state.reset()" in said
    assert "state.block()" not in said
