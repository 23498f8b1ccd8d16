"""vsc.cli.create."""

import json
import uuid
from pathlib import Path

import pytest

from card_os.apps.gids.state import LifeCycle
from card_os.pin import CharacterRule, PinPolicy
from tests.unit.vsc import samples
from tests.unit.vsc.cli.shell import Shell
from tests.unit.vsc.samples import gids_state
from vsc.store.sqlite import SqliteStore
from vsc.store.summary import summarise


def test_a_card(shell: Shell, store: SqliteStore) -> None:
    out = shell.ok("create", "work", "--pin", "default")
    found = summarise(store.read("work"))
    assert out == f"Made the card 'work', id {found.card_id}.\n"
    assert found.card_id is not None
    assert uuid.UUID(found.card_id).version == 4
    assert (found.life_cycle, found.pin) == ("operational", {"tries_left": 5, "try_limit": 5})
    assert (found.pin_policy, found.admin_key) == (None, {"tries_left": None, "try_limit": None})


def test_a_card_with_every_option(shell: Shell, store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIN", samples.PIN.decode())
    monkeypatch.setenv("KEY", samples.ADMIN_KEY.hex())
    options = ["--pin", "env:PIN", "--admin-key", "env:KEY", "--tries", "7", "--admin-tries", "9"]
    options += ["--pin-policy", "minlen=6,maxlen=12,digits=required,uppercase=disallowed"]
    shell.ok("create", "work", *options, "--card-id", samples.UUID_OF_CARD_ID)
    policy = PinPolicy(6, 12, digits=CharacterRule.REQUIRE_AT_LEAST_ONE, uppercase=CharacterRule.DISALLOW)
    assert gids_state(store.read("work")) == samples.state(policy=policy, tries=7, admin_tries=9)


@pytest.mark.parametrize(
    "text", [samples.UUID_OF_CARD_ID, samples.UUID_OF_CARD_ID.upper(), f"{{{samples.UUID_OF_CARD_ID}}}"]
)
def test_a_card_id_as_windows_writes_it(shell: Shell, store: SqliteStore, text: str) -> None:
    shell.ok("create", "work", "--pin", "default", "--card-id", text)
    assert summarise(store.read("work")).card_id == samples.UUID_OF_CARD_ID


def test_as_json(shell: Shell, store: SqliteStore) -> None:
    for name, options in {"work": ("--pin", "default"), "blank": ("--blank",)}.items():
        assert json.loads(shell.ok("create", name, *options, "--json")) == summarise(store.read(name)).as_json()


class TestBlank:
    def test_a_blank_card(self, shell: Shell, store: SqliteStore) -> None:
        options = ("--tries", "4", "--admin-tries", "3", "--pin-policy", "minlen=8")
        assert shell.ok("create", "b", "--blank", *options) == "Made the blank card 'b'.\n"
        state = gids_state(store.read("b"))
        assert (state.life_cycle, state.files, state.pin.value) == (LifeCycle.INITIALISATION, (), None)
        assert (state.pin.try_limit, state.admin_try_limit, state.pin_policy) == (4, 3, PinPolicy())

    @pytest.mark.parametrize(
        "option",
        [
            ("--pin", "default"),
            ("--pin", ""),
            ("--admin-key", "random"),
            ("--admin-key", ""),
            ("--card-id", samples.UUID_OF_CARD_ID),
            ("--puk", "default"),
        ],
    )
    def test_what_it_gets_later_is_left_out(self, shell: Shell, home: Path, option: tuple[str, str]) -> None:
        assert "a blank card gets its PIN, PUK, admin key and id later" in shell.fails(
            2, "create", "b", "--blank", *option
        )
        assert not home.exists()


@pytest.mark.parametrize(
    "option",
    [
        ("--tries", "0"),
        ("--tries", "16"),
        ("--tries", "many"),
        ("--admin-tries", "0"),
        ("--admin-tries", "256"),
        ("--card-id", "1234"),
        ("--card-id", ""),
    ],
)
def test_values_out_of_range(shell: Shell, home: Path, option: tuple[str, str]) -> None:
    assert f"Invalid value for '{option[0]}'" in shell.fails(2, "create", "work", "--pin", "default", *option)
    assert not home.exists()


def test_a_label(shell: Shell, store: SqliteStore) -> None:
    shell.ok("create", "work", "--pin", "default", "--label", "Ada's card ☂")
    shell.ok("create", "blank", "--blank", "--label", "")
    assert (store.read("work").label, store.read("blank").label) == ("Ada's card ☂", "")


class TestPuk:
    def test_a_puk(self, shell: Shell, store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PUK", "unblock-it")
        shell.ok("create", "work", "--pin", "default", "--puk", "env:PUK")
        puk = gids_state(store.read("work")).puk
        assert puk.value is not None
        assert puk.value.reveal() == b"unblock-it"
        shell.ok("create", "other", "--pin", "default", "--puk", "default")

    @pytest.mark.parametrize("puk", ["1234567", "", "x" * 128])
    def test_one_of_another_length(self, shell: Shell, home: Path, monkeypatch: pytest.MonkeyPatch, puk: str) -> None:
        monkeypatch.setenv("PUK", puk)
        error = shell.fails(5, "create", "work", "--pin", "default", "--puk", "env:PUK")
        assert error == "vsc: the PUK is refused: a PUK has 8 to 127 bytes\n"
        assert not home.exists()


class TestWithoutFileSystem:
    def test_it_has_a_pin_and_no_id(self, shell: Shell, store: SqliteStore) -> None:
        out = shell.ok("create", "work", "--pin", "default", "--no-file-system")
        assert out == "Made the card 'work', without a file system.\n"
        found = summarise(store.read("work"))
        assert (found.life_cycle, found.card_id, found.pin) == (
            "operational",
            None,
            {"tries_left": 5, "try_limit": 5},
        )

    @pytest.mark.parametrize("options", [("--blank",), ("--card-id", samples.UUID_OF_CARD_ID, "--pin", "default")])
    def test_what_does_not_go_with_it(self, shell: Shell, home: Path, options: tuple[str, ...]) -> None:
        assert "--no-file-system goes neither" in shell.fails(2, "create", "work", "--no-file-system", *options)
        assert not home.exists()


def test_quiet_prints_the_id_alone(shell: Shell, store: SqliteStore) -> None:
    for option in ("-q", "--quiet"):
        out = shell.ok("create", option, "--pin", "default", option.strip("-"))
        assert out == f"{summarise(store.read(option.strip('-'))).card_id}\n"
    assert shell.ok("create", "-q", "blank", "--blank") == "-\n"


def test_nothing_attests_keys(shell: Shell, home: Path) -> None:
    for kind in ("aik-only", "aik-and-cert"):
        assert "there is no TPM here" in shell.fails(2, "create", "work", "--pin", "default", "--attestation", kind)
    assert not home.exists()
    shell.ok("create", "work", "--pin", "default", "--attestation", "none")


def test_a_name_that_looks_like_a_path(shell: Shell, store: SqliteStore, home: Path) -> None:
    before = set(home.parent.rglob("*"))
    shell.ok("create", "../../x", "--pin", "default")
    assert {path.parent for path in set(home.parent.rglob("*")) - before - {home}} == {home}
    assert "../../x" in shell.ok("list")


def test_the_pin_and_the_key_are_never_printed(shell: Shell, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIN", "s3cr3t-p1n")
    monkeypatch.setenv("KEY", samples.ADMIN_KEY.hex())
    said = shell.ok("create", "work", "--pin", "env:PIN", "--admin-key", "env:KEY", "--json")
    said += shell.fails(5, "create", "other", "--pin", "env:PIN", "--pin-policy", "digits=disallowed")
    said += shell.ok("show", "work") + shell.ok("show", "work", "--json") + shell.ok("list")
    for secret in ("s3cr3t-p1n", b"s3cr3t-p1n".hex(), samples.ADMIN_KEY.hex()):
        assert secret not in said.lower()


@pytest.mark.parametrize(
    ("said", "atr"),
    [
        ("3b:80:80:01:01", "3B80800101"),
        ("T=0", "3B0D80FBA000000397425446590201"),
        ("t=1", "3B8D0180FBA000000397425446590201C9"),
        ("T=0,T=1", "3B8D800180FBA00000039742544659020149"),
    ],
)
def test_an_atr_of_its_own(shell: Shell, store: SqliteStore, said: str, atr: str) -> None:
    shell.ok("create", "work", "--pin", "default", "--atr", said)
    assert summarise(store.read("work")).atr == atr
    assert atr in shell.ok("show", "work")
    shell.ok("create", "other", "--blank", "--atr", said)
    assert summarise(store.read("other")).atr == atr


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("3B8001", "no answer to reset (ISO/IEC 7816-3 section 8): TCK is wrong or bytes are left over"),
        ("3B04", "no answer to reset"),
        ("T=2", "an ATR is in hexadecimal, or the protocols that it offers"),
        ("", "no answer to reset"),
    ],
)
def test_what_is_no_atr(shell: Shell, said: str, words: str) -> None:
    result = shell("create", "work", "--pin", "default", "--atr", said)
    assert result.code == 2
    assert words in " ".join(result.err.split())
