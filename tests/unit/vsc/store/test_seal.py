"""vsc.store.seal: a card under a passphrase."""

import json
import subprocess
import sys
from base64 import b64decode, b64encode
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.vsc import processes, rows, samples
from tests.unit.vsc.store.test_contract import LOW_COST, with_tries
from vsc.errors import CardExistsError, CardInClear, CardLocked, ImageError, RefusedError, VscError
from vsc.factory import powered
from vsc.store import Image, seal
from vsc.store.image import digest
from vsc.store.seal import DEFAULT_COST, is_sealed, new_seal, unseal
from vsc.store.sqlite import SqliteStore

PASSPHRASE = "corréct horse".encode()
PIN_VARIABLE = "MY_PIN"
KEPT = samples.IMAGES / "v1-encrypted.card"


def sealed(image: Image | None = None) -> bytes:
    image = image or samples.golden_image()
    return new_seal(image.name, PASSPHRASE, cost=LOW_COST)(image)


def changed(raw: bytes, **fields: Any) -> bytes:
    """The image with other fields and a checksum that fits; `scrypt__n` is field n of scrypt, None takes one out."""
    content = json.loads(raw)
    del content["sha256"]
    for name, value in fields.items():
        outer, _, inner = name.partition("__")
        place, key = (content[outer], inner) if inner else (content, outer)
        place[key] = value
        if value is None:
            del place[key]
    return json.dumps({**content, "sha256": digest(content)}).encode()


def opened(raw: bytes, passphrase: bytes = PASSPHRASE, name: str = "golden") -> Image:
    return unseal(raw, name, lambda: passphrase)[0]


class TestImage:
    @given(st.text(), st.binary(min_size=1))
    def test_what_is_sealed_is_read_back(self, label: str, passphrase: bytes) -> None:
        image = replace(samples.golden_image(), label=label)
        raw = new_seal("golden", passphrase, cost=2)(image)
        assert is_sealed(raw)
        assert opened(raw, passphrase) == image

    def test_the_default_cost_is_not_for_tests(self) -> None:
        assert DEFAULT_COST >= 2**15
        assert json.loads(new_seal("golden", PASSPHRASE)(samples.golden_image()))["scrypt"]["n"] == DEFAULT_COST

    def test_every_image_has_another_nonce_and_the_key_stays(self) -> None:
        one = new_seal("golden", PASSPHRASE, cost=LOW_COST)
        images = [json.loads(one(samples.golden_image())) for _ in range(50)]
        assert len({image["nonce"] for image in images}) == 50
        assert len({image["image"] for image in images}) == 50
        assert len({image["scrypt"]["salt"] for image in images}) == 1

    def test_every_card_has_another_salt(self) -> None:
        assert len({json.loads(sealed())["scrypt"]["salt"] for _ in range(20)}) == 20

    def test_nothing_of_the_card_shows(self) -> None:
        image = replace(samples.golden_image(), label="Ada's secret life")
        raw = sealed(image)
        assert json.loads(raw).keys() == {"format", "version", "name", "scrypt", "nonce", "image", "sha256"}
        shown = raw + b64decode(json.loads(raw)["image"])
        for secret in (
            b"secret life",
            samples.PIN,
            samples.PIN.hex().encode(),
            samples.ADMIN_KEY,
            b"gids",
            b"47494453",
        ):
            assert secret not in shown

    def test_a_wrong_passphrase(self) -> None:
        with pytest.raises(CardLocked, match=r"^card 'golden' is locked: wrong passphrase$") as caught:
            opened(sealed(), b"wrong horse")
        assert isinstance(caught.value, RefusedError)
        assert caught.value.name == "golden"

    def test_no_passphrase_says_how_to_give_one(self) -> None:
        with pytest.raises(CardLocked, match=r"is locked: say --passphrase .*, or set VSC_PASSPHRASE_FILE"):
            unseal(sealed(), "golden", None)

    def test_a_card_that_is_not_encrypted_needs_none(self) -> None:
        def asked() -> bytes:
            raise AssertionError("nobody should be asked")

        image, encode = unseal(bytes(samples.golden_image()), "golden", asked)
        assert image == samples.golden_image()
        assert encode(image) == bytes(image)

    def test_repr_shows_no_key(self) -> None:
        assert repr(new_seal("golden", PASSPHRASE, cost=LOW_COST)).startswith("<vsc.store.seal.Seal object")


