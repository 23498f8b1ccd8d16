"""Damage that SQLite does not see: no card is there twice, and no change is lost without a word."""

import random
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.unit.vsc import processes, rows, samples
from tests.unit.vsc.samples import gids_state
from tests.unit.vsc.store.test_holders import tries_left, with_tries
from vsc.errors import CardExistsError, CardRewound, ImageError, VscError
from vsc.store import Image, schema
from vsc.store.database import FILE
from vsc.store.name import file_stem, row_number
from vsc.store.sqlite import SqliteStore


def damaged(raw: bytes, chance: random.Random) -> bytes:
    """One to three bytes are other ones."""
    content = bytearray(raw)
    for _ in range(chance.randint(1, 3)):
        content[chance.randrange(len(content))] ^= chance.randint(1, 255)
    return bytes(content)


class TestNames:
    """Version 1 had an index of names; damaged, it hid a card, and another one of that name was made."""

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE card SET name = 'xork' WHERE name = 'work'",
            "UPDATE card SET id = id - 1 WHERE name = 'work'",
            "UPDATE card SET name = CAST(x'ff' AS TEXT) WHERE name = 'work'",
            "UPDATE card SET name = 7 WHERE name = 'work'",
        ],
    )
    def test_a_row_that_could_be_any_card(self, store: SqliteStore, home: Path, statement: str) -> None:
        store.create(samples.image())
        store.create(samples.image("good"))
        rows.change(home, statement)
        before = (home / FILE).read_bytes()
        for use in (store.read, store.exists, store.destroy, lambda name: store.open(name).__enter__()):
            with pytest.raises(ImageError, match="is damaged"):
                use("work")
        for name in ("work", "new"):
            with pytest.raises(ImageError, match="is damaged"):
                store.create(samples.image(name))
        assert (home / FILE).read_bytes() == before
        with store.open("good") as card:
            card.save(with_tries(card.image, 1))
        assert sum(isinstance(one, ImageError) for one in store.images()) == 1

    def test_names_stand_in_no_index(self, store: SqliteStore, home: Path) -> None:
        store.create(samples.image("a name to look for"))
        raw = (home / FILE).read_bytes()
        assert raw.count(b"a name to look for") == 3, "in the row; and in its image, with the label that is the same"

    def damage_again_and_again(self, home: Path, tmp_path: Path, times: int) -> None:
        store = SqliteStore(home)
        for number in range(40):
            # Names that fill a page, so that there are several.
            store.create(samples.image(f"card {number} " + "x" * 60))
        store.create(samples.image())
        raw = (home / FILE).read_bytes()
        chance = random.Random("names")
        for number in range(times):
            one = tmp_path / f"damaged {number}"
            one.mkdir(mode=0o700)
            # Where the names and numbers are; in an image damage is known by its checksum.
            place = chance.choice([at for at in _places_of_rows(raw) if at < len(raw)])
            content = bytearray(raw)
            content[place] ^= chance.randint(1, 255)
            (one / FILE).write_bytes(bytes(content))
            with pytest.raises(VscError) as caught:
                SqliteStore(one).create(samples.image())
            assert isinstance(caught.value, ImageError | CardExistsError), caught.value
            shutil.rmtree(one)

    def test_no_damage_makes_room_for_a_second_card(self, home: Path, tmp_path: Path) -> None:
        self.damage_again_and_again(home, tmp_path, 40)

    @pytest.mark.long
    def test_2400_damages_make_no_room_for_a_second_card(self, home: Path, tmp_path: Path) -> None:
        self.damage_again_and_again(home, tmp_path, 2400)


def _places_of_rows(raw: bytes) -> list[int]:
    """Heads and first bytes of all pages, and what stands around each name."""
    places = [page + at for page in range(0, len(raw), 4096) for at in range(16)]
    for name in (b"work", b"card "):
        at = raw.find(name)
        while at >= 0:
            places += range(at - 24, at + len(name) + 8)
            at = raw.find(name, at + 1)
    return places


