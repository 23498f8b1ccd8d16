"""vsc.store.sqlite and vsc.store.database: files and their modes, damage, locks, several processes, a full disk."""

import fcntl
import gc
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.vsc import processes, rows, samples
from tests.unit.vsc.samples import gids_state
from vsc.errors import CardExistsError, CardInUseError, CardNotFoundError, ImageError, VscError
from vsc.factory import powered
from vsc.profiles import GIDS
from vsc.store import Image, schema, sqlite
from vsc.store.database import FILE, Durability
from vsc.store.lock import Hold, card_lock
from vsc.store.name import file_stem
from vsc.store.sqlite import SqliteStore


def with_tries(image: Image, tries_left: int) -> Image:
    state = gids_state(image)
    return image.with_persistent(GIDS.persistent(replace(state, pin=replace(state.pin, tries_left=tries_left))))


def modes(home: Path) -> dict[str, int]:
    return {path.suffix or path.name: stat.S_IMODE(path.stat().st_mode) for path in home.iterdir()}


def attempts(store: SqliteStore) -> list[Callable[[], object]]:
    """Everything that can be asked of a store with a card `work`, and that a damaged database must refuse."""
    return [
        lambda: store.read("work"),
        lambda: list(store.images()),
        lambda: store.exists("work"),
        lambda: store.open("work").__enter__(),
        lambda: store.create(samples.image("another")),
        lambda: store.create(samples.image("work")),
        lambda: store.destroy("work"),
    ]


