"""vsc.store.parts: a large card lies in rows of its own, whole or not at all, and a change costs what it changes."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from card_os.schema import Part
from card_os.tlv import Tlv
from tests.unit.vsc import rows, samples
from tests.unit.vsc.samples import gids_state, with_content
from tests.unit.vsc.store.test_contract import LOW_COST
from tests.unit.vsc.store.test_holders import tries_left, with_tries
from vsc.errors import ImageError
from vsc.profiles import GIDS
from vsc.store import Image, schema
from vsc.store.database import FILE
from vsc.store.image import FORMAT, parse_versioned
from vsc.store.name import part_numbers
from vsc.store.parts import MIN_IMAGE_BYTES, Splitter
from vsc.store.rescue import rescue
from vsc.store.sqlite import SqliteStore

PLACES = [(0xA010, 0xDF40 + number) for number in range(30)]
SECRET = b"a secret to look for "


def large(name: str = "work", objects: int = 30) -> Image:
    state = samples.state_with_key()
    for number, place in enumerate(PLACES[:objects]):
        state = with_content(state, place, SECRET + bytes([number]) * 1500)
    return samples.image(name, state)


def changed(image: Image, place: tuple[int, int], value: bytes) -> Image:
    return image.with_persistent(GIDS.persistent(with_content(gids_state(image), place, value)))


def parts(home: Path) -> dict[int, bytes]:
    with rows.connection(home) as one:
        return dict(one.execute("SELECT id, raw FROM part"))


@pytest.fixture
def kept(store: SqliteStore) -> SqliteStore:
    """A store with a large card that has been changed once: its parts are rows."""
    store.create(large())
    with store.open("work") as card:
        card.save(with_tries(card.image, 2))
    return store


@pytest.fixture
def encodings(monkeypatch: pytest.MonkeyPatch) -> list[Tlv]:
    """The large objects that are encoded from now on."""
    made: list[Tlv] = []
    really = Tlv.__bytes__

    def count(one: Tlv) -> bytes:
        if len(one.value) > 1000:
            made.append(one)
        return really(one)

    monkeypatch.setattr(Tlv, "__bytes__", count)
    return made


def test_a_large_card_comes_back_whole(kept: SqliteStore, home: Path) -> None:
    assert kept.read("work") == with_tries(large(), 2)
    assert list(kept.images()) == [with_tries(large(), 2)]
    assert len(parts(home)) >= 30
    assert len(rows.raw_of(home)) < 10_000
    assert all(number in part_numbers("work") for number in parts(home))


def test_a_small_card_is_one_row(store: SqliteStore, home: Path) -> None:
    store.create(samples.image())
    with store.open("work") as card:
        card.save(with_tries(card.image, 2))
    assert parts(home) == {}
    assert rows.raw_of(home) == bytes(with_tries(samples.image(), 2))
    assert len(bytes(samples.image())) // 2 < MIN_IMAGE_BYTES


def test_a_change_encodes_and_writes_what_it_changes(kept: SqliteStore, home: Path, encodings: list[Tlv]) -> None:
    before = parts(home)
    with kept.open("work") as card:
        # The first one of a process finds by their digests what is stored.
        card.save(with_tries(card.image, 3))
        assert parts(home) == before
        encodings.clear()
        for left in (2, 3):
            card.save(with_tries(card.image, left))
        assert encodings == []
        card.save(changed(card.image, PLACES[7], b"new" * 500))
        assert [one.tag for one in encodings] == [PLACES[7][1]]
    after = parts(home)
    assert len(before.keys() - after.keys()) == len(after.keys() - before.keys()) == 1
    assert {number: raw for number, raw in after.items() if number in before}.items() <= before.items()


def test_what_a_change_costs_does_not_grow_with_the_card(store: SqliteStore, home: Path) -> None:
    """In statements: one, as for a card that is one row."""
    for image in (samples.image("small"), large("large")):
        store.create(image)
        with store.open(image.name) as card:
            card.save(with_tries(card.image, 2))
            said: list[str] = []
            card._writing.sql.set_trace_callback(said.append)
            card.save(with_tries(card.image, 1))
            card._writing.sql.set_trace_callback(None)
        assert [statement.split()[0] for statement in said] == ["UPDATE"]


def test_what_did_not_change_is_not_looked_at(kept: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither files nor the parts in them: a commit's time does not grow with them."""
    with kept.open("work") as card:
        card.save(with_tries(card.image, 3))
        looked_at: list[object] = []
        really = Splitter._part_words

        def look(splitter: Splitter, piece: Part, *rest: Any) -> str:
            looked_at.append(piece)
            return really(splitter, piece, *rest)

        monkeypatch.setattr(Splitter, "_part_words", look)
        card.save(with_tries(card.image, 2))
        assert looked_at == []
        card.save(changed(card.image, PLACES[7], b"new" * 500))
        assert len(looked_at) >= 30


def test_a_card_that_is_small_again_is_one_row(kept: SqliteStore, home: Path) -> None:
    small = samples.image()
    with kept.open("work") as card:
        card.save(small)
        assert parts(home) == {}
        card.save(large())
        assert len(parts(home)) >= 30
    assert kept.read("work") == large()


def test_a_destroyed_card_leaves_no_part_and_others_stay(kept: SqliteStore, home: Path) -> None:
    kept.create(large("other"))
    with kept.open("other") as card:
        card.save(with_tries(card.image, 1))
    both = len(parts(home))
    kept.destroy("work")
    assert len(parts(home)) == both // 2
    assert kept.read("other") == with_tries(large("other"), 1)
    assert SECRET + b"\0" * 40 in (home / FILE).read_bytes()
    kept.destroy("other")
    assert parts(home) == {}
    assert SECRET not in (home / FILE).read_bytes()