class TestUpgrade:
    """A database of version 1, with its index: read as it is, made one of this version when it is written."""

    def old(self, home: Path, *images: Image) -> None:
        rows.version_1_database(home, images)

    def test_it_is_read_as_it_is(self, store: SqliteStore, home: Path) -> None:
        self.old(home, samples.image(), samples.image("other"))
        before = rows.files(home)
        assert list(store.images()) == [samples.image("other"), samples.image()]
        assert store.read("work") == samples.image()
        assert not store.exists("none")
        assert rows.files(home) == before

    def test_it_is_written_as_this_version(self, store: SqliteStore, home: Path) -> None:
        self.old(home, samples.image(), samples.image("other"))
        with store.open("work") as card:
            card.save(with_tries(card.image, 1))
        assert (tries_left(store), rows.version(home)) == (1, schema.VERSION)
        assert store.read("other") == samples.image("other")
        store.destroy("other")
        store.create(samples.image("other"))

    def test_who_holds_an_old_one_goes_on(self, store: SqliteStore, home: Path) -> None:
        """A process of the version before has a card open while the database is made a new one."""
        self.old(home, samples.image(), samples.image("other"))
        with rows.connection(home) as old:
            old.execute("UPDATE card SET image = ? WHERE name = ?", (bytes(samples.image()), "work"))
            with store.open("other") as card:
                card.save(with_tries(card.image, 1))
            changed = bytes(with_tries(samples.image(), 2))
            assert old.execute("UPDATE card SET image = ? WHERE name = ?", (changed, "work")).rowcount == 1
        assert tries_left(store) == 2

    def test_an_index_that_hides_a_card(self, store: SqliteStore, home: Path) -> None:
        self.old(home, samples.image(), samples.image("other"))
        rows.damage_index(home, b"work", b"xork")
        before = (home / FILE).read_bytes()
        assert store.read("work") == samples.image()
        assert store.exists("work")
        for use in (lambda: store.create(samples.image()), lambda: store.open("other").__enter__()):
            with pytest.raises(ImageError, match="is damaged"):
                use()
        assert (home / FILE).read_bytes() == before

    def test_killed_on_the_way_it_is_old_or_new(self, home: Path, tmp_path: Path) -> None:
        homes = [tmp_path / f"killed at {step}" for step in range(16)]
        for one in homes:
            self.old(one, samples.image(), samples.image("other"))
        processes.python(home, UPGRADES, *map(str, homes))
        for one in homes:
            assert list(SqliteStore(one).images()) == [samples.image("other"), samples.image()], one
        assert rows.version(homes[0]) < rows.version(homes[-1]) == schema.VERSION


UPGRADES = """
import os, sys
from vsc.factory import home_store
from vsc.store import schema
really = schema.upgrade

def upgrade(connection):
    connection.set_trace_callback(count)
    really(connection)

def count(statement):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), 9)

schema.upgrade = upgrade
for left, os.environ["VSC_HOME"] in enumerate(sys.argv[1:]):
    if not os.fork():
        with home_store().open("work"):
            os._exit(0)
    os.wait()
"""
"""In one home after the other the upgrade is killed a statement later: a child each, not a start of Python."""


CHANGES = """
import os, sys, vsc
wrong, verify = map(bytes.fromhex, sys.argv[1:3])
with vsc.powered("work") as card:
    for _ in range(6):
        card.transmit(verify)
    card.transmit(wrong)
    os.kill(os.getpid(), 9)
"""


@contextmanager
def told() -> Iterator[list[str]]:
    """What is said of changes that are lost."""
    said: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield said
        said += [str(one.message) for one in caught if issubclass(one.category, CardRewound)]