class TestKept:
    """An encrypted image of version 1 (passphrase as above): read for ever. Never write it again."""

    def test_it_is_still_read(self) -> None:
        assert opened(KEPT.read_bytes()) == replace(samples.golden_image(), label=samples.GOLDEN_LABEL)

    def test_it_is_still_locked(self) -> None:
        with pytest.raises(CardLocked):
            opened(KEPT.read_bytes(), b"wrong")


def flipped(raw: bytes, field: str, place: int = 0) -> str:
    """A bit of a hexadecimal or base64 field, flipped."""
    text = json.loads(raw)[field]
    binary = bytearray(bytes.fromhex(text) if field == "nonce" else b64decode(text))
    binary[place] ^= 1
    return binary.hex() if field == "nonce" else b64encode(binary).decode()


class TestChangedByAStranger:
    """The checksum fits, so it is no accident: what is bound does not open."""

    @pytest.mark.parametrize("field", ["nonce", "image"])
    def test_nonce_and_image(self, field: str) -> None:
        raw = sealed()
        with pytest.raises(CardLocked):
            opened(changed(raw, **{field: flipped(raw, field)}))

    @pytest.mark.parametrize("fields", [{"scrypt__n": LOW_COST * 2}, {"scrypt__salt": "00" * 16}, {"scrypt__p": 2}])
    def test_the_header(self, fields: dict[str, Any]) -> None:
        with pytest.raises(CardLocked):
            opened(changed(sealed(), **fields))

    def test_the_name(self) -> None:
        """An image does not pass for that of another card, even under the same passphrase."""
        with pytest.raises(ImageError, match="that of another card, 'golden'"):
            opened(sealed(), name="other")
        with pytest.raises(CardLocked):
            opened(changed(sealed(), name="other"), name="other")

    @pytest.mark.parametrize(
        "fields",
        [
            {"scrypt__n": 2**40},
            {"scrypt__n": 3},
            {"scrypt__n": 0},
            {"scrypt__n": "16"},
            {"scrypt__r": 2**20},
            {"scrypt__r": 0},
            {"scrypt__p": 2**20},
            {"scrypt__p": None},
            {"scrypt": None},
            {"scrypt": []},
            {"scrypt__salt": "xyz"},
            {"nonce": "00"},
            {"nonce": 1},
            {"image": "%"},
            {"image": None},
            {"name": 1},
            {"name": ["golden"]},
        ],
        ids=str,
    )
    def test_what_makes_no_sense_is_damage_and_costs_nothing(self, fields: dict[str, Any]) -> None:
        with pytest.raises(ImageError, match="the image is damaged: its header"):
            opened(changed(sealed(), **fields))

    @pytest.mark.parametrize("version", [2, 99])
    def test_a_newer_one(self, version: int) -> None:
        with pytest.raises(ImageError, match=f"has version {version}; this vsc reads up to 1"):
            opened(changed(sealed(), version=version))

    @given(st.data())
    def test_any_accident_is_an_image_error(self, data: st.DataObject) -> None:
        raw = bytearray(KEPT.read_bytes())
        raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
        try:
            found = opened(bytes(raw))
        except ImageError:
            return
        # White space, or a letter of a number that means the same.
        assert found == replace(samples.golden_image(), label=samples.GOLDEN_LABEL)


def store(home: Path, passphrase: bytes | None = PASSPHRASE) -> SqliteStore:
    return SqliteStore(home, passphrase=passphrase, scrypt_cost=LOW_COST)


def clear_ones_told(passphrase: bytes | None) -> AbstractContextManager[object]:
    return nullcontext() if passphrase is None else pytest.warns(CardInClear)


