"""vsc.profiles.catalogue: profiles in the folder, of entry points, and named."""

import sys
from pathlib import Path

import pytest

from tests.unit.vsc.tiny import TINY
from vsc.errors import VscError
from vsc.host import Gids
from vsc.profiles import GIDS, PROFILES, Profile, catalogue, profile_named
from vsc.profiles.catalogue import Catalogue


class Entry:
    """An entry point."""

    def __init__(self, name: str, value: object) -> None:
        self.name, self._value = name, value

    def load(self) -> object:
        if isinstance(self._value, Exception):
            raise self._value
        return self._value


def with_entries(monkeypatch: pytest.MonkeyPatch, *entries: Entry) -> Catalogue:
    monkeypatch.setattr(catalogue, "entry_points", lambda group: entries if group == "vsc.profiles" else ())
    return Catalogue()


def test_every_file_of_the_folder_is_a_profile() -> None:
    folder = Path(catalogue.__file__).parent
    others = {"__init__", "catalogue", "issued", "options", "profile", "traits"}
    names = {name for profile in Catalogue().values() for name in (profile.name, *profile.aliases)}
    assert names >= {path.stem for path in folder.glob("*.py")} - others
    assert PROFILES["gids"] is GIDS


def test_those_of_entry_points_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    found = with_entries(monkeypatch, Entry("tiny", TINY))
    assert list(found)[-1] == "tiny"
    assert found["tiny"] is TINY
    assert found.applications[-1] is TINY.applications[0]
    assert (len(found), found.broken) == (len(list(found)), {})


def test_what_cannot_be_loaded_is_no_reason_to_fail_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    twin = Profile("gids", "Not ours", TINY.atr, TINY.applications)
    entries = Entry("a", ImportError("no module named x")), Entry("b", "text"), Entry("c", twin), Entry("tiny", TINY)
    found = with_entries(monkeypatch, *entries)
    assert found["gids"] is GIDS
    assert "tiny" in found
    assert found.broken == {
        "a": "ImportError: no module named x",
        "b": "that is no vsc.profiles.Profile",
        "c": "there is another profile 'gids'",
    }
    monkeypatch.setattr(catalogue, "PROFILES", found)
    with pytest.raises(VscError, match="profile 'a' cannot be used: ImportError: no module"):
        profile_named("a")


def test_one_that_is_named_by_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "PROFILES", Catalogue())
    assert profile_named("tests.unit.vsc.tiny:TINY") is TINY
    assert profile_named("tiny") is TINY
    with pytest.raises(VscError, match="cannot be loaded: ModuleNotFoundError"):
        profile_named("nowhere.at_all:X")
    with pytest.raises(VscError, match="cannot be loaded: AttributeError"):
        profile_named("tests.unit.vsc.tiny:NOTHING")
    with pytest.raises(VscError, match=r"is no vsc\.profiles\.Profile"):
        profile_named("tests.unit.vsc.tiny:Tiny")


def test_one_in_the_folder_where_somebody_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "PROFILES", Catalogue())
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_card_here.py").write_text("from tests.unit.vsc.tiny import TINY\n", encoding="utf-8")
    assert profile_named("my_card_here:TINY") is TINY


def test_those_that_a_variable_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VSC_PROFILES", "tests.unit.vsc.tiny:TINY, nowhere:X")
    found = Catalogue()
    assert found["tiny"] is TINY
    assert list(found.broken) == ["nowhere:X"]


def test_hosts_are_asked_in_the_order_of_the_atr(monkeypatch: pytest.MonkeyPatch) -> None:
    class Other(Gids):
        pass

    other = Profile("other", "Other", TINY.atr, TINY.applications, host=Other)
    found = with_entries(monkeypatch, Entry("other", other), Entry("tiny", TINY))
    assert found.hosts(bytes(TINY.atr))[0] is Other
    assert found.hosts(bytes(GIDS.atr))[0] is Gids
    assert len(found.hosts()) == len(set(found.hosts()))
