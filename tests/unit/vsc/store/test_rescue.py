"""vsc.store.rescue: whatever is whole comes out of a damaged database, as it was, and nothing else does."""

import random
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.vsc import processes, rows, samples
from tests.unit.vsc.store.test_contract import LOW_COST
from tests.unit.vsc.store.test_holders import with_tries
from vsc.errors import VscError
from vsc.store import Image
from vsc.store.database import FILE
from vsc.store.rescue import rescue, rescue_rows
from vsc.store.sqlite import SqliteStore

PAGE = 4096


def images() -> list[Image]:
    """Some on one page, some on several, one on many."""
    large = samples.with_content(samples.state(), samples.CERTIFICATE_PLACE, bytes(range(256)) * 40)
    return [
        samples.image("large", large),
        *(samples.image(f"card {number}") for number in range(5)),
        samples.golden_image(),
        replace(samples.image("雪" * 80), label="\N{KEY}" * 500),
    ]


@pytest.fixture
def full(store: SqliteStore, home: Path) -> Path:
    for one in images():
        store.create(one)
    return home


def found(home: Path) -> dict[str, Image]:
    return {name: Image.parse(row.raw) for name, row in rescue(home).rows.items()}


def test_of_a_whole_database_everything(full: Path) -> None:
    assert found(full) == {one.name: one for one in images()}
    assert rescue(full).damaged == set()
    assert {name: row.revision for name, row in rescue(full).rows.items()} == {
        one.name: rows.revision_of(full, one.name) for one in images()
    }


def test_reading_changes_nothing(full: Path) -> None:
    before = rows.files(full)
    rescue(full)
    assert rows.files(full) == before


def test_of_version_1(home: Path) -> None:
    rows.version_1_database(home, images())
    assert found(home) == {one.name: one for one in images()}


def test_encrypted_ones_without_the_passphrase(home: Path) -> None:
    store = SqliteStore(home, passphrase=b"open sesame", scrypt_cost=LOW_COST)
    store.create(samples.image())
    (row,) = rescue(home).rows.values()
    assert row.raw == rows.raw_of(home)


def test_the_newest_is_in_the_log(store: SqliteStore, home: Path) -> None:
    store.create(samples.image())
    with store.open("work") as card:
        for left in (2, 1, 2, 0):
            card.save(with_tries(card.image, left))
        assert found(home) == {"work": with_tries(samples.image(), 0)}
        log = (home / f"{FILE}-wal").read_bytes()
        content = (home / FILE).read_bytes()
    assert Image.parse(rescue_rows(content, log[:-10]).rows["work"].raw) == with_tries(samples.image(), 2)
    assert Image.parse(rescue_rows(b"", log).rows["work"].raw) == with_tries(samples.image(), 0)
    assert rescue_rows(content, b"\xff" * 40).rows.keys() == {"work"}


def test_a_destroyed_card_does_not_come_back(full: Path) -> None:
    store = SqliteStore(full)
    store.destroy("large")
    store.destroy("card 3")
    assert found(full).keys() == {one.name for one in images()} - {"large", "card 3"}
    assert not {"large", "card 3"} & rescue(full).damaged


@pytest.mark.parametrize("page", [1, 2], ids=["head and schema", "root of the table"])
def test_where_sqlite_finds_nothing_at_all(full: Path, page: int) -> None:
    raw = (full / FILE).read_bytes()
    (full / FILE).write_bytes(raw[: (page - 1) * PAGE] + bytes(PAGE) + raw[page * PAGE :])
    with pytest.raises((sqlite3.DatabaseError, VscError)):
        list(SqliteStore(full).images())
    assert len(found(full)) >= len(images()) - (page == 2)


def test_a_card_with_a_damaged_image_is_named(full: Path) -> None:
    raw = (full / FILE).read_bytes()
    at = raw.index(b'"name": "card 2"')
    (full / FILE).write_bytes(raw[: at + 40] + b"\xff" + raw[at + 41 :])
    assert rescue(full).damaged == {"card 2"}
    assert found(full).keys() == {one.name for one in images()} - {"card 2"}


def holders(home: Path, raw: bytes) -> dict[str, set[int]]:
    """The bytes that each row lies on, as far as they matter: those that spoil it when they are changed."""
    whole = rescue_rows(raw, b"").rows
    spoilt: dict[str, set[int]] = {name: set() for name in whole}
    for page in range(len(raw) // PAGE):
        left = rescue_rows(raw[: page * PAGE] + bytes(PAGE) + raw[(page + 1) * PAGE :], b"").rows
        for name in whole.keys() - left.keys():
            spoilt[name].add(page)
    return spoilt


def test_every_row_whose_pages_are_whole(full: Path) -> None:
    """However the others are damaged."""
    raw = (full / FILE).read_bytes()
    pages_of = holders(full, raw)
    whole = rescue_rows(raw, b"").rows
    chance = random.Random("rescue")
    for _ in range(4):
        bad = set(chance.sample(range(len(raw) // PAGE), chance.randint(1, 3)))
        content = bytearray(raw)
        for page in bad:
            content[page * PAGE : (page + 1) * PAGE] = chance.randbytes(PAGE)
        left = rescue_rows(bytes(content), b"").rows
        assert left == {name: row for name, row in whole.items() if not pages_of[name] & bad}


@settings(max_examples=50)
@given(st.binary(max_size=5000), st.binary(max_size=5000), st.integers(0, 4096))
def test_anything_is_read_and_nothing_is_made_up(content: bytes, log: bytes, at: int) -> None:
    beginning = b'\x81\x20\x05\x06\x00\x15\x02\x82\x00work\x01\x02{\n "format": "virtual smart card image'
    for raw in (content, log, content[:at] + beginning + content[at:]):
        assert rescue_rows(raw, log).rows == {}


def test_a_chain_that_goes_round(full: Path) -> None:
    """Pages that name themselves as their next: as long as the row says, and no longer."""
    raw = bytearray((full / FILE).read_bytes())
    for page in range(1, len(raw) // PAGE):
        raw[page * PAGE : page * PAGE + 4] = (page + 1).to_bytes(4, "big")
    assert "large" not in rescue_rows(bytes(raw), b"").rows


def test_the_command(full: Path, tmp_path: Path) -> None:
    raw = (full / FILE).read_bytes()
    at = raw.index(b'"name": "card 2"')
    (full / FILE).write_bytes(bytes(PAGE) + raw[PAGE : at + 40] + b"\xff" + raw[at + 41 :])
    target = tmp_path / "rescued"
    whole = sorted((one for one in images() if one.name != "card 2"), key=lambda one: one.name)
    code, out, err = processes.vsc(full, "rescue", str(target))
    assert code == 1
    assert out.splitlines() == [f"Rescued the card {one.name!r}." for one in whole]
    assert err == "vsc: card 'card 2' is damaged and not rescued\n"
    assert list(SqliteStore(target).images()) == whole
    code, out, err = processes.vsc(full, "rescue", str(target))
    assert (code, out) == (1, "")
    assert "there is a card called 'card 0' already" in err