class TestLog:
    """A process is killed; its last changes are in the log alone, and the log is damaged."""

    @pytest.fixture
    def killed(self, store: SqliteStore, home: Path) -> Path:
        store.create(samples.image())
        processes.python(home, CHANGES, samples.WRONG_VERIFY, samples.VERIFY)
        return home

    def test_a_whole_log_is_read_without_a_word(self, killed: Path) -> None:
        with told() as said:
            assert tries_left(SqliteStore(killed)) == 2
        assert said == []

    @pytest.mark.parametrize("damage", ["removed", "cut", "emptied", "head", "frame"])
    def test_damage_is_told_and_where_it_leads(self, killed: Path, damage: str) -> None:
        log = Path(f"{killed / FILE}-wal")
        raw = log.read_bytes()
        content = {
            "cut": raw[:-5000],
            "emptied": b"",
            "head": b"\xff" + raw[1:],
            "frame": raw[:4000] + b"\xff" + raw[4001:],
        }
        if damage == "removed":
            log.unlink()
        else:
            log.write_bytes(content[damage])
        store = SqliteStore(killed)
        for look in (lambda: store.read("work"), lambda: list(store.images())):
            with told() as said:
                look()
            assert len(said) == 1
            assert said[0].startswith("card 'work' lacks its last ")
        with told() as said, store.open("work") as card:
            card.save(with_tries(card.image, 1))
        assert len(said) == 1
        with told() as said:
            assert tries_left(store) == 1
        assert said == [], "once it was changed again, the card is where the lock file says"

    def test_the_command_line_says_it_in_a_sentence(self, killed: Path) -> None:
        Path(f"{killed / FILE}-wal").unlink()
        code, out, err = processes.vsc(killed, "show", "work")
        assert code == 0
        assert "3 of 3 tries left" in out
        assert err.startswith("vsc: warning: card 'work' lacks its last 13 changes: ")
        assert err.count("\n") == 1

    def test_an_older_database_put_back_alone_is_told(self, store: SqliteStore, home: Path) -> None:
        store.create(samples.image())
        backup = (home / FILE).read_bytes()
        with store.open("work") as card:
            card.save(with_tries(card.image, 1))
        (home / FILE).write_bytes(backup)
        with told() as said:
            assert tries_left(store) == 3
        assert said[0].startswith("card 'work' lacks its last 1 changes: ")

    def test_a_lock_file_that_says_nothing(self, store: SqliteStore, home: Path) -> None:
        """Empty, as before; cut; of another card; damaged: nothing is said then."""
        store.create(samples.image())
        store.create(samples.image("other"))
        lock, other = (home / f"{file_stem(name)}.lock" for name in ("work", "other"))
        whole = lock.read_bytes()
        for content in (b"", whole[:-1], other.read_bytes(), b"9" + whole[1:], b"\xff" * 28, b"9" * 400):
            lock.write_bytes(content)
            with told() as said:
                store.read("work")
            assert said == []

    def damage_again_and_again(self, killed: Path, tmp_path: Path, times: int) -> None:
        chance = random.Random("log")
        log = Path(f"{killed / FILE}-wal").read_bytes()
        lost = 0
        for number in range(times):
            one = tmp_path / f"log {number}"
            shutil.copytree(killed, one)
            content = log[: chance.randrange(len(log))] if chance.random() < 0.2 else damaged(log, chance)
            Path(f"{one / FILE}-wal").write_bytes(content)
            try:
                with told() as said:
                    found = gids_state(SqliteStore(one).read("work")).pin.tries_left
            except ImageError:
                continue
            # The last change took a try; before it the card had all, or was between the two changes of a right PIN.
            assert said or found == 2
            lost += bool(said)
            shutil.rmtree(one)
        assert lost

    def test_no_damage_rewinds_in_silence(self, killed: Path, tmp_path: Path) -> None:
        self.damage_again_and_again(killed, tmp_path, 25)

    @pytest.mark.long
    def test_2400_damages_rewind_nothing_in_silence(self, killed: Path, tmp_path: Path) -> None:
        self.damage_again_and_again(killed, tmp_path, 2400)


def test_the_number_of_a_row_follows_from_the_name() -> None:
    """For ever: it is how cards are found."""
    assert row_number("work") == 0x709F6BD7AAD93B
