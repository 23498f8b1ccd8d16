"""The login program, and cards that do what one of plastic does once in a year, if ever.

Each test runs twice: with the program as a process of its own, as people start it, and inside this one, where a
debugger and a coverage tool see it. Both have libpcsclite between them and the card.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import login
import pytest
from login import Exit
from smartcard import scard

from vsc import CharacterRule, PinPolicy

PROGRAM = Path(__file__).parents[1] / "login.py"
PIN, NEW_PIN = "24681357", "97531864"

pytestmark = pytest.mark.virtual_card(pin=PIN, name="Ada Lovelace")


@dataclass
class Result:
    """What the program says to a script (code) and to a person."""

    code: int
    out: str
    err: str


LogIn = Callable[..., Result]


@pytest.fixture(params=["subprocess", "inprocess"])
def log_in(request, card_user, pcsc_env, capsys, monkeypatch) -> LogIn:
    """Runs the program for the user of the card."""

    def run(
        pin: str = PIN, new_pin: str | None = None, *, ca: Path = card_user.ca_bundle, timeout: float = 30
    ) -> Result:
        words = ["--ca", str(ca), "--timeout", str(timeout)]
        pins = {"LOGIN_PIN": pin}
        if new_pin is not None:
            words.append("--change-pin")
            pins["LOGIN_NEW_PIN"] = new_pin
        if request.param == "inprocess":
            with monkeypatch.context() as patch:
                for name, value in pins.items():
                    patch.setenv(name, value)
                code = login.main(words)
            return Result(code, *capsys.readouterr())
        command = [sys.executable, str(PROGRAM), *words]
        done = subprocess.run(command, env=pcsc_env | pins, capture_output=True, text=True, timeout=60, check=False)
        return Result(done.returncode, done.stdout, done.stderr)

    return run


def test_the_right_pin(log_in: LogIn) -> None:
    assert log_in() == Result(Exit.OK, "Ada Lovelace has logged in\n", "")


def test_a_wrong_pin_costs_a_try_and_the_right_one_gives_it_back(log_in: LogIn, virtual_card) -> None:
    before = virtual_card.snapshot()
    assert log_in("1234") == Result(Exit.WRONG_PIN, "", "login: wrong PIN, tries left: 4\n")
    assert str(virtual_card.diff(before)) == "PIN tries 5 -> 4"
    assert log_in().code == Exit.OK
    assert not virtual_card.diff(before)


@pytest.mark.virtual_card(tries=2)
def test_a_blocked_pin(log_in: LogIn) -> None:
    assert log_in("1234").code == Exit.WRONG_PIN
    blocked = Result(Exit.BLOCKED, "", "login: the PIN is blocked: ask for a new one\n")
    assert log_in("1234") == blocked
    assert log_in() == blocked


def test_a_new_pin(log_in: LogIn) -> None:
    assert log_in(new_pin=NEW_PIN) == Result(Exit.OK, "Ada Lovelace has logged in and has a new PIN\n", "")
    assert log_in().code == Exit.WRONG_PIN
    assert log_in(NEW_PIN).code == Exit.OK


@pytest.mark.virtual_card(policy=PinPolicy(min_length=6, lowercase=CharacterRule.DISALLOW))
@pytest.mark.parametrize("forbidden", ["97531", "letters97531"])
def test_a_new_pin_that_the_card_forbids(log_in: LogIn, virtual_card, forbidden: str) -> None:
    before = virtual_card.snapshot()
    refused = log_in(new_pin=forbidden)
    assert refused.code == Exit.POLICY
    assert refused.err == "login: the rules of this card forbid that new PIN; the old one holds\n"
    assert not virtual_card.diff(before)
    assert log_in().code == Exit.OK


@pytest.mark.parametrize("command", ["VERIFY", "PERFORM-SECURITY-OPERATION"])
def test_the_card_is_taken_out_in_mid_transaction(log_in: LogIn, virtual_reader, virtual_card, command: str) -> None:
    virtual_reader.inject(f"remove before {command}")
    assert log_in() == Result(Exit.REMOVED, "", "login: the card was taken out\n")
    virtual_reader.insert(virtual_card)
    assert log_in().code == Exit.OK


def test_another_client_resets_the_card_once(log_in: LogIn, virtual_reader) -> None:
    virtual_reader.inject("reset before VERIFY")
    again = "login: another program reset the card, starting again\n"
    assert log_in() == Result(Exit.OK, "Ada Lovelace has logged in\n", again)


def test_another_client_resets_the_card_again_and_again(log_in: LogIn, virtual_reader) -> None:
    virtual_reader.inject("reset before VERIFY every")
    result = log_in()
    assert result.code == Exit.BUSY
    assert result.err.splitlines()[-1] == "login: another program keeps resetting the card"
    assert len(result.err.splitlines()) == login.ATTEMPTS


def test_another_client_has_the_card_for_itself(log_in: LogIn, virtual_reader) -> None:
    context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)[1]
    exclusive = scard.SCARD_SHARE_EXCLUSIVE
    handle = scard.SCardConnect(context, virtual_reader.name, exclusive, scard.SCARD_PROTOCOL_T1)[1]
    assert log_in() == Result(Exit.BUSY, "", "login: another program has the card for itself\n")
    scard.SCardDisconnect(handle, scard.SCARD_LEAVE_CARD)
    scard.SCardReleaseContext(context)
    assert log_in().code == Exit.OK


def test_another_client_has_the_card_for_a_moment(log_in: LogIn, virtual_reader) -> None:
    virtual_reader.inject("share before VERIFY")  # libpcsclite asks again by itself.
    assert log_in() == Result(Exit.OK, "Ada Lovelace has logged in\n", "")


def test_a_slow_card(log_in: LogIn, virtual_reader) -> None:
    virtual_reader.inject("delay 200ms on VERIFY", "delay 200ms on PERFORM-SECURITY-OPERATION")
    assert log_in().code == Exit.OK


def test_a_card_that_is_too_slow(log_in: LogIn, virtual_reader) -> None:
    virtual_reader.inject("delay 200ms on SELECT")
    assert log_in(timeout=0.1) == Result(Exit.TIMEOUT, "", "login: the card is too slow\n")


def test_no_card_comes(log_in: LogIn, virtual_reader) -> None:
    virtual_reader.eject()
    assert log_in(timeout=0.1) == Result(Exit.TIMEOUT, "", "login: no card was put into a reader in time\n")


@pytest.mark.parametrize(
    ("cut", "pin"),
    [
        ("before commit 1", PIN),  # A try is taken away before the old PIN is compared,
        ("before commit 2", PIN),  # given back afterwards,
        ("before commit 3", PIN),  # and then the new PIN is written.
        ("after commit 3", NEW_PIN),
    ],
)
def test_the_power_goes_while_the_pin_is_changed(log_in, virtual_reader, virtual_card, cut: str, pin: str) -> None:
    virtual_reader.inject(f"tear {cut} on CHANGE-REFERENCE-DATA")
    either = "login: the card was taken out; its PIN is the old one or the new one: log in with either\n"
    assert log_in(new_pin=NEW_PIN) == Result(Exit.REMOVED, "", either)
    virtual_reader.insert(virtual_card)
    assert log_in(pin).code == Exit.OK


def test_a_card_that_does_not_answer(log_in: LogIn, virtual_reader) -> None:
    virtual_reader.inject("mute on VERIFY")
    assert log_in() == Result(Exit.CARD, "", "login: the card does not answer\n")


def test_pcsc_goes_away(log_in: LogIn, virtual_reader) -> None:
    virtual_reader.inject("gone before VERIFY and back")
    assert log_in() == Result(Exit.NO_READER, "", "login: the reader or the PC/SC service is gone\n")
    assert log_in().code == Exit.OK


def test_a_signature_that_got_damaged(log_in: LogIn, virtual_reader) -> None:
    virtual_reader.inject(f"answer {'5A' * 256}9000 on PERFORM-SECURITY-OPERATION")
    assert log_in() == Result(Exit.DENIED, "", "login: the key on the card is not that of the certificate\n")


def test_a_certificate_that_got_damaged(log_in: LogIn, virtual_reader) -> None:
    virtual_reader.inject("answer DF240601000500789C9000 on GET-DATA nth 2")
    assert log_in() == Result(Exit.CARD, "", "login: the certificate on this card is damaged\n")


@pytest.mark.virtual_card(certificate="self-signed")
def test_a_certificate_of_nobody_we_trust(log_in: LogIn, card_factory, virtual_card, tmp_path: Path) -> None:
    before, ca = virtual_card.snapshot(), tmp_path / "ca.pem"
    ca.write_bytes(card_factory.authority.pem)
    result = log_in(ca=ca)
    assert result == Result(Exit.DENIED, "", "login: no authority that we trust has issued the certificate\n")
    assert not virtual_card.diff(before)


def test_the_trace_shows_what_was_done_and_no_pin(log_in: LogIn, apdu_trace) -> None:
    log_in("1234")
    text = apdu_trace.text()
    assert "VERIFY" in text
    assert b"1234".hex() not in text
    assert os.environ.get("LOGIN_PIN") is None
