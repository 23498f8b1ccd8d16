"""vsc.store.settings: what a program says once, and what the environment says for it."""

from pathlib import Path

import pytest

from vsc.errors import VscError
from vsc.store import settings
from vsc.store.database import Durability
from vsc.store.settings import DURABILITY_VARIABLE, PASSPHRASE_VARIABLE, asked_once, read_passphrase, using


@pytest.fixture(autouse=True)
def _nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DURABILITY_VARIABLE, raising=False)
    monkeypatch.delenv(PASSPHRASE_VARIABLE, raising=False)


def passphrase() -> bytes | None:
    found = settings.passphrase()
    return found() if found else None


class TestDurability:
    def test_the_default_survives_power_loss(self) -> None:
        assert settings.durability() == Durability.POWER_LOSS

    @pytest.mark.parametrize(("value", "durability"), [(one.value, one) for one in Durability])
    def test_what_the_variable_says(self, monkeypatch: pytest.MonkeyPatch, value: str, durability: Durability) -> None:
        monkeypatch.setenv(DURABILITY_VARIABLE, value)
        assert settings.durability() == durability

    def test_what_the_variable_must_not_say(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(DURABILITY_VARIABLE, "perhaps")
        with pytest.raises(VscError, match="VSC_DURABILITY says 'perhaps': it must be power-loss or process"):
            settings.durability()

    def test_what_is_said_comes_first_and_ends_with_the_block(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(DURABILITY_VARIABLE, "perhaps")
        with using(durability=Durability.PROCESS):
            assert settings.durability() == Durability.PROCESS
            with using(durability=Durability.POWER_LOSS):
                assert settings.durability() == Durability.POWER_LOSS
            with using(passphrase=b"x"):
                assert settings.durability() == Durability.PROCESS
        with pytest.raises(VscError):
            settings.durability()


class TestPassphrase:
    def test_there_is_none(self) -> None:
        assert passphrase() is None

    @pytest.mark.parametrize(
        ("written", "read"),
        [(b"x", b"x"), (b"x\n", b"x"), (b"x\r\n", b"x"), (b" x \n\n", b" x \n"), (b"\xff\x00", b"\xff\x00")],
    )
    def test_from_a_file(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, written: bytes, read: bytes) -> None:
        (tmp_path / "it").write_bytes(written)
        monkeypatch.setenv(PASSPHRASE_VARIABLE, str(tmp_path / "it"))
        assert passphrase() == read

    def test_a_file_that_is_not_there_is_told_when_it_is_needed(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv(PASSPHRASE_VARIABLE, str(tmp_path / "it"))
        assert settings.passphrase() is not None
        with pytest.raises(VscError, match="cannot be read: No such file"):
            passphrase()

    @pytest.mark.parametrize("written", [b"", b"\n"])
    def test_an_empty_one_is_none(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, written: bytes) -> None:
        (tmp_path / "it").write_bytes(written)
        monkeypatch.setenv(PASSPHRASE_VARIABLE, str(tmp_path / "it"))
        with pytest.raises(VscError, match="a passphrase is not empty"):
            passphrase()

    def test_what_is_said_comes_first_and_ends_with_the_block(self) -> None:
        with using(passphrase=b"outer"):
            with using(passphrase=lambda: b"inner"):
                assert passphrase() == b"inner"
            with using(durability=Durability.PROCESS):
                assert passphrase() == b"outer"
        assert passphrase() is None

    def test_a_person_is_asked_once(self) -> None:
        asked: list[int] = []
        with using(passphrase=lambda: asked.append(1) or b"x"):  # type: ignore[func-returns-value]
            assert [passphrase(), passphrase()] == [b"x", b"x"]
        assert asked == [1]

    def test_nobody_to_ask(self) -> None:
        assert asked_once(None) is None

    def test_a_folder_is_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(VscError, match="Is a directory"):
            read_passphrase(tmp_path)
