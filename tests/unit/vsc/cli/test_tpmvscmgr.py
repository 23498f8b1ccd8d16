"""vsc.cli.tpmvscmgr: what scripts for Windows type, and the two lines that they read."""

import shlex
from pathlib import Path

import pytest

from card_os.apps.gids.state import LifeCycle
from card_os.pin import CharacterRule, PinPolicy
from tests.unit.vsc import samples
from tests.unit.vsc.cli.shell import Shell
from tests.unit.vsc.samples import gids_state
from vsc.factory import DEFAULT_ADMIN_KEY, admin_key_of
from vsc.store.sqlite import SqliteStore
from vsc.store.summary import summarise

CREATE = ("tpmvscmgr", "create")
REQUIRED = ("/name", "work", "/pin", "default", "/adminkey", "random")


def created(number: int) -> str:
    return f"TPM Smart Card created.\nSmart Card Reader Device Instance ID = ROOT\\SMARTCARDREADER\\{number:04d}\n"


class TestCreate:
    def test_as_the_documentation_types_it(self, shell: Shell, store: SqliteStore) -> None:
        """[winrt-smartcards.md 7.1, 7.2; seed: tpmvscmgr]"""
        words = shlex.split("create /name TestVSC /pin default /adminkey random /generate")
        result = shell("tpmvscmgr", *words)
        assert (result.code, result.out) == (0, created(0))
        assert result.err.splitlines() == [
            "Creating the card.",
            "Its file system is written.",
            "Programs get to the card so: vsc run --card TestVSC -- PROGRAM",
        ]
        state = gids_state(store.read("TestVSC"))
        assert state.pin.value is not None
        assert state.pin.value.reveal() == b"12345678"
        assert (state.puk.value, state.life_cycle) == (None, LifeCycle.OPERATIONAL)
        assert admin_key_of(store.read("TestVSC")) != DEFAULT_ADMIN_KEY
        assert summarise(store.read("TestVSC")).card_id is not None

    def test_any_case_and_quiet(self, shell: Shell, store: SqliteStore) -> None:
        words = shlex.split("CREATE /Name VSC /PIN Default /AdminKey DEFAULT /PUK DeFault /Generate /QUIET")
        assert shell.ok("tpmvscmgr", *words) == created(0)
        image = store.read("VSC")
        assert admin_key_of(image) == bytes.fromhex("010203040506070801020304050607080102030405060708")
        puk = gids_state(image).puk.value
        assert puk is not None
        assert puk.reveal() == b"12345678"

    def test_without_generate_there_are_files_with_nothing_in_them(self, shell: Shell, store: SqliteStore) -> None:
        assert shell(*CREATE, *REQUIRED).err.splitlines() == [
            "Creating the card.",
            "It is blank: it has no file system.",
            "Write its file system: vsc provision work --format --admin-key stored",
            "Programs get to the card so: vsc run --card work -- PROGRAM",
        ]
        state, whole = gids_state(store.read("work")), samples.state()
        assert [file.efid for file in state.files] == [file.efid for file in whole.files]
        assert summarise(store.read("work")).card_id is None
        assert state.life_cycle is LifeCycle.OPERATIONAL

    def test_the_words_of_a_policy(self, shell: Shell, store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
        words = (
            "/pinpolicy minlen 4 maxlen 8 uppercase REQUIRED lowercase Allowed digits DISALLOWED specialchars allowed"
        )
        secret = ("/pin", "env:PIN")
        monkeypatch.setenv("PIN", "ABCD")
        shell(*CREATE, "/name", "work", *words.split(), *secret, "/adminkey", "random")
        assert gids_state(store.read("work")).pin_policy == PinPolicy(
            4, 8, uppercase=CharacterRule.REQUIRE_AT_LEAST_ONE, digits=CharacterRule.DISALLOW
        )

    def test_without_a_policy_a_pin_has_8_characters_of_any_kind(
        self, shell: Shell, home: Path, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """[winrt-smartcards.md 7.3]"""
        words = (*CREATE, "/name", "work", "/adminkey", "random", "/quiet", "/pin", "env:PIN")
        monkeypatch.setenv("PIN", "1234567")
        assert shell.fails(5, *words) == "vsc: the PIN is refused: a PIN has 8 to 127 characters\n"
        assert not home.exists()
        monkeypatch.setenv("PIN", "with blanks ä")
        shell.ok(*words)

    def test_ids_count_from_0_and_the_lowest_free_one_is_next(self, shell: Shell, store: SqliteStore) -> None:
        words = ("/pin", "default", "/adminkey", "random", "/quiet", "/name")
        assert [shell.ok(*CREATE, *words, name) for name in ("a", "b", "c")] == [created(n) for n in range(3)]
        assert shell.ok("tpmvscmgr", "destroy", "/instance", r"ROOT\SMARTCARDREADER\0001", "/quiet")
        assert shell.ok(*CREATE, *words, "d") == created(1)
        shell.ok("destroy", "a", "--yes")
        assert shell.ok(*CREATE, *words, "e") == created(0)

    def test_if_the_id_cannot_be_kept_there_is_no_card(self, shell: Shell, store: SqliteStore, home: Path) -> None:
        home.mkdir()
        (home / "instances.json").write_text("damaged")
        assert "instances.json is damaged" in shell.fails(1, *CREATE, *REQUIRED, "/quiet")
        assert not store.exists("work")

    @pytest.mark.parametrize(
        ("words", "text"),
        [
            ("/pin default /adminkey random", "/name is missing"),
            ("/name work /pin default", "/adminkey is missing"),
            ("/name work /adminkey random", "no terminal to ask for a PIN on: say /pin"),
            ("/name work /pin 1234 /adminkey random", "never the secret itself"),
            ("/name work /pin default /adminkey 0102", "never the secret itself"),
            ("/name work /pin default /adminkey random /machine host", "'vsc attach --vpcd HOST:PORT'"),
            ("/name work /pin default /adminkey random /attestation AIK_ONLY", "there is no TPM here"),
            ("/name work /pin default /adminkey random /pinpolicy minlen", "/pinpolicy takes pairs of words"),
            ("/name work /pin default /adminkey random /pinpolicy minlen x", "/pinpolicy: 'minlen=x'"),
            ("/name work /pin default /adminkey random /pinpolicy minlen 9 maxlen 8", "/pinpolicy: the minimum"),
            ("/name work /pin default /adminkey random /tries 3", "options are /name"),
        ],
    )
    def test_usage_errors(self, shell: Shell, home: Path, words: str, text: str) -> None:
        error = shell.fails(2, *CREATE, *words.split())
        assert text in error
        assert "1234" not in error
        assert not home.exists()

    def test_a_name_that_is_taken(self, shell: Shell, work: SqliteStore) -> None:
        before = work.read("work")
        assert shell.fails(1, *CREATE, *REQUIRED) == "vsc: there is a card called 'work' already\n"
        assert work.read("work") == before


class TestDestroy:
    @pytest.mark.parametrize(
        "text", [r"ROOT\SMARTCARDREADER\0000", r"root\smartcardreader\0000", "ROOTSMARTCARDREADER0000"]
    )
    def test_by_its_id(self, shell: Shell, store: SqliteStore, text: str) -> None:
        shell(*CREATE, *REQUIRED)
        result = shell("tpmvscmgr", "destroy", "/instance", text)
        assert (result.code, result.out, result.err) == (
            0,
            "TPM Smart Card destroyed.\n",
            "Deleting the card 'work'.\n",
        )
        assert not store.exists("work")
        assert "no card with the instance id" in shell.fails(4, "tpmvscmgr", "destroy", "/instance", text)

    def test_a_card_that_was_made_otherwise_has_no_id(self, shell: Shell, work: SqliteStore) -> None:
        shell.fails(4, "tpmvscmgr", "destroy", "/instance", r"ROOT\SMARTCARDREADER\0000")
        assert work.exists("work")

    def test_a_new_card_of_the_old_name_does_not_inherit(self, shell: Shell, store: SqliteStore) -> None:
        shell(*CREATE, *REQUIRED)
        shell.ok("destroy", "work", "--yes")
        shell.ok("create", "work", "--pin", "default")
        shell.fails(4, "tpmvscmgr", "destroy", "/instance", r"ROOT\SMARTCARDREADER\0000")
        assert store.exists("work")

    @pytest.mark.parametrize(
        ("words", "text"),
        [
            ((), "/instance is missing"),
            (("/instance", "work"), "/instance: an instance id looks like"),
            (("/name", "work"), "options are /instance"),
            (("/instance", r"ROOT\SMARTCARDREADER\0000", "/machine", "host"), "/machine: no card is made elsewhere"),
        ],
    )
    def test_usage_errors(self, shell: Shell, home: Path, words: tuple[str, ...], text: str) -> None:
        assert text in shell.fails(2, "tpmvscmgr", "destroy", *words)


@pytest.mark.parametrize("words", [("/?",), ("create", "/?"), ("destroy", "/name", "/?"), ("Create", "/quiet", "/?")])
def test_help(shell: Shell, home: Path, words: tuple[str, ...]) -> None:
    if words[0] == "destroy":
        shell.fails(2, "tpmvscmgr", *words)
    else:
        assert shell.ok("tpmvscmgr", *words) == shell.ok("tpmvscmgr", "--help")


def test_without_arguments_it_prints_its_help(shell: Shell, home: Path) -> None:
    assert shell.fails(2, "tpmvscmgr") == shell.ok("tpmvscmgr", "--help")


@pytest.mark.parametrize("words", [("list",), ("/name", "work")])
def test_another_verb(shell: Shell, home: Path, words: tuple[str, ...]) -> None:
    assert "say create or destroy" in shell.fails(2, "tpmvscmgr", *words)
