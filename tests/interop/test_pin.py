"""PINs through OpenSC: change, count, block, policy. OpenSC's counter and the one on disk agree after each step."""

import pytest

from tests.interop.conftest import PlugIn
from tests.interop.vsc_cards import ADMIN_KEY, PIN, PluggedIn


def flags(card: PluggedIn) -> str:
    """What PKCS#11 programs learn of the PIN before anyone logs in."""
    lines = card.pkcs11("--list-token-slots", login=False).stdout.splitlines()
    return next(line.split(":")[1].strip() for line in lines if "token flags" in line)


def verify(card: PluggedIn, pin: str) -> str:
    """ "" when it is right, else what pkcs15-tool said."""
    done = card.tool("pkcs15-tool", "--verify-pin", "--pin", pin, check=False)
    assert (done.returncode, bool(done.stderr)) in ((0, False), (255, True))
    return done.stderr.strip()


def login(card: PluggedIn, pin: str) -> str:
    """ "" when it is right, else the error of C_Login."""
    done = card.pkcs11("--list-objects", pin=pin, check=False)
    assert done.returncode == ("C_Login failed" in done.stderr)
    return done.stderr.partition("C_Login failed: rv = ")[2].partition(" ")[0]


def change(card: PluggedIn, old: str, new: str) -> tuple[int, str]:
    """Exit code of pkcs15-tool and what it said."""
    done = card.tool("pkcs15-tool", "--change-pin", "--pin", old, "--new-pin", new, check=False)
    return done.returncode, done.stderr.strip()


def test_pkcs15_tool_changes_the_pin(card: PluggedIn) -> None:
    assert change(card, PIN, "4711") == (0, "")
    assert verify(card, PIN) == "Operation failed: PIN code or key incorrect"
    assert card.tries_left() == 4
    assert verify(card, "4711") == ""
    assert card.tries_left() == 5
    card.replug()
    assert verify(card, "4711") == ""


def test_pkcs11_tool_changes_the_pin(card: PluggedIn) -> None:
    done = card.pkcs11("--change-pin", "--new-pin", "a new PIN")
    assert "PIN successfully changed" in done.stdout
    assert login(card, "a new PIN") == ""
    assert login(card, PIN) == "CKR_PIN_INCORRECT"


def test_wrong_pins_down_to_blocked_by_pkcs15(plug_in: PlugIn) -> None:
    card = plug_in("--tries", "3")
    assert card.tries_left() == 3
    for left in (2, 1, 0):
        assert verify(card, "wrong") == "Operation failed: PIN code or key incorrect"
        assert card.tries_left() == left
    assert verify(card, "wrong") == "Operation failed: Authentication method blocked"
    assert verify(card, PIN) == "Operation failed: Authentication method blocked"
    assert card.tries_left() == 0
    assert change(card, PIN, "4711") == (2, "PIN code blocked!")


def test_wrong_pins_down_to_blocked_by_pkcs11(plug_in: PlugIn) -> None:
    card = plug_in("--tries", "3")
    always = "login required, token initialized"
    assert flags(card) == f"{always}, PIN initialized"
    for left, warning in ((2, "user PIN count low, "), (1, "final user PIN try, ")):
        assert login(card, "wrong") == "CKR_PIN_INCORRECT"
        assert card.tries_left() == left
        assert flags(card) == f"{always}, {warning}PIN initialized"
    assert login(card, "wrong") == "CKR_PIN_INCORRECT"
    assert flags(card) == f"{always}, PIN initialized, user PIN locked"
    assert login(card, "wrong") == "CKR_PIN_LOCKED"
    assert login(card, PIN) == "CKR_PIN_LOCKED"
    assert card.tries_left() == 0


def test_a_change_with_a_wrong_pin_counts(plug_in: PlugIn) -> None:
    card = plug_in("--tries", "3")
    for left in (2, 1, 0):
        code, said = change(card, "wrong", "4711")
        # Before it asks, pkcs15-tool also tells how many there were ("2 PIN tries left."), if not all.
        assert (code, said.splitlines()[-1]) == (3, f"PIN code incorrect; tries left: {left}")
        assert card.tries_left() == left
    assert change(card, "wrong", "4711") == (2, "PIN code blocked!")
    assert change(card, PIN, "4711") == (2, "PIN code blocked!")


def test_the_right_pin_gives_back_all_tries(plug_in: PlugIn) -> None:
    card = plug_in("--tries", "3")
    assert verify(card, "wrong") == verify(card, "wrong") != ""
    assert card.tries_left() == 1
    assert verify(card, PIN) == ""
    assert card.tries_left() == 3


def test_replugging_gives_back_no_try(plug_in: PlugIn) -> None:
    card = plug_in("--tries", "3")
    for left in (2, 1, 0):
        verify(card, "wrong")
        card.replug()
        assert card.tries_left() == left
    assert verify(card, PIN) == "Operation failed: Authentication method blocked"


@pytest.mark.parametrize("new", ["12345", "abcdefg"], ids=["too short", "no digit"])
def test_a_pin_against_the_policy_is_refused(plug_in: PlugIn, new: str) -> None:
    card = plug_in("--pin-policy", "minlen=6,digits=required")
    assert change(card, PIN, new) == (2, "PIN code change failed: Incorrect parameters in APDU")
    assert card.tries_left() == 5
    refused = card.pkcs11("--change-pin", "--new-pin", new, check=False)
    assert refused.returncode == 1
    assert "C_SetPIN failed: rv = CKR_DATA_INVALID" in refused.stderr
    assert card.tries_left() == 5
    assert verify(card, new) != ""  # which counts, and the old one restores
    assert verify(card, PIN) == ""
    assert change(card, PIN, "abcde1") == (0, "")
    assert verify(card, "abcde1") == ""


def test_the_admin_key_is_bound_by_the_policy_too(plug_in: PlugIn) -> None:
    card = plug_in("--pin-policy", "minlen=6,digits=required", "--tries", "1")
    assert verify(card, "wrong") != ""
    unblock = ["--unblock", "--admin-key", ADMIN_KEY, "--pin"]
    refused = card.tool("gids-tool", *unblock, "abcdefg", check=False)
    assert (refused.returncode, refused.stderr) == (1, "reset pin failed with Incorrect parameters in APDU\n")
    assert card.tries_left() == 0
    card.tool("gids-tool", *unblock, "abcdef1")
    assert card.tries_left() == 1
    assert verify(card, "abcdef1") == ""


def test_there_is_no_puk(plug_in: PlugIn) -> None:
    card = plug_in("--tries", "3")
    for pin, left in (("wrong", 2), ("wrong", 1), ("wrong", 0), (PIN, 0)):
        verify(card, pin)
        done = card.tool("pkcs15-tool", "--unblock-pin", "--puk", "12345678", "--new-pin", "4711", check=False)
        assert (done.returncode, done.stderr) == (2, "PIN unblocking failed: Data object not found\n")
        assert card.tries_left() == left
