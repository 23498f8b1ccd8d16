"""vsc.cli.inspect: `vsc list` and `vsc show`."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from card_os.pin import CharacterRule, Pin, PinPolicy
from card_os.secret import Secret
from tests.unit.vsc import samples
from tests.unit.vsc.cli.shell import Shell
from vsc.store.image import VERSION
from vsc.store.sqlite import SqliteStore
from vsc.store.summary import summarise


@pytest.fixture
def three(work: SqliteStore, shell: Shell) -> SqliteStore:
    """A store with `work`, `blank` and `blocked`."""
    shell.ok("create", "blank", "--blank")
    state = samples.state(admin_tries=4)
    work.create(samples.image("blocked", replace(state, pin=replace(state.pin, tries_left=0))))
    return work


class TestList:
    def test_cards_by_name(self, shell: Shell, three: SqliteStore) -> None:
        lines = shell.ok("list").splitlines()
        assert lines == [
            "name     profile  state           PIN      keys  card id",
            "blank    gids     initialisation  not set  0     -",
            f"blocked  gids     operational     blocked  0     {samples.UUID_OF_CARD_ID}",
            f"work     gids     operational     3 of 3   1     {samples.UUID_OF_CARD_ID}",
        ]

    def test_short_names_fit_into_80_columns(self, shell: Shell, work: SqliteStore) -> None:
        assert max(map(len, shell.ok("list").splitlines())) <= 80

    def test_labels_have_a_column_where_one_is_not_the_name(self, shell: Shell, work: SqliteStore) -> None:
        work.create(replace(samples.image("other"), label="Ada's card"))
        assert shell.ok("list").splitlines() == [
            "name   label       profile  state        PIN     keys  card id",
            f"other  Ada's card  gids     operational  3 of 3  0     {samples.UUID_OF_CARD_ID}",
            f"work   work        gids     operational  3 of 3  1     {samples.UUID_OF_CARD_ID}",
        ]

    def test_a_label_may_hold_anything(self, shell: Shell, store: SqliteStore) -> None:
        store.create(replace(samples.image("work"), label="a\x1b[2Jb\nc"))
        for command in (("list",), ("show", "work")):
            assert "a\ufffd[2Jb\ufffdc" in shell.ok(*command)

    def test_an_encrypted_card_is_listed_without_its_passphrase(
        self, shell: Shell, work: SqliteStore, home: Path
    ) -> None:
        SqliteStore(home, passphrase=b"secret", scrypt_cost=2).create(samples.image("sealed"))
        assert shell.ok("list").splitlines()[1:] == [
            "sealed  -        locked       -       -     -",
            f"work    gids     operational  3 of 3  1     {samples.UUID_OF_CARD_ID}",
        ]
        assert json.loads(shell.ok("list", "--json")) == [
            {"name": "sealed", "locked": True},
            summarise(work.read("work")).as_json(),
        ]
        assert "card 'sealed' is locked" in shell.fails(5, "show", "sealed")

    def test_as_json(self, shell: Shell, three: SqliteStore) -> None:
        names = ("blank", "blocked", "work")
        assert json.loads(shell.ok("list", "--json")) == [summarise(three.read(name)).as_json() for name in names]

    def test_no_cards(self, shell: Shell, home: Path) -> None:
        result = shell("list")
        assert (result.code, result.out) == (0, "")
        assert result.err == "There are no cards yet: make one with 'vsc create NAME'.\n"
        assert shell.ok("list", "--json") == "[]\n"
        assert not home.exists()

    def test_a_damaged_card_is_told_and_the_others_are_listed(
        self, shell: Shell, three: SqliteStore, home: Path
    ) -> None:
        damaged = home / "0123456789abcdef0123456789abcdef.card"
        damaged.write_bytes(b"damaged")
        for options in ((), ("--json",)):
            result = shell("list", *options)
            assert result.code == 1
            assert "work" in result.out
            assert result.err == f"vsc: {damaged.name}: the image is not JSON: it is damaged or no card\n"
        assert damaged.read_bytes() == b"damaged"

    def test_only_a_damaged_card(self, shell: Shell, home: Path) -> None:
        home.mkdir()
        (home / "x.card").write_bytes(b'{"format": "virtual smart card image", "version": 7}')
        error = f"vsc: x.card: the image has version 7; this vsc reads up to {VERSION}: use a newer one\n"
        assert shell.fails(1, "list") == error

    def test_names_are_never_cut_or_taken_for_markup(self, shell: Shell, store: SqliteStore) -> None:
        names = ["[bold]x[/bold]", "雪" * 40, "w" * 80, ":smiley:"]
        for name in names:
            store.create(samples.image(name))
        lines = shell.ok("list").splitlines()
        assert sorted(line.split("  ")[0] for line in lines[1:]) == sorted(names)
        assert all(line == line.rstrip() for line in lines)

    def test_a_name_with_control_characters_is_no_card(self, shell: Shell, home: Path) -> None:
        home.mkdir()
        (home / "x.card").write_bytes(bytes(samples.image("\x1b[2Jgone")))
        assert "\x1b" not in shell.fails(1, "list")


class TestShow:
    def test_a_card_with_a_key(self, shell: Shell, work: SqliteStore) -> None:
        assert shell.ok("show", "work") == (
            "Name           work\n"
            "Profile        gids\n"
            "State          operational\n"
            "Card id        33221100-5544-7766-8899-aabbccddeeff\n"
            "Serial         00112233445566778899AABBCCDDEEFF\n"
            "ATR            3B8D0180FBA000000397425446590201C9\n"
            "PIN            3 of 3 tries left\n"
            "PIN policy     none (4 to 127 bytes)\n"
            "PUK            none\n"
            "Admin key      set, tries not limited\n"
            "Container 0    Ada's key (key exchange, default)\n"
            "  key          RSA 1024\n"
            "  certificate  CN=Ada Lovelace\n"
        )

    def test_a_blank_card(self, shell: Shell, three: SqliteStore) -> None:
        rows = dict(line.split("  ", 1) for line in shell.ok("show", "blank").splitlines())
        rows = {label: value.strip() for label, value in rows.items()}
        assert rows == {
            "Name": "blank",
            "Profile": "gids",
            "State": "initialisation",
            "Card id": "none",
            "Serial": "none",
            "ATR": "3B8D0180FBA000000397425446590201C9",
            "PIN": "not set",
            "PIN policy": "none (4 to 127 bytes)",
            "PUK": "none",
            "Admin key": "not set",
            "Containers": "none",
        }

    def test_counters(self, shell: Shell, three: SqliteStore) -> None:
        text = shell.ok("show", "blocked")
        assert "PIN         blocked (0 of 3 tries)\n" in text
        assert "Admin key   set, 4 of 4 tries left\n" in text

    def test_policy_and_puk(self, shell: Shell, store: SqliteStore) -> None:
        policy = PinPolicy(6, 12, digits=CharacterRule.REQUIRE_AT_LEAST_ONE, uppercase=CharacterRule.DISALLOW)
        state = replace(samples.state(policy=policy), puk=Pin(Secret(b"87654321"), 3, 2))
        store.create(samples.image("work", state))
        text = shell.ok("show", "work")
        assert "PIN policy  6 to 12 characters, uppercase disallowed, digits required\n" in text
        assert "PUK         2 of 3 tries left\n" in text
        assert "87654321" not in text

    def test_as_json(self, shell: Shell, work: SqliteStore) -> None:
        assert json.loads(shell.ok("show", "work", "--json")) == summarise(work.read("work")).as_json()

    def test_it_changes_nothing(self, shell: Shell, work: SqliteStore, home: Path) -> None:
        before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in home.iterdir()}
        shell.ok("show", "work")
        shell.ok("list")
        assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in home.iterdir()} == before

    def test_what_strangers_wrote_does_not_reach_the_terminal(self, shell: Shell, store: SqliteStore) -> None:
        der = samples.certificate("Ada\x1b]0;pwned\x07\nCert")
        state = samples.state_with_key(samples.certificate_file(der), name="k\x1b[31m\nKey  fake")
        store.create(samples.image("work", state))
        text = shell.ok("show", "work")
        assert all(char.isprintable() or char == "\n" for char in text)
        assert len(text.splitlines()) == 13
        assert "k\ufffd[31m\ufffdKey  fake (key exchange, default)" in text

    def test_an_unreadable_certificate(self, shell: Shell, store: SqliteStore) -> None:
        store.create(samples.image("work", samples.state_with_key(b"rubbish")))
        assert "  certificate  (unreadable certificate)\n" in shell.ok("show", "work")