class TestFiles:
    @pytest.mark.parametrize("umask", [0, 0o022])
    @pytest.mark.parametrize("durability", Durability)
    def test_only_the_owner_reads_them(self, home: Path, umask: int, durability: Durability) -> None:
        store = SqliteStore(home, durability=durability)
        before = os.umask(umask)
        try:
            store.create(samples.image())
            with store.open("work") as card:
                card.save(with_tries(card.image, 1))
                assert set(modes(home)) == {".db", ".db-wal", ".db-shm", ".lock"}
                assert set(modes(home).values()) == {0o600}
        finally:
            os.umask(before)
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        assert modes(home) == {".db": 0o600, ".lock": 0o600}

    def test_what_a_killed_process_leaves_is_the_owners_too(self, store: SqliteStore, home: Path) -> None:
        store.create(samples.image())
        with processes.holding(home, "work") as holder:
            holder.kill()
        assert ".db-wal" in modes(home)
        assert set(modes(home).values()) == {0o600}
        assert store.read("work") == samples.image()
        assert set(modes(home)) == {".db", ".lock"}

    def test_folders_above_are_made(self, home: Path) -> None:
        store = SqliteStore(home / "a" / "b")
        store.create(samples.image())
        assert store.exists("work")

    @pytest.mark.parametrize("folder", ["cards ☂", "50%", "a?mode=ro", "a#b", "a'b"])
    def test_any_folder_will_do(self, home: Path, folder: str) -> None:
        store = SqliteStore(home / folder)
        store.create(samples.image())
        assert list(store.images()) == [samples.image()]
        assert (home / folder / FILE).exists()

    def test_a_folder_that_is_named_from_here(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(home.parent)
        SqliteStore(Path(home.name)).create(samples.image())
        assert SqliteStore(home).exists("work")

    def test_reading_makes_nothing(self, store: SqliteStore, home: Path) -> None:
        for exists in (False, True):
            if exists:
                home.mkdir()
            assert list(store.images()) == []
            assert not store.exists("work")
            with pytest.raises(CardNotFoundError):
                store.read("work")
            assert list(home.iterdir()) == [] if exists else not home.exists()

    def test_reading_changes_nothing(self, store: SqliteStore, home: Path) -> None:
        store.create(samples.image())
        before = rows.files(home)
        store.read("work")
        list(store.images())
        assert store.exists("work")
        with store.open("work"):
            pass
        assert rows.files(home) == before

    def test_a_folder_that_is_none(self, store: SqliteStore, home: Path) -> None:
        home.write_text("a file")
        for attempt in attempts(store):
            with pytest.raises(VscError, match="cannot be read: Not a directory"):
                attempt()
        assert home.read_text() == "a file"

    def test_a_folder_that_cannot_be_made(self, home: Path) -> None:
        home.write_text("a file")
        with pytest.raises(VscError, match=f"{home.name}/x cannot be read: Not a directory"):
            SqliteStore(home / "x").create(samples.image())

    def test_what_a_killed_maker_left_is_harmless(self, store: SqliteStore, home: Path) -> None:
        home.mkdir()
        for name in ("cards.new", "cards.new-journal", "cards.new-wal", "cards.new-shm"):
            (home / name).write_bytes(b"half a database")
        assert list(store.images()) == []
        store.create(samples.image())
        assert store.read("work") == samples.image()
        assert set(modes(home)) == {".db", ".lock"}

    def test_destroyed_secrets_are_gone(self, store: SqliteStore, home: Path) -> None:
        store.create(samples.golden_image())
        store.create(samples.image("other", replace(samples.state(), pin=samples.state().pin.with_value(b"88887777"))))
        secrets = [f"{samples.PIN.hex()}".encode(), bytes(samples.rsa_key()).hex().encode()[200:264]]
        assert all(secret in rows.files(home)[FILE] for secret in secrets)
        with store.open("other"):
            store.destroy("golden")
            left = b"".join(rows.files(home).values())
        assert not [secret for secret in secrets if secret in left]

    def test_durability_is_what_was_asked_for(self, home: Path) -> None:
        SqliteStore(home).create(samples.image())
        for durability, level in ((Durability.POWER_LOSS, 2), (Durability.PROCESS, 1)):
            with SqliteStore(home, durability=durability).open("work") as card:
                assert card._writing.sql.execute("PRAGMA synchronous").fetchone() == (level,)
                assert card._writing.sql.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        with SqliteStore(home).open("work") as card:
            assert card._writing.sql.execute("PRAGMA synchronous").fetchone() == (2,)


def test_the_page_shows_the_table_as_it_is() -> None:
    page = Path(__file__).parents[4] / "docs" / "images.md"
    assert f"```sql\n{schema.TABLE}\n{schema.PART_TABLE}\n```" in page.read_text(encoding="utf-8")


BAD_IMAGES = {
    "empty": b"",
    "damaged": b"damaged",
    "newer": b'{"format": "virtual smart card image", "version": 5}',
    "newer, encrypted": b'{"format": "virtual smart card image, encrypted", "version": 2}',
    "cut": bytes(samples.image())[:100],
    "of another card": bytes(samples.image("another")),
    "text": "damaged",
    "a number": 12,
}


class TestDamagedImage:
    """An image that cannot be used is refused by name and stays as it is; the others do not suffer."""

    @pytest.mark.parametrize("raw", BAD_IMAGES.values(), ids=BAD_IMAGES)
    def test_it_is_never_replaced(self, store: SqliteStore, home: Path, raw: object) -> None:
        store.create(samples.image())
        store.create(samples.image("good"))
        rows.put(home, raw)
        before = rows.files(home)
        with pytest.raises(ImageError, match="card 'work': the"):
            store.read("work")
        with pytest.raises(ImageError, match="card 'work': the"), store.open("work"):
            pass
        with pytest.raises(CardExistsError):
            store.create(samples.image())
        good, bad = store.images()
        assert good == samples.image("good")
        assert isinstance(bad, ImageError)
        assert str(bad).startswith("card 'work': the ")
        assert rows.files(home) == before

    def test_it_can_be_destroyed(self, store: SqliteStore, home: Path) -> None:
        store.create(samples.image())
        rows.put(home, b"damaged")
        store.destroy("work")
        assert list(store.images()) == []

    def test_a_name_that_is_no_text(self, store: SqliteStore, home: Path) -> None:
        store.create(samples.image())
        store.create(samples.image("good"))
        rows.change(home, "UPDATE card SET name = CAST(x'ff1b' AS TEXT) WHERE name = 'work'")
        found = [one for one in store.images() if isinstance(one, ImageError)]
        assert [str(one) for one in found] == ["card '\ufffd\\x1b': the image is that of another card, 'work'"]


def cut(size: int) -> Callable[[bytes], bytes]:
    return lambda raw: raw[:size]


BAD_DATABASES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "a text": (lambda raw: b"not a database, but a text" * 200, "is not a database"),
    "empty": (cut(0), "is not a database of vsc, or was cut off"),
    "one byte": (cut(1), "is not a database"),
    "half a header": (cut(50), "is not a database"),
    "half a page": (cut(2000), "database"),
    "one page": (cut(4096), "is damaged"),
    "one page less": (lambda raw: raw[:-4096], "is damaged"),
    "zeros": (lambda raw: bytes(len(raw)), "is not a database"),
    "newer": (lambda raw: raw[:60] + (7).to_bytes(4, "big") + raw[64:], "has version 7; this vsc reads up to 3"),
    "somebody else's": (lambda raw: raw[:68] + bytes(4) + raw[72:], "is not a database of vsc"),
    "the pages of the table": (lambda raw: raw[:4096] + b"\xff" * (len(raw) - 4096), "is damaged"),
    "no table": (lambda raw: raw.replace(b"CREATE TABLE card (", b"CREATE TABLE dcar ("), "is damaged"),
}


