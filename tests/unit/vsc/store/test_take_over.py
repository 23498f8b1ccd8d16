"""Card files of version 0.1 in VSC_HOME: they are taken over into the database once, whatever happens meanwhile."""

import itertools
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.vsc import processes, rows, samples
from tests.unit.vsc.samples import gids_state
from vsc.errors import CardExistsError, CardInUseError, CardNotFoundError, ImageError, VscError
from vsc.factory import home_store
from vsc.store import Image
from vsc.store.database import FILE
from vsc.store.lock import card_lock
from vsc.store.sqlite import SqliteStore


def tried(name: str = "work") -> Image:
    """A card that has lost two tries."""
    state = samples.state()
    return samples.image(name, replace(state, pin=replace(state.pin, tries_left=1)))


def card_files(home: Path) -> list[str]:
    return sorted(path.name for path in home.glob("*.card"))


def names(store: SqliteStore) -> list[str]:
    return [one.name for one in store.images() if isinstance(one, Image)]


class TestOnce:
    def test_the_image_that_version_0_1_wrote(self, home: Path) -> None:
        home.mkdir(mode=0o700)
        # sha256("golden"), as version 0.1 named it.
        shutil.copy(samples.GOLDEN, home / "dd56de4137951d9c92681b03416ec15f.card")
        store = home_store()
        assert card_files(home) == []
        assert store.read("golden") == samples.golden_image()
        assert store.read("golden").label == "golden"
        assert (home / FILE).stat().st_mode & 0o777 == 0o600

    def test_every_card_with_its_tries(self, home: Path) -> None:
        for name in ("a", "b", "c"):
            rows.card_file(home, tried(name))
        store = home_store()
        assert [gids_state(store.read(name)).pin.tries_left for name in "abc"] == [1, 1, 1]
        assert names(store) == ["a", "b", "c"]
        assert card_files(home) == []
        with store.open("a") as card:
            card.save(replace(card.image, label="changed"))
        assert home_store().read("a").label == "changed"

    def test_what_a_crash_of_version_0_1_left_goes_with_it(self, home: Path) -> None:
        left = rows.card_file(home, tried()).with_suffix(".new")
        left.write_bytes(bytes(samples.image()))
        home_store()
        assert not left.exists()

    def test_a_home_without_card_files_is_not_touched(self, home: Path) -> None:
        home_store()
        assert not home.exists()
        home.mkdir()
        home_store()
        assert list(home.iterdir()) == []

    def test_into_a_database_that_is_there(self, home: Path) -> None:
        home_store().create(samples.image("new"))
        rows.card_file(home, tried("old"))
        assert names(home_store()) == ["new", "old"]
        assert card_files(home) == []

    def test_what_is_read_without_being_taken_over(self, home: Path) -> None:
        """Where nothing can be written, cards are read where they are."""
        rows.card_file(home, tried())
        store = SqliteStore(home)
        assert store.read("work") == tried()
        assert list(store.images()) == [tried()]
        assert store.exists("work")
        assert [path.suffix for path in home.iterdir()] == [".card"]

    def test_who_opens_a_card_takes_it_over(self, home: Path) -> None:
        rows.card_file(home, tried())
        with SqliteStore(home).open("work") as card:
            assert card_files(home) == []
            card.save(replace(card.image, label="changed"))
        assert SqliteStore(home).read("work").label == "changed"

    def test_who_destroys_a_card_destroys_its_file(self, home: Path) -> None:
        rows.card_file(home, tried())
        SqliteStore(home).destroy("work")
        with pytest.raises(CardNotFoundError):
            home_store().read("work")
        assert list(home.iterdir()) == []


class TestWhatStays:
    @pytest.mark.parametrize(
        ("raw", "text"),
        [
            (b"damaged", "the image is not JSON: it is damaged or no card"),
            (b"", "the image is not JSON: it is damaged or no card"),
            (b'{"format": "virtual smart card image", "version": 9}', "has version 9; this vsc reads up to 4"),
        ],
        ids=["damaged", "empty", "newer"],
    )
    def test_a_damaged_file(self, home: Path, raw: bytes, text: str) -> None:
        rows.card_file(home, tried("good"))
        path = rows.card_file(home, tried())
        path.write_bytes(raw)
        for _ in range(2):
            store = home_store()
            good, bad = store.images()
            assert good == tried("good")
            assert isinstance(bad, ImageError)
            assert str(bad).startswith(f"{path.name}: ")
            assert text in str(bad)
            with pytest.raises(ImageError, match="card 'work': "):
                store.read("work")
            with pytest.raises(ImageError, match="card 'work': "), store.open("work"):
                pass
            with pytest.raises(CardExistsError):
                store.create(samples.image())
        assert card_files(home) == [path.name]
        assert path.read_bytes() == raw
        store.destroy("work")
        assert card_files(home) == []

    def test_a_file_under_another_cards_name(self, home: Path) -> None:
        rows.card_file(home, tried("one")).rename(home / "0123456789abcdef0123456789abcdef.card")
        (found,) = home_store().images()
        assert str(found) == "0123456789abcdef0123456789abcdef.card: the file is misnamed"
        assert len(card_files(home)) == 1

    def test_a_folder(self, home: Path) -> None:
        (home / "folder.card").mkdir(parents=True)
        assert [str(one) for one in home_store().images()] == ["folder.card: Is a directory"]

    def test_an_older_image_put_beside_a_newer_one(self, home: Path) -> None:
        """Whoever copies a backup into the folder gets no tries back, and does not lose the backup either."""
        home_store().create(tried())
        path = rows.card_file(home, samples.image())
        raw = path.read_bytes()
        store = home_store()
        assert store.read("work") == tried()
        found = list(store.images())
        assert found[0] == tried()
        assert str(found[1]) == f"{path.name}: there is another card 'work': the file is left as it is"
        with pytest.raises(ImageError, match="another one of that name: move it away"), store.open("work"):
            pass
        assert path.read_bytes() == raw

    def test_a_card_in_use(self, home: Path) -> None:
        path = rows.card_file(home, tried())
        with card_lock(home, "work"):
            store = home_store()
            assert path.exists()
            assert names(store) == ["work"]
            with pytest.raises(CardInUseError), store.open("work"):
                pass
        home_store()
        assert not path.exists()

    def test_a_database_that_is_damaged(self, home: Path) -> None:
        path = rows.card_file(home, tried())
        (home / FILE).write_bytes(b"damaged")
        store = home_store()
        with pytest.raises(ImageError, match="is not a database"), store.open("work"):
            pass
        assert path.exists()
        assert (home / FILE).read_bytes() == b"damaged"

    def test_where_nothing_can_be_written(self, home: Path) -> None:
        path = rows.card_file(home, tried())
        code = (
            "import resource\n"
            "from vsc.factory import home_store\n"
            "from vsc.errors import VscError\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
            "store = home_store()\n"
            "print([one.name for one in store.images()])\n"
            "try:\n"
            "    store.open('work').__enter__()\n"
            "except VscError as error:\n"
            "    print(error)\n"
        )
        said = processes.python(home, code).stdout.splitlines()
        assert said == ["['work']", f"the database {home / FILE} cannot be made: Input/output error"]
        assert path.exists()
        assert home_store().read("work") == tried()


