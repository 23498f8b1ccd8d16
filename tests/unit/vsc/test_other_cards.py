"""A card that is not GIDS, at every door: what cannot be made is refused, and what cannot be described is listed."""

import json
from pathlib import Path

import pytest

import vsc
from card_os.outline import Outline
from tests.unit.vsc import samples
from tests.unit.vsc.cli.shell import Shell
from tests.unit.vsc.tiny import TINY, UNMADE, UNMADE_WITH_GIDS, Tiny
from vpcd_bridge.port import PoweredCard
from vsc.errors import UnsupportedOption, VscError
from vsc.factory import fresh
from vsc.faults import inject
from vsc.profiles import PROFILES
from vsc.reader import Reader
from vsc.store import Image
from vsc.store.sqlite import SqliteStore
from vsc.testing import SoftCard

BALANCE = bytes.fromhex("00500000")
FULL = bytes.fromhex("03E89000")


@pytest.fixture(autouse=True)
def _others(monkeypatch: pytest.MonkeyPatch) -> None:
    for profile in (TINY, UNMADE, UNMADE_WITH_GIDS):
        monkeypatch.setitem(PROFILES, profile.name, profile)


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(capsys, monkeypatch)


@pytest.fixture
def purse(store: SqliteStore) -> SqliteStore:
    store.create(samples.image("work"))
    store.create(Image("purse", TINY, TINY.persistent(b"\x03\xe8")))
    return store


class TestMade:
    def test_in_every_way(self, store: SqliteStore, shell: Shell) -> None:
        shell.ok("create", "one", "--profile", "tiny")
        vsc.create("two", pin=None, profile="tiny", store=store)
        made: list[PoweredCard] = [fresh("tiny"), SoftCard.make("tiny"), _powered(store, "one"), _powered(store, "two")]
        assert [card.transmit(BALANCE) for card in made] == [FULL] * 4

    def test_a_temporary_one(self) -> None:
        with vsc.temporary_card(profile="tiny") as card:
            assert card.transmit(BALANCE) == FULL

    def test_a_swap_brings_another_of_its_kind(self) -> None:
        reader = Reader()
        reader.insert(fresh("tiny"))
        reader.power_on()
        inject(reader, "swap before BALANCE")
        reader.transmit(bytes.fromhex("0054000002 0001"))
        assert reader.transmit(BALANCE) == FULL


class TestRefused:
    @pytest.mark.parametrize("profile", ["unmade", "both"])
    def test_a_card_that_no_profile_says_how_to_make(self, profile: str, store: SqliteStore, shell: Shell) -> None:
        for make in (
            lambda: fresh(profile),
            lambda: SoftCard.make(profile),
            lambda: SoftCard.make_blank(profile),
            lambda: vsc.create("x", pin=None, profile=profile, store=store),
            lambda: vsc.create_blank("x", profile=profile, store=store),
        ):
            with pytest.raises(VscError, match=f"profile '{profile}' cannot be made"):
                make()
        assert "cannot be made" in shell.fails(1, "create", "x", "--profile", profile, "--pin", "default")
        assert not store.exists("x")

    def test_an_option_that_it_has_not_by_its_name(self, store: SqliteStore, shell: Shell) -> None:
        with pytest.raises(UnsupportedOption, match="takes no pin; it takes: nothing"):
            fresh("tiny", pin=b"1234")
        with pytest.raises(UnsupportedOption, match="takes no admin_tries"):
            SoftCard.make("tiny", admin_tries=2)
        with pytest.raises(UnsupportedOption, match="takes no puk"):
            vsc.create("x", pin=None, puk="12345678", profile="tiny", store=store)
        assert "takes no tries" in shell.fails(1, "create", "x", "--profile", "tiny", "--tries", "2")
        assert not store.exists("x")

    def test_a_profile_that_is_not_there(self, shell: Shell) -> None:
        assert "there is no profile 'plastic'; there is: gids" in shell.fails(1, "create", "x", "--profile", "plastic")


class TestListed:
    def test_beside_the_others(self, purse: SqliteStore, shell: Shell) -> None:
        lines = shell.ok("list").splitlines()
        assert [line.split()[:3] for line in lines[-2:]] == [["purse", "tiny", "-"], ["work", "gids", "operational"]]
        assert [card["profile"] for card in json.loads(shell.ok("list", "--json"))] == ["tiny", "gids"]

    def test_one_whose_application_cannot_say_what_it_holds(
        self, purse: SqliteStore, shell: Shell, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(self: Tiny, state: bytes) -> Outline:
            raise LookupError("a bug of somebody's")

        monkeypatch.setattr(Tiny, "outline", broken)
        names = [(card["name"], card["life_cycle"]) for card in json.loads(shell.ok("list", "--json"))]
        assert names == [("purse", "cannot be read"), ("work", "operational")]
        assert "cannot be read" in shell.ok("show", "purse")

    def test_shown_exported_and_imported(self, purse: SqliteStore, shell: Shell, tmp_path: Path) -> None:
        assert "tiny" in shell.ok("show", "purse")
        assert shell("export", "purse", str(tmp_path / "purse.vsc")).code == 0
        shell.ok("import", str(tmp_path / "purse.vsc"), "--name", "again")
        assert purse.read("again").persistent == purse.read("purse").persistent

    @pytest.mark.parametrize(
        "command",
        [
            ("pin", "verify", "purse", "--pin", "default"),
            ("pin", "change", "purse", "--old-pin", "default", "--new-pin", "default"),
            ("pin", "reset", "purse", "--new-pin", "default", "--admin-key", "default"),
            ("pin", "reset", "purse", "--new-pin", "default", "--puk", "default"),
            ("admin-key", "show", "purse"),
            ("admin-key", "verify", "purse", "--admin-key", "default"),
            ("admin-key", "change", "purse", "--admin-key", "default", "--new-admin-key", "default"),
            ("provision", "purse", "--format", "--yes", "--admin-key", "default"),
            ("keygen", "purse", "--pin", "default"),
            ("cert", "get", "purse"),
        ],
    )
    def test_what_it_has_not_is_one_sentence(self, command: tuple[str, ...], purse: SqliteStore, shell: Shell) -> None:
        before = purse.read("purse")
        assert shell.fails(1, *command).count("\n") == 1
        assert purse.read("purse") == before


def _powered(store: SqliteStore, name: str) -> SoftCard:
    image = store.read(name)
    assert [one.name for one in image.profile.applications] == [Tiny.name]
    card = SoftCard(image.profile, image.persistent, SoftCard.make(seed=1).env)
    card.power_on()
    return card