class TestDamagedDatabase:
    @pytest.mark.parametrize(("damage", "text"), BAD_DATABASES.values(), ids=BAD_DATABASES)
    def test_it_is_refused_by_name_and_left_as_it_is(
        self, store: SqliteStore, home: Path, damage: Callable[[bytes], bytes], text: str
    ) -> None:
        store.create(samples.image())
        path = home / FILE
        raw = damage(path.read_bytes())
        path.write_bytes(raw)
        for attempt in attempts(store):
            with pytest.raises(ImageError, match=text) as caught:
                attempt()
            assert str(path) in str(caught.value)
            assert "\n" not in str(caught.value)
        assert path.read_bytes() == raw
        assert set(modes(home)) == {".db", ".lock"}

    def test_a_folder_in_its_place(self, store: SqliteStore, home: Path) -> None:
        (home / FILE).mkdir(parents=True)
        for attempt in attempts(store):
            with pytest.raises(VscError, match=f"the database .*{FILE} cannot be used"):
                attempt()

    def test_damage_that_stands_in_sqlites_message(self, store: SqliteStore, home: Path) -> None:
        """It is no text then, and Python's module fails to say it."""
        store.create(samples.image())
        path = home / FILE
        path.write_bytes(path.read_bytes().replace(b"CREATE TABLE card", b"CREATE TABLE c\xf3rd"))
        for attempt in attempts(store):
            with pytest.raises(ImageError, match="is damaged"):
                attempt()

    @given(st.data())
    def test_any_damage_is_noticed_or_harmless(
        self, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
    ) -> None:
        home = tmp_path_factory.mktemp("damaged")
        store = SqliteStore(home)
        store.create(samples.image())
        path = home / FILE
        raw = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 3))):
            raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
        path.write_bytes(raw)
        for attempt in (lambda: [store.read("work")], lambda: list(store.images())):
            try:
                found = attempt()
            except VscError:
                continue
            assert all(one == samples.image() or isinstance(one, ImageError) for one in found)
        assert path.read_bytes() == bytes(raw)