class TestInItsPlace:
    """Somebody who does not know the passphrase puts a card in clear in the place of an encrypted one."""

    def test_it_is_told_whoever_looks(self, home: Path) -> None:
        store(home).create(samples.image())
        rows.put(home, bytes(with_tries(samples.image(), 3)))
        told = "card 'work' is not encrypted, though there is a passphrase: if it was once, this image was put"
        for look in (lambda: store(home).read("work"), lambda: list(store(home).images())):
            with pytest.warns(CardInClear, match=told):
                look()
        with pytest.warns(CardInClear, match=told), store(home).open("work"):
            pass

    def test_the_command_line_says_it(self, home: Path, tmp_path: Path) -> None:
        store(home).create(samples.image())
        rows.put(home, bytes(samples.image()))
        (tmp_path / "passphrase").write_bytes(PASSPHRASE)
        variable = {"VSC_PASSPHRASE_FILE": str(tmp_path / "passphrase")}
        for words in (("show", "work"), ("list",), ("pin", "verify", "work", "--pin", f"env:{PIN_VARIABLE}")):
            code, _, err = processes.vsc(home, *words, more={**variable, PIN_VARIABLE: samples.PIN.decode()})
            assert code == 0
            assert err.startswith("vsc: warning: card 'work' is not encrypted, though there is a passphrase")
            assert err.count("\n") == 1

    def test_a_card_file_of_version_0_1(self, home: Path) -> None:
        rows.card_file(home, samples.image())
        for look in (lambda: store(home).read("work"), lambda: list(store(home).images())):
            with pytest.warns(CardInClear, match="card 'work' is not encrypted"):
                look()