_DIES = """
import os, signal, sys
import fcntl, sqlite3
from vsc.factory import home_store
from vsc.profiles import PROFILES
list(PROFILES)  # They are looked for once, on disk: not what dies here.

def die_at(left):
    def hook(event, arguments):
        # Each of these is just before a change that others could see.
        nonlocal left
        is_read = event == "open" and not (arguments[2] & os.O_ACCMODE)
        if not is_read and event in ("open", "os.remove", "os.rename", "os.mkdir", "fcntl.flock", "sqlite3.connect"):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)

for step, line in enumerate(sys.stdin):
    os.environ["VSC_HOME"] = line.rstrip("\\n")
    child = os.fork()
    if not child:
        die_at(step)
        home_store()
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def _homes_of_the_killed(folder: Path) -> Iterator[tuple[int, Path]]:
    """Homes in which somebody took over two card files and was killed, each a step later, until there is none left.

    How many system calls there are is Python's and SQLite's affair.
    """
    with subprocess.Popen(
        [sys.executable, "-c", _DIES],
        env=processes.environment(folder),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for step in itertools.count():
            home = folder / f"killed at {step}"
            for name in ("one", "two"):
                rows.card_file(home, tried(name))
            process.stdin.write(f"{home}\n")
            process.stdin.flush()
            status = int(process.stdout.readline())
            assert status in (0, -signal.SIGKILL)
            yield step, home
            if status == 0:
                return


def test_wherever_it_is_killed_whoever_comes_next_finishes_the_work(tmp_path: Path) -> None:
    steps = 0
    left: list[int] = []
    for step, home in _homes_of_the_killed(tmp_path):
        steps = step
        left.append(len(card_files(home)))
        store = SqliteStore(home)
        assert sorted(names(store)) == ["one", "two"], step
        assert [store.read(name) for name in ("one", "two")] == [tried("one"), tried("two")], step
        store.take_over()
        assert card_files(home) == [], step
        assert list(store.images()) == [tried("one"), tried("two")], step
        for name in ("one", "two"):
            with store.open(name) as card:
                assert card.image == tried(name), step
    assert steps > 10
    # From nothing done to all done.
    assert left == sorted(left, reverse=True)
    assert set(left) == {0, 1, 2}


_RACER = """
import sys
from vsc.factory import home_store
print("ready", flush=True)
sys.stdin.readline()
store = home_store()
mine = sys.argv[1]
assert all(store.exists(f"card {number}") for number in range(12))
with store.open(mine) as card:
    print(card.image.name)
"""


def test_several_processes_at_once(home: Path) -> None:
    for number in range(12):
        rows.card_file(home, tried(f"card {number}"))
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", _RACER, f"card {number}"],
            env=processes.environment(home),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(6)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    assert [racer.communicate(timeout=60) for racer in racers] == [(f"card {number}\n", "") for number in range(6)]
    assert card_files(home) == []
    assert len(names(home_store())) == 12


def test_the_folder_is_read_only_for_us(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever error the system gives on the way in, the cards are read where they are."""
    rows.card_file(home, tried())

    really = os.open

    def refused(path: Path, flags: int, mode: int = 0o777) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR):
            raise PermissionError(13, "Permission denied")
        return really(path, flags, mode)

    monkeypatch.setattr(os, "open", refused)
    store = home_store()
    assert store.read("work") == tried()
    with pytest.raises(VscError, match="card 'work' cannot be locked: Permission denied"), store.open("work"):
        pass


def test_actions_on_a_folder_that_cannot_be_read(home: Path) -> None:
    home.write_text("a file")
    actions: list[Callable[[], object]] = [lambda: home_store().read("work"), lambda: list(home_store().images())]
    for action in actions:
        with pytest.raises(VscError, match="Not a directory"):
            action()
