"""vsc profiles."""

import json

from tests.unit.vsc.cli.shell import Shell
from vsc.profiles import PROFILES


def test_the_kinds_of_cards_are_listed(shell: Shell) -> None:
    said = shell.ok("profiles")
    assert [line.split()[0] for line in said.splitlines()] == list(PROFILES)
    assert "yubikey-5.7      YubiKey 5.7 (also yubikey)\n" in said
    told = json.loads(shell.ok("profiles", "--json"))
    assert [one["name"] for one in told] == list(PROFILES)


def test_two_of_them_are_compared(shell: Shell) -> None:
    assert "PIV: is contactless: no -> yes\n" in shell.ok("profiles", "diff", "piv", "piv-contactless")
    told = json.loads(shell.ok("profiles", "diff", "yubikey-5.4", "yubikey", "--json"))
    assert {"trait": "PIV: default cipher", "one": "3DES", "other": "AES-192"} in told
    assert shell.ok("profiles", "diff", "gids", "gids") == ""


def test_a_kind_that_is_not_there_is_named(shell: Shell) -> None:
    assert "there is no profile 'plastic'" in shell.fails(1, "profiles", "diff", "gids", "plastic")