class TestMemory:
    """A header asks for more memory than there is: that card cannot be opened, and the others can."""

    GREEDY: ClassVar = {"scrypt__n": 2**18, "scrypt__r": 16}

    def test_the_card_is_told_and_the_others_are_listed(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        store(home).create(samples.image("good"))
        store(home).create(samples.image("greedy"))
        rows.put(home, changed(rows.raw_of(home, "greedy"), **self.GREEDY), "greedy")
        monkeypatch.setattr(seal, "spare_memory", lambda: 400 * 2**20)
        good, greedy = store(home).images()
        assert good == samples.image("good")
        assert isinstance(greedy, ImageError)
        assert str(greedy) == "card 'greedy': its key takes 512 MiB of memory, and there is not so much"
        with pytest.raises(ImageError, match="takes 512 MiB"), store(home).open("greedy"):
            pass
        store(home).destroy("greedy")

    def test_where_memory_is_refused_when_it_is_asked_for(self, home: Path, tmp_path: Path) -> None:
        store(home).create(samples.image("good"))
        store(home).create(samples.image("greedy"))
        rows.put(home, changed(rows.raw_of(home, "greedy"), **self.GREEDY), "greedy")
        (tmp_path / "passphrase").write_bytes(PASSPHRASE)
        code = (
            "import resource, sys\n"
            "from vsc.cli.__main__ import run\n"
            "resource.setrlimit(resource.RLIMIT_AS, (400 * 2**20,) * 2)\n"
            "sys.stderr = sys.stdout\n"
            "print(run(['list']))\n"
        )
        variable = {"VSC_PASSPHRASE_FILE": str(tmp_path / "passphrase")}
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=processes.environment(home, variable),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        _, good, error, exit_code = done.stdout.splitlines()
        assert good.startswith("good ")
        assert error == "vsc: card 'greedy': its key takes 512 MiB of memory, and there is not so much"
        assert exit_code == "1"

    def test_a_usual_card_asks_nobody(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(seal, "spare_memory", lambda: 0)
        assert opened(sealed()) == samples.golden_image()


class TestStore:
    def test_new_cards_are_encrypted_and_old_ones_stay_as_they_are(self, home: Path) -> None:
        store(home, None).create(samples.image("open"))
        store(home).create(samples.image("closed"))
        with pytest.warns(CardInClear, match="card 'open' is not encrypted"), store(home).open("open") as card:
            card.save(with_tries(card.image, 1))
        with store(home).open("closed") as card:
            card.save(with_tries(card.image, 1))
        assert not is_sealed(rows.raw_of(home, "open"))
        assert is_sealed(rows.raw_of(home, "closed"))
        assert store(home, None).read("open") == with_tries(samples.image("open"), 1)
        assert store(home).read("closed") == with_tries(samples.image("closed"), 1)

    def test_without_the_passphrase_it_is_listed_by_name(self, home: Path) -> None:
        store(home, None).create(samples.image("open"))
        store(home).create(samples.image("closed"))
        with pytest.warns(CardInClear, match="card 'open' is not encrypted"):
            list(store(home).images())
        for passphrase in (None, b"wrong"):
            with clear_ones_told(passphrase):
                locked, image = store(home, passphrase).images()
            assert image == samples.image("open")
            assert isinstance(locked, CardLocked)
            assert locked.name == "closed"

    def test_without_the_passphrase_it_is_neither_read_nor_opened_nor_replaced(self, home: Path) -> None:
        store(home).create(samples.image())
        raw = rows.raw_of(home)
        for passphrase in (None, b"wrong"):
            other = store(home, passphrase)
            with pytest.raises(CardLocked):
                other.read("work")
            with pytest.raises(CardLocked), other.open("work"):
                pass
            with pytest.raises(CardExistsError):
                other.create(samples.image())
        assert rows.raw_of(home) == raw

    def test_without_the_passphrase_it_can_be_destroyed(self, home: Path) -> None:
        store(home).create(samples.image())
        store(home, None).destroy("work")
        assert not store(home).exists("work")

    def test_every_change_has_a_new_nonce_and_the_key_is_made_once(
        self, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store(home).create(samples.image())
        made: list[object] = []
        really = seal._Header.key
        monkeypatch.setattr(seal._Header, "key", lambda *arguments: made.append(1) or really(*arguments))  # type: ignore[func-returns-value]
        nonces = set()
        with powered("work", store=store(home)) as card:
            for apdu in (samples.WRONG_VERIFY, samples.VERIFY) * 10:
                card.transmit(bytes.fromhex(apdu))
                nonces.add(json.loads(rows.raw_of(home))["nonce"])
        assert len(nonces) == 20
        assert made == [1]

    def test_the_passphrase_is_asked_for_once_and_only_if_needed(self, home: Path) -> None:
        asked: list[int] = []

        def ask() -> bytes:
            asked.append(1)
            return PASSPHRASE

        one = SqliteStore(home, passphrase=ask, scrypt_cost=LOW_COST)
        store(home, None).create(samples.image("open"))
        with pytest.warns(CardInClear):
            one.read("open")
        one.exists("open")
        with pytest.raises(CardExistsError):
            one.create(samples.image("open"))
        assert asked == []
        one.create(samples.image("closed"))
        one.read("closed")
        with pytest.warns(CardInClear):
            list(one.images())
        assert asked == [1]

    def test_an_empty_passphrase_is_refused(self, home: Path) -> None:
        with pytest.raises(VscError, match="a passphrase is not empty"):
            store(home, b"").create(samples.image())
        assert not store(home, None).exists("work")

    def test_an_old_image_put_back_is_not_noticed(self, home: Path) -> None:
        """That is the limit, and docs/images.md says so: somebody must keep what cannot be put back."""
        store(home).create(samples.image())
        old = rows.raw_of(home)
        with store(home).open("work") as card:
            card.save(with_tries(card.image, 0))
        rows.put(home, old)
        assert store(home).read("work") == samples.image()

    def test_another_process_opens_it_with_the_file_that_the_variable_names(self, home: Path, tmp_path: Path) -> None:
        store(home).create(samples.image())
        (tmp_path / "passphrase").write_bytes(PASSPHRASE + b"\n")
        for name, code in (("passphrase", 0), ("none", 1)):
            done = subprocess.run(
                [sys.executable, "-m", "vsc.cli", "show", "work"],
                env=processes.environment(home, {"VSC_PASSPHRASE_FILE": str(tmp_path / name)}),
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert done.returncode == code
        assert (
            done.stderr == f"vsc: the passphrase file {tmp_path / 'none'} cannot be read: No such file or directory\n"
        )
