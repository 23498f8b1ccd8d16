"""vsc.cli.admin_key."""

import pytest

from tests.unit.vsc import samples
from tests.unit.vsc.cli.shell import Shell
from vsc.store.directory import DirectoryStore


def test_the_key_alone_so_that_a_script_can_use_it(shell: Shell, work: DirectoryStore) -> None:
    assert shell.ok("admin-key", "show", "work") == f"{samples.ADMIN_KEY.hex().upper()}\n"


def test_the_random_key_of_a_new_card_opens_a_card_made_with_it(
    shell: Shell, store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.ok("create", "one", "--pin", "default")
    key = shell.ok("admin-key", "show", "one").strip()
    monkeypatch.setenv("KEY", key)
    shell.ok("create", "two", "--pin", "default", "--admin-key", "env:KEY")
    assert shell.ok("admin-key", "show", "two").strip() == key


def test_a_blank_card_has_none(shell: Shell, store: DirectoryStore) -> None:
    shell.ok("create", "blank", "--blank")
    assert shell.fails(1, "admin-key", "show", "blank") == "vsc: card 'blank' has no admin key yet\n"