@pytest.mark.parametrize("fails", ["_add_parts", "executemany"])
def test_what_cannot_be_written_whole_is_not_written(
    kept: SqliteStore, home: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    before = parts(home), rows.raw_of(home)
    really: Callable[..., None] = schema._add_parts

    def fail(*arguments: object) -> None:
        if fails == "executemany":
            really(*arguments)
        raise sqlite3.OperationalError("database or disk is full")

    with kept.open("work") as card:
        with monkeypatch.context() as patch:
            patch.setattr(schema, "_add_parts", fail)
            with pytest.raises(OSError):
                card.save(changed(card.image, PLACES[0], b"new" * 500))
        assert (parts(home), rows.raw_of(home)) == before
        assert card.image == kept.read("work") == with_tries(large(), 2)
        new = changed(card.image, PLACES[0], b"new" * 500)
        card.save(new)
    assert kept.read("work") == new


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("DELETE FROM part WHERE id = (SELECT min(id) FROM part)", "a part of it is missing"),
        ("UPDATE part SET raw = raw || x'00' WHERE id = (SELECT min(id) FROM part)", "the checksum of a part"),
        ("UPDATE part SET raw = 'text' WHERE id = (SELECT min(id) FROM part)", "the checksum of a part"),
        ("UPDATE part SET card = card + 1", "a part of it is missing"),
    ],
)
def test_a_damaged_part_costs_its_card_and_no_other(kept: SqliteStore, home: Path, statement: str, text: str) -> None:
    kept.create(samples.image("good"))
    rows.change(home, statement)
    with pytest.raises(ImageError, match=f"card 'work': the image is damaged: {text}"):
        kept.read("work")
    assert kept.read("good") == samples.image("good")
    assert sum(isinstance(one, ImageError) for one in kept.images()) == 1
    kept.destroy("work")
    assert kept.exists("good")


def test_somebody_else_who_changed_it_is_noticed(kept: SqliteStore, home: Path) -> None:
    with kept.open("work") as card:
        rows.change(home, "UPDATE card SET revision = revision + 1")
        before = parts(home)
        with pytest.raises(OSError, match="somebody else changed it"):
            card.save(changed(card.image, PLACES[0], b"new" * 500))
        assert parts(home) == before


class TestEncrypted:
    @pytest.fixture
    def sealed(self, home: Path) -> SqliteStore:
        store = SqliteStore(home, passphrase=b"open sesame", scrypt_cost=LOW_COST)
        store.create(large())
        with store.open("work") as card:
            card.save(with_tries(card.image, 2))
        return store

    def test_parts_show_nothing(self, sealed: SqliteStore, home: Path) -> None:
        assert len(parts(home)) >= 30
        assert not any(SECRET in raw for raw in parts(home).values())
        assert sealed.read("work") == with_tries(large(), 2)
        with sealed.open("work") as card:
            before = parts(home)
            card.save(with_tries(card.image, 1))
            assert parts(home) == before
        assert tries_left(sealed) == 1

    def test_a_part_in_the_place_of_another_is_refused(self, sealed: SqliteStore, home: Path) -> None:
        (one, raw), *_ = parts(home).items()
        other = next(raw for number, raw in parts(home).items() if number != one)
        with rows.connection(home) as connection:
            connection.execute("UPDATE part SET raw = ? WHERE id = ?", (other, one))
        with pytest.raises(ImageError, match="not what was encrypted"):
            sealed.read("work")
        with rows.connection(home) as connection:
            connection.execute("UPDATE part SET raw = ? WHERE id = ?", (raw, one))
        assert sealed.exists("work")

    def test_rescue_copies_them_without_the_passphrase(self, sealed: SqliteStore, home: Path, tmp_path: Path) -> None:
        target = SqliteStore(tmp_path / "rescued", passphrase=b"open sesame")
        target.add_row(rescue(home).rows["work"])
        assert target.read("work") == sealed.read("work")


class TestRescue:
    def test_a_card_comes_out_with_its_parts(self, kept: SqliteStore, home: Path, tmp_path: Path) -> None:
        kept.create(samples.image("small"))
        found = rescue(home)
        assert (set(found.rows), found.damaged) == ({"work", "small"}, set())
        target = SqliteStore(tmp_path / "rescued")
        for row in found.rows.values():
            target.add_row(row)
        assert list(target.images()) == list(kept.images())

    def test_from_the_log_too(self, kept: SqliteStore, home: Path) -> None:
        with kept.open("work") as card:
            card.save(changed(card.image, PLACES[3], b"new" * 700))
            row = rescue(home).rows["work"]
        assert b"new" * 700 in b"".join(row.parts.values())
        assert kept.read("work") != large()

    def test_one_whose_part_is_damaged_is_named(self, kept: SqliteStore, home: Path) -> None:
        kept.create(samples.image("small"))
        raw = (home / FILE).read_bytes()
        at = raw.index(SECRET + bytes([5]))
        (home / FILE).write_bytes(raw[: at + 30] + b"\xff" + raw[at + 31 :])
        found = rescue(home)
        assert (set(found.rows), found.damaged) == ({"small"}, {"work"})


def test_an_image_in_parts_is_of_a_version_of_its_own(kept: SqliteStore, home: Path) -> None:
    content = parse_versioned(rows.raw_of(home), FORMAT, 4)
    (state,) = content["applications"].values()
    assert (content["version"], len(state) % 2) == (4, 1)
    with pytest.raises(ImageError, match="a part of it is missing"):
        Image.parse(rows.raw_of(home))
    assert replace(with_tries(large(), 2), label="x") != kept.read("work")
