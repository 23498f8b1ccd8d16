"""vsc.cli.admin_key: `vsc admin-key show|verify|change`."""

import pytest

from tests.unit.vsc import samples
from tests.unit.vsc.cli.shell import Shell
from vsc.factory import admin_key_of, create
from vsc.machine import InProcessMachine
from vsc.store.sqlite import SqliteStore

KEY = samples.ADMIN_KEY.hex()
OTHER = bytes(range(24)).hex()


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", KEY)
    monkeypatch.setenv("OTHER", OTHER)


class TestShow:
    def test_the_key_alone_so_that_a_script_can_use_it(self, shell: Shell, work: SqliteStore) -> None:
        assert shell.ok("admin-key", "show", "work") == f"{KEY.upper()}\n"

    def test_the_random_key_of_a_new_card_opens_a_card_made_with_it(
        self, shell: Shell, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shell.ok("create", "one", "--pin", "default")
        key = shell.ok("admin-key", "show", "one").strip()
        monkeypatch.setenv("KEY", key)
        shell.ok("create", "two", "--pin", "default", "--admin-key", "env:KEY")
        assert shell.ok("admin-key", "show", "two").strip() == key

    def test_a_blank_card_has_none(self, shell: Shell, store: SqliteStore) -> None:
        shell.ok("create", "blank", "--blank")
        assert shell.fails(1, "admin-key", "show", "blank") == "vsc: card 'blank' has no admin key yet\n"


class TestVerify:
    @pytest.mark.parametrize("source", ["env:KEY", "stored"])
    def test_right(self, shell: Shell, work: SqliteStore, source: str) -> None:
        assert shell.ok("admin-key", "verify", "work", "--admin-key", source) == "That is the card's admin key.\n"

    def test_wrong(self, shell: Shell, work: SqliteStore) -> None:
        error = shell.fails(5, "admin-key", "verify", "work", "--admin-key", "env:OTHER")
        assert error == "vsc: wrong response to the challenge: that is not the card's admin key\n"

    def test_until_it_is_blocked(self, shell: Shell, store: SqliteStore) -> None:
        create("work", pin=samples.PIN, admin_key=samples.ADMIN_KEY, admin_tries=2, store=store)
        for _ in range(2):
            shell.fails(5, "admin-key", "verify", "work", "--admin-key", "env:OTHER")
        assert shell.fails(5, "admin-key", "verify", "work", "--admin-key", "stored") == (
            "vsc: the admin key is blocked\n"
        )

    def test_a_card_in_a_reader(self, shell: Shell, work: SqliteStore, machine: InProcessMachine) -> None:
        name = machine.plug("work").name
        shell.ok("admin-key", "verify", "--reader", name, "--admin-key", "env:KEY")


class TestChange:
    def test_it(self, shell: Shell, work: SqliteStore) -> None:
        words = ("--admin-key", "env:KEY", "--new-admin-key", "env:OTHER")
        assert shell.ok("admin-key", "change", "work", *words) == "The admin key is changed.\n"
        assert admin_key_of(work.read("work")).hex() == OTHER
        assert shell.ok("admin-key", "show", "work").strip() == OTHER.upper()

    def test_to_a_random_one(self, shell: Shell, work: SqliteStore) -> None:
        seen = {KEY}
        for _ in range(2):
            shell.ok("admin-key", "change", "work", "--admin-key", "stored", "--new-admin-key", "random")
            seen.add(admin_key_of(work.read("work")).hex())
        assert len(seen) == 3

    def test_a_wrong_old_one(self, shell: Shell, work: SqliteStore) -> None:
        shell.fails(5, "admin-key", "change", "work", "--admin-key", "env:OTHER", "--new-admin-key", "random")
        assert admin_key_of(work.read("work")).hex() == KEY

    def test_a_card_in_a_reader(self, shell: Shell, work: SqliteStore, machine: InProcessMachine) -> None:
        words = ("admin-key", "change", "--reader", machine.plug("work").name, "--admin-key", "env:KEY")
        error = shell.fails(2, *words, "--new-admin-key", "random")
        assert "a random key of a card in a reader would be lost" in error
        shell.ok(*words, "--new-admin-key", "env:OTHER")
        assert admin_key_of(work.read("work")).hex() == OTHER

    @pytest.mark.parametrize("source", ["stored", "", OTHER])
    def test_the_new_one_has_sources_of_its_own(self, shell: Shell, work: SqliteStore, source: str) -> None:
        error = shell.fails(2, "admin-key", "change", "work", "--admin-key", "env:KEY", "--new-admin-key", source)
        assert "Invalid value for --new-admin-key: say random|default|prompt|env:VAR|file:PATH" in error
        assert OTHER not in error
