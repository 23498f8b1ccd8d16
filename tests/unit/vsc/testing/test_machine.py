"""`CardMachine` beside the real card passes; whatever a middleware does wrong, it says so in words."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from card_os.pin import CharacterRule, PinPolicy
from vsc.errors import AuthenticationRequired, RefusedError, WrongPin
from vsc.testing import CardMachine, SoftCard
from vsc.testing.counters import counters, without_counters

FEW = settings(deadline=None, stateful_step_count=12, max_examples=12)
HUNT = settings(
    deadline=None, stateful_step_count=30, max_examples=500, derandomize=True, database=None, phases=(Phase.generate,)
)


class WithPolicy(CardMachine):
    policy = PinPolicy(6, 9, digits=CharacterRule.REQUIRE_AT_LEAST_ONE)
    pin = "123456a"
    tries = 1
    admin_tries = None
    max_rsa_bits = 0


TestCardMachine = CardMachine.TestCase
TestCardMachine.settings = FEW
TestWithPolicy = WithPolicy.TestCase
TestWithPolicy.settings = FEW


class BadPin(Exception):
    """What another middleware raises."""


class WithOtherErrors(CardMachine):
    errors: ClassVar = {BadPin: WrongPin}

    def do_verify(self, pin: str) -> None:
        try:
            super().do_verify(pin)
        except WrongPin:
            raise BadPin from None


TestWithOtherErrors = WithOtherErrors.TestCase
TestWithOtherErrors.settings = FEW


# --- middleware that is wrong ----------------------------------------------------------------------------------------


class SaysDone(CardMachine):
    def do_verify(self, pin: str) -> None:
        try:
            super().do_verify(pin)
        except RefusedError:
            return


class RefusesWrongly(CardMachine):
    def do_log_out(self) -> None:
        raise AuthenticationRequired("logging out")


class TriesTwice(CardMachine):
    def do_verify(self, pin: str) -> None:
        try:
            super().do_verify(pin)
        except WrongPin:
            super().do_verify(pin)


class TriesTwiceAndHidesIt(CardMachine):
    errors: ClassVar = {BadPin: WrongPin}

    def do_verify(self, pin: str) -> None:
        try:
            super().do_verify(pin)
        except WrongPin:
            with suppress(WrongPin):
                super().do_verify(pin)
            raise BadPin from None


class TellsTheTriesWrong(CardMachine):
    def do_verify(self, pin: str) -> None:
        try:
            super().do_verify(pin)
        except WrongPin as error:
            raise WrongPin(error.tries_left + 1) from None


class ReadsWithoutThePin(CardMachine):
    """It writes private objects where everybody can read them."""

    def do_write(self, number: int, value: bytes, *, private: bool) -> None:
        super().do_write(number, value, private=False)


class WritesForAll(CardMachine):
    """It makes the file of private objects one that anybody may read."""

    def do_write(self, number: int, value: bytes, *, private: bool) -> None:
        super().do_write(number, value, private=private)
        send = self.player.connection.transmit
        for command in ("00A4000C 02 A013", "00E40000", "00E00000 0E 620C 820139 8302A013 8C03033000", "00440000"):
            assert send(bytes.fromhex(command)) == b"\x90\x00"
        super().do_write(number, value, private=private)


class LosesBytes(CardMachine):
    def do_read(self, number: int, *, private: bool) -> bytes | None:
        found = super().do_read(number, private=private)
        return found and found[:1]


class ChangesAndRefuses(CardMachine):
    def do_change(self, old: str, new: str) -> None:
        super().do_change(old, new)
        raise WrongPin(self.player.pin_tries[0])


class ChangesBeforeItAsks(CardMachine):
    """It sets the new PIN by the admin key, whatever the old one was."""

    def do_change(self, old: str, new: str) -> None:
        super().do_reset_pin(new, self.model.admin_key)
        super().do_change(old, new)


class ForgetsToChange(CardMachine):
    def do_reset_pin(self, new: str, admin_key: bytes) -> None:
        super().do_reset_pin(self.pin, admin_key)


class Broken(CardMachine):
    """What is no error of a card goes through."""

    def do_verify(self, pin: str) -> None:
        raise LookupError("what is this")


Rules = Callable[[Any], object]


def login_and_write(machine: CardMachine) -> None:
    machine.verify()
    machine.write(0, b"abc", True)


def read_back(machine: CardMachine) -> None:
    login_and_write(machine)
    machine.read(0, True)


@pytest.mark.parametrize(
    ("kind", "rules", "words"),
    [
        (
            SaysDone,
            lambda machine: machine.verify(knows_pin=False),
            "verify a wrong PIN: the model expects it to be refused: WrongPin; it was done",
        ),
        (
            RefusesWrongly,
            lambda machine: machine.log_out(),
            "log out: the model expects it to be done; it was refused: AuthenticationRequired, logging out needs",
        ),
        (
            TriesTwice,
            lambda machine: machine.verify(knows_pin=False),
            "verify a wrong PIN: 1 tries left were told, 2 are",
        ),
        (
            TriesTwiceAndHidesIt,
            lambda machine: machine.verify(knows_pin=False),
            "PIN tries: the card has 1 of 3, the model 2",
        ),
        (TellsTheTriesWrong, lambda machine: machine.verify(knows_pin=False), "3 tries left were told, 2 are"),
        (ReadsWithoutThePin, read_back, "read an object: None came, b'abc' was written"),
        (WritesForAll, login_and_write, "private object 0 can be read without the PIN"),
        (LosesBytes, read_back, "read an object: b'a' came, b'abc' was written"),
        (
            ChangesAndRefuses,
            lambda machine: machine.change("2468"),
            "the model expects it to be done; it was refused: WrongPin",
        ),
        (
            ChangesBeforeItAsks,
            lambda machine: machine.change("2468", knows_old=False),
            "change the PIN with a wrong old one was refused, and changed the card: PIN",
        ),
        (
            ForgetsToChange,
            lambda machine: machine.reset_pin("2468"),
            "the PIN of the card is not the one that was set last",
        ),
        (Broken, lambda machine: machine.verify(), "what is this"),
    ],
)
def test_what_is_wrong_is_said(kind: type[CardMachine], rules: Rules, words: str) -> None:
    machine = kind()
    machine.insert()
    with pytest.raises((AssertionError, LookupError), match=words):
        run_rules(machine, rules)


def run_rules(machine: CardMachine, rules: Rules) -> None:
    rules(machine)
    machine.tries_are_those_of_the_model()
    machine.secrets_are_those_of_the_model()
    machine.nothing_is_readable_without_its_right()


def test_hypothesis_finds_such_things_by_itself() -> None:
    with pytest.raises(AssertionError, match=r"read an object: b'.*' came, b'.*' was written"):
        run_state_machine_as_test(LosesBytes, settings=HUNT)


def test_counters_are_found_wherever_they_are() -> None:
    card = SoftCard.make(tries=3, admin_tries=7, puk="12345678")
    before = card.persistent
    assert counters(before) == ((3, 3), (3, 3), (7, 7))
    with pytest.raises(WrongPin):
        card.gids().verify_pin(b"00000000")
    assert counters(card.persistent) == ((2, 3), (3, 3), (7, 7))
    assert card.persistent != before
    assert without_counters(card.persistent) == without_counters(before)
    card.gids().verify_pin(b"12345678")
    card.gids().connection.close()
    other = SoftCard.make(pin="another PIN")
    assert without_counters(other.persistent) != without_counters(before)