class TestLock:
    def test_another_process_keeps_us_out_until_it_is_killed(self, store: SqliteStore, home: Path) -> None:
        store.create(samples.image())
        store.create(samples.image("other"))
        with processes.holding(home, "work") as holder:
            with pytest.raises(CardInUseError), store.open("work"):
                pass
            with pytest.raises(CardInUseError):
                store.destroy("work")
            with pytest.raises(CardInUseError):
                store.create(samples.image())
            assert store.read("work") == samples.image()
            assert len(list(store.images())) == 2
            with store.open("other"):
                pass
            holder.send_signal(signal.SIGKILL)
            holder.wait()
            with store.open("work") as card:
                assert card.image == samples.image()

    def test_a_lock_on_a_card_destroyed_meanwhile_is_taken_again(
        self, store: SqliteStore, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store.create(samples.image())
        lock = home / f"{file_stem('work')}.lock"
        really = fcntl.flock
        calls: list[int] = []

        def destroyed_before(descriptor: int, operation: int) -> None:
            if not calls:
                lock.unlink()
            calls.append(operation)
            really(descriptor, operation)

        monkeypatch.setattr(fcntl, "flock", destroyed_before)
        with store.open("work"):
            assert len(calls) == 2
            assert lock.exists()
            with pytest.raises(CardInUseError), store.open("work"):
                pass

    def test_a_lock_that_cannot_be_made_is_told(self, store: SqliteStore, home: Path) -> None:
        store.create(samples.image())
        lock = home / f"{file_stem('work')}.lock"
        lock.unlink()
        lock.mkdir()
        with pytest.raises(VscError, match="card 'work' cannot be locked: Is a directory"), store.open("work"):
            pass

    def test_an_open_card_is_read_after_the_lock_is_ours(
        self, store: SqliteStore, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store.create(samples.image())
        really = card_lock

        @contextmanager
        def changed_before(folder: Path, name: str) -> Iterator[Hold]:
            rows.put(home, bytes(with_tries(samples.image(), 1)))
            with really(folder, name) as lock:
                yield lock

        monkeypatch.setattr(sqlite, "card_lock", changed_before)
        with store.open("work") as card:
            assert gids_state(card.image).pin.tries_left == 1

    def test_nothing_is_left_open(self, store: SqliteStore, home: Path) -> None:
        store.create(samples.image())
        gc.collect()  # What other tests have left open is not to be closed below.
        before = set(os.listdir("/proc/self/fd"))
        with store.open("work"):
            pass
        list(store.images())
        for action in (lambda: store.read("gone"), lambda: store.create(samples.image())):
            with pytest.raises(VscError):
                action()
        assert set(os.listdir("/proc/self/fd")) == before


_WRITER = """
import sys
from pathlib import Path
from tests.unit.vsc import samples
from vsc.factory import powered
from vsc.store.database import Durability
from vsc.store.sqlite import SqliteStore
store = SqliteStore(Path(sys.argv[1]), durability=Durability(sys.argv[2]))
name, rounds = sys.argv[3], int(sys.argv[4])
print("ready", flush=True)
sys.stdin.readline()
for _ in range(rounds):
    store.create(samples.image(name))
    for _ in range(3):
        with powered(name, store=store) as card:
            for apdu, sw in [(samples.WRONG_VERIFY, "63c2"), (samples.VERIFY, "9000")] * 2:
                assert card.transmit(bytes.fromhex(apdu)).hex() == sw
        assert any(one == samples.image(name) for one in store.images())
    store.destroy(name)
"""


class TestProcesses:
    @pytest.mark.parametrize("durability", Durability)
    def test_many_write_many_cards_at_once(self, store: SqliteStore, home: Path, durability: Durability) -> None:
        """Each makes, opens, changes, lists, closes and destroys its own: nobody hears of a lock."""
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", _WRITER, str(home), durability.value, f"card {number}", "4"],
                env=processes.environment(home),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for number in range(6)
        ]
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
        done = []
        for writer in writers:
            assert writer.stdin is not None
            writer.stdin.write("go\n")
            writer.stdin.flush()
        for writer in writers:
            done.append((*writer.communicate(timeout=120), writer.returncode))
        assert done == [("", "", 0)] * 6
        assert list(store.images()) == []
        assert not store.exists("card 0")

    def test_whoever_reads_does_not_wait_for_who_writes(self, store: SqliteStore, home: Path) -> None:
        store.create(samples.image())
        other = sqlite3.connect(home / FILE, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            assert store.read("work") == samples.image()
        finally:
            other.close()

    def test_somebody_who_keeps_the_database_is_told(
        self, store: SqliteStore, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store.create(samples.image())
        monkeypatch.setattr("vsc.store.database.BUSY_S", 0.0)
        with powered("work", store=store) as card:
            other = sqlite3.connect(home / FILE, isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            assert card.transmit(bytes.fromhex(samples.WRONG_VERIFY)).hex() == "6581"
            with pytest.raises(VscError, match="card 'x' cannot be written: Device or resource busy"):
                store.create(samples.image("x"))
            other.close()
            assert card.transmit(bytes.fromhex(samples.WRONG_VERIFY)).hex() == "63c2"


class TestFullDisk:
    """RLIMIT_FSIZE makes the kernel refuse a write; a disk that is really full is in tests/interop."""

    def test_no_pin_is_compared_and_nothing_changes(self, store: SqliteStore, home: Path) -> None:
        store.create(samples.image())
        code = (
            "import os, resource, sys, vsc\n"
            "from pathlib import Path\n"
            "from vsc.factory import home_store\n"
            "verify, wrong, status = map(bytes.fromhex, sys.argv[1:4])\n"
            "log = Path(sys.argv[4])\n"
            "with vsc.powered('work') as card:\n"
            "    print(card.transmit(wrong).hex())\n"
            "    start, stored = card.persistent, home_store().read('work')\n"
            "    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size,) * 2)\n"
            "    print(*(card.transmit(one).hex() for one in (verify, wrong, status)))\n"
            "    print(card.persistent == start, home_store().read('work') == stored)\n"
        )
        log = f"{home / FILE}-wal"
        done = processes.python(home, code, samples.VERIFY, samples.WRONG_VERIFY, samples.PIN_STATUS, log)
        assert done.stdout.split() == ["63c2", "6581", "6581", "63c2", "True", "True"]
        assert gids_state(store.read("work")).pin.tries_left == 2

    def test_the_card_goes_on_when_there_is_space_again(self, store: SqliteStore, home: Path) -> None:
        store.create(samples.image())
        code = (
            "import resource, sys, vsc\n"
            "wrong = bytes.fromhex(sys.argv[1])\n"
            "with vsc.powered('work') as card:\n"
            "    for limit in (1000, resource.RLIM_INFINITY):\n"
            "        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))\n"
            "        print(card.transmit(wrong).hex())\n"
        )
        assert processes.python(home, code, samples.WRONG_VERIFY).stdout.split() == ["6581", "63c2"]
        assert gids_state(store.read("work")).pin.tries_left == 2

    @pytest.mark.parametrize("exists", [False, True])
    def test_a_card_that_cannot_be_made_leaves_nothing(self, store: SqliteStore, home: Path, exists: bool) -> None:
        if exists:
            store.create(samples.image("other"))
        code = (
            "import resource, vsc\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
            "try:\n"
            "    vsc.create('work', pin=b'24681357')\n"
            "except vsc.VscError as error:\n"
            "    print(error)\n"
        )
        said = processes.python(home, code).stdout
        assert said == f"the database {home / FILE} cannot be {'used' if exists else 'made'}: Input/output error\n"
        assert list(store.images()) == ([samples.image("other")] if exists else [])
        assert set(modes(home)) == {".lock", *([".db"] if exists else [])}
        store.create(samples.image())


class TestKept:
    """Databases of each version, with the golden card: read and written for ever. Never make them again."""

    @pytest.mark.parametrize("name", ["v1-cards.db", "v2-cards.db", "v3-cards.db"])
    def test_it_is_still_read_and_written(self, store: SqliteStore, home: Path, name: str) -> None:
        home.mkdir()
        shutil.copy(samples.IMAGES / name, home / FILE)
        golden = replace(samples.golden_image(), label=samples.GOLDEN_LABEL)
        if name == "v3-cards.db":
            golden = samples.large_golden_image()
        assert list(store.images()) == [golden]
        with store.open("golden") as card:
            card.save(replace(card.image, label="changed"))
        store.create(samples.image())
        assert store.read("golden") == replace(golden, label="changed")
