"""Two who hold one card, or one whose card is gone: nothing is acknowledged that others will not find.

Who writes says what it replaces, and where; locks are a courtesy. Each case here once gave tries back, or lost a change
that had been answered 9000.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.vsc import processes, rows, samples
from tests.unit.vsc.samples import gids_state
from vsc.errors import CardInUseError, VscError
from vsc.factory import powered
from vsc.profiles import GIDS
from vsc.store import Image
from vsc.store.database import FILE
from vsc.store.name import file_stem
from vsc.store.sqlite import SqliteStore

REFUSED = "6581"


def with_tries(image: Image, tries_left: int) -> Image:
    state = gids_state(image)
    return image.with_persistent(GIDS.persistent(replace(state, pin=replace(state.pin, tries_left=tries_left))))


def tries_left(store: SqliteStore) -> int:
    return gids_state(store.read("work")).pin.tries_left


FORKS = """
import os, sys, vsc
from vsc.factory import home_store
wrong, verify = map(bytes.fromhex, sys.argv[1:3])
children = int(sys.argv[3])
with vsc.powered("work") as card:
    print(card.transmit(wrong).hex(), flush=True)
    for _ in range(children):
        child = os.fork()
        if not child:
            print(card.transmit(wrong).hex(), card.transmit(verify).hex(), flush=True)
            os._exit(0)
        os.waitpid(child, 0)
    print(card.transmit(wrong).hex(), flush=True)
"""


class TestFork:
    """A child inherits card, connection and lock; none of them is its own."""

    def guess_in_children(self, home: Path, children: int) -> None:
        store = SqliteStore(home)
        store.create(samples.image())
        said = processes.python(home, FORKS, samples.WRONG_VERIFY, samples.VERIFY, str(children)).stdout.splitlines()
        assert said == ["63c2", *[f"{REFUSED} {REFUSED}"] * children, "63c1"]
        assert tries_left(store) == 1

    def test_guesses_in_children_are_not_even_compared(self, home: Path) -> None:
        self.guess_in_children(home, 3)

    @pytest.mark.long
    def test_guesses_in_500_children(self, home: Path) -> None:
        self.guess_in_children(home, 500)

    def test_a_child_that_leaves_the_block_takes_nothing_of_the_parents(self, store: SqliteStore, home: Path) -> None:
        store.create(samples.image())
        code = (
            "import os, sys, vsc\n"
            "wrong = bytes.fromhex(sys.argv[1])\n"
            "child = None\n"
            "try:\n"
            "    with vsc.powered('work') as card:\n"
            "        card.transmit(wrong)\n"
            "        child = os.fork()\n"
            "        if child:\n"
            "            print(os.waitpid(child, 0)[1], flush=True)\n"
            "            print(card.transmit(wrong).hex(), os.path.exists(sys.argv[2]), flush=True)\n"
            "            try:\n"
            "                vsc.factory.home_store().open('work').__enter__()\n"
            "            except vsc.CardInUseError as error:\n"
            "                print(error, flush=True)\n"
            "finally:\n"
            "    if child == 0:\n"
            "        print('left', flush=True)\n"
        )
        said = processes.python(home, code, samples.WRONG_VERIFY, f"{home / FILE}-wal").stdout.splitlines()
        assert said == ["left", "0", "63c1 True", "card 'work' is in use by another process"]
        assert tries_left(store) == 1

    def test_a_child_keeps_off_the_database_of_its_parent(self, store: SqliteStore, home: Path) -> None:
        """SQLite's locks are the parent's: what the child would write could be lost, or undo what others write."""
        store.create(samples.image())
        store.create(samples.image("other"))
        code = (
            "import os, vsc\n"
            "from vsc.factory import home_store\n"
            "with vsc.powered('work'):\n"
            "    child = os.fork()\n"
            "    if not child:\n"
            "        for use in (home_store().read, lambda name: home_store().open(name).__enter__()):\n"
            "            try:\n"
            "                use('other')\n"
            "            except vsc.VscError as error:\n"
            "                print(error, flush=True)\n"
            "        os._exit(0)\n"
            "    os.waitpid(child, 0)\n"
            "if not os.fork():\n"
            "    print(home_store().read('other').name, flush=True)\n"
            "    os._exit(0)\n"
            "os.wait()\n"
        )
        refused = "cannot be used: this process was forked while these cards were open: start a new one instead"
        said = processes.python(home, code).stdout.splitlines()
        assert said == [f"the database {home / FILE} {refused}"] * 2 + ["other"]

    def test_a_child_does_not_keep_the_card_of_a_parent_that_is_gone(self, store: SqliteStore, home: Path) -> None:
        store.create(samples.image())
        code = (
            "import os, sys, vsc\n"
            "with vsc.powered('work') as card:\n"
            "    if not os.fork():\n"
            "        print('forked', flush=True)\n"
            "        sys.stdin.read()\n"
            "        os._exit(0)\n"
            "    os.kill(os.getpid(), 9)\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", code],
            env=processes.environment(home),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"forked\n"
            assert process.wait() == -signal.SIGKILL
            with store.open("work") as card:
                card.save(with_tries(card.image, 1))


class TestTwoHolders:
    """Whoever comes second with a change finds that it does not replace what is there."""

    def of_two(self, store: SqliteStore, make_second: Callable[[], None]) -> None:
        with store.open("work") as first:
            first.save(with_tries(first.image, 2))
            make_second()
            with store.open("work") as second:
                second.save(with_tries(second.image, 1))
                for _ in range(2):
                    with pytest.raises(OSError, match="somebody else changed it"):
                        first.save(with_tries(first.image, 3))
                second.save(with_tries(second.image, 0))
            assert gids_state(first.image).pin.tries_left == 2
        assert tries_left(store) == 0

    def test_lock_files_that_were_removed(self, store: SqliteStore, home: Path) -> None:
        store.create(samples.image())
        self.of_two(store, (home / f"{file_stem('work')}.lock").unlink)

    def test_a_file_system_that_grants_every_lock(
        self, store: SqliteStore, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store.create(samples.image())
        monkeypatch.setattr(fcntl, "flock", lambda *_: None)
        self.of_two(store, lambda: None)

    def test_the_card_answers_6581_and_takes_no_try(
        self, store: SqliteStore, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store.create(samples.image())
        monkeypatch.setattr(fcntl, "flock", lambda *_: None)
        wrong, verify = bytes.fromhex(samples.WRONG_VERIFY), bytes.fromhex(samples.VERIFY)
        with powered("work", store=store) as first, powered("work", store=store) as second:
            assert second.transmit(wrong).hex() == "63c2"
            outcome = first.exchange(verify)
            assert bytes(outcome.response).hex() == REFUSED
            assert "somebody else changed it" in str(outcome.reason)
            assert second.transmit(wrong).hex() == "63c1"
        assert tries_left(store) == 1

    def test_a_card_made_anew_under_its_name(self, store: SqliteStore, home: Path) -> None:
        """Destroyed and made again while the lock meant nothing: it is another card, at whatever revision."""
        store.create(samples.image())
        with store.open("work") as first:
            (home / f"{file_stem('work')}.lock").unlink()
            store.destroy("work")
            store.create(samples.image())
            first_try = with_tries(first.image, 1)
            with pytest.raises(OSError, match="somebody else changed it"):
                first.save(first_try)
        assert tries_left(store) == 3


GUESSER = """
import fcntl, sys
fcntl.flock = lambda *_: None
import vsc
verify, wrong = map(bytes.fromhex, sys.argv[1:3])
print("ready", flush=True)
sys.stdin.readline()
done = 0
for _ in range(int(sys.argv[3])):
    with vsc.powered("work") as card:
        for apdu in (wrong, verify, wrong):
            before = card.persistent
            answer = card.transmit(apdu)
            assert answer.hex() in ("6581", "9000") or answer[0] == 0x63, answer
            done += answer.hex() != "6581" and card.persistent != before
print(done, flush=True)
"""


class TestLyingLocks:
    """Processes whose flock means nothing use one card at once: each acknowledged change is a revision of its own."""

    def use_at_once(self, home: Path, processes_: int, rounds: int) -> None:
        store = SqliteStore(home)
        state = samples.state(tries=15)
        store.create(samples.image(card_state=state))
        before = rows.revision_of(home)
        running = [
            subprocess.Popen(
                [sys.executable, "-c", GUESSER, samples.VERIFY, samples.WRONG_VERIFY, str(rounds)],
                env=processes.environment(home),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(processes_)
        ]
        for process in running:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in running:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        said = [process.communicate(timeout=500) for process in running]
        assert [error for _, error in said] == [""] * processes_
        acknowledged = sum(int(out) for out, _ in said)
        # A right PIN is two changes, the counter down and up; the first alone may have been the card's.
        assert acknowledged <= rows.revision_of(home) - before <= 2 * acknowledged + processes_ * rounds

    def test_a_few_at_once(self, home: Path) -> None:
        self.use_at_once(home, 3, 10)

    @pytest.mark.long
    def test_many_at_once(self, home: Path) -> None:
        self.use_at_once(home, 4, 500)


class TestGone:
    """The database is not where it was opened: a change would go where nobody looks."""

    @pytest.fixture(params=[False, True], ids=["at once", "after a while"])
    def is_settled(self, request: pytest.FixtureRequest) -> bool:
        """Whether the folder has not changed for so long that nobody looks at every file any more."""
        return bool(request.param)

    def refuses(self, store: SqliteStore, action: Callable[[], None], *, is_settled: bool) -> None:
        store.create(samples.image())
        store.create(samples.image("other"))
        with store.open("work") as card:
            if is_settled:
                os.utime(store.folder, (1, 1))
                card.save(with_tries(card.image, 1))
            card.save(with_tries(card.image, 2))
            action()
            for left in (1, 2):
                with pytest.raises(OSError):
                    card.save(with_tries(card.image, left))
            assert gids_state(card.image).pin.tries_left == 2

    def test_the_home_is_removed(self, store: SqliteStore, home: Path, is_settled: bool) -> None:
        self.refuses(store, lambda: shutil.rmtree(home), is_settled=is_settled)
        assert not home.exists()

    def test_the_home_is_moved(self, store: SqliteStore, home: Path, is_settled: bool) -> None:
        self.refuses(store, lambda: os.rename(home, home.with_name("elsewhere")), is_settled=is_settled)

    def test_a_copy_of_the_home_is_put_in_its_place(self, store: SqliteStore, home: Path, is_settled: bool) -> None:
        """With the times of the one that was there, as cp -a does."""

        def replace_home() -> None:
            shutil.copytree(home, home.with_name("copy"))
            os.rename(home, home.with_name("elsewhere"))
            os.rename(home.with_name("copy"), home)

        self.refuses(store, replace_home, is_settled=is_settled)

    @pytest.mark.parametrize("end", ["", "-wal", "-shm"])
    def test_one_of_the_files_is_removed(self, store: SqliteStore, home: Path, end: str, is_settled: bool) -> None:
        self.refuses(store, Path(f"{home / FILE}{end}").unlink, is_settled=is_settled)

    def test_looking_costs_three_system_calls(
        self, store: SqliteStore, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store.create(samples.image())
        with store.open("work") as card:
            os.utime(home, (1, 1))
            card.save(with_tries(card.image, 1))
            really, calls = os.stat, []

            def counted(path: str) -> os.stat_result:
                calls.append(path)
                return really(path)

            with monkeypatch.context() as counting:
                counting.setattr(os, "stat", counted)
                card.save(with_tries(card.image, 2))
        assert len(calls) == 3

    def test_a_backup_is_put_in_its_place(self, store: SqliteStore, home: Path, is_settled: bool) -> None:
        def put_back() -> None:
            shutil.copy(home / FILE, home / "backup")
            (home / "backup").replace(home / FILE)

        self.refuses(store, put_back, is_settled=is_settled)

    def test_a_backup_is_copied_over_it(self, store: SqliteStore, home: Path) -> None:
        """The same file, with other content; SQLite keeps what it has read, and would write on top."""
        store.create(samples.image())
        backup = (home / FILE).read_bytes()
        with store.open("work") as card:
            card.save(with_tries(card.image, 1))
        with store.open("work") as card:
            (home / FILE).write_bytes(backup)
            with pytest.raises(OSError, match="somebody else changed it"):
                card.save(with_tries(card.image, 2))

    def test_garbage_is_copied_over_it(self, store: SqliteStore, home: Path) -> None:
        store.create(samples.image())
        with store.open("work") as card:
            (home / FILE).write_bytes(b"\xff" * 4096)
            with pytest.raises(OSError):
                card.save(with_tries(card.image, 2))

    def test_a_key_generation_is_not_acknowledged(self, store: SqliteStore, home: Path) -> None:
        """`vsc keygen` while somebody removes VSC_HOME: once it said that all was well, and the card was nowhere."""
        store.create(samples.image())
        with powered("work", store=store) as card:
            shutil.rmtree(home)
            assert card.transmit(bytes.fromhex(samples.VERIFY)).hex() == REFUSED

    def test_a_new_card_is_not_acknowledged(
        self, store: SqliteStore, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store.create(samples.image("other"))

        def removed_before(name: str) -> type[bytes]:
            shutil.rmtree(home)
            return bytes

        monkeypatch.setattr(store, "_new_encode", removed_before)
        with pytest.raises(VscError, match="card 'work' cannot be written: the database was removed or replaced"):
            store.create(samples.image())

    def test_who_made_room_in_the_log_does_not_disturb(self, store: SqliteStore, home: Path) -> None:
        """It writes into the database; that is no reason to refuse."""
        store.create(samples.image())
        with store.open("work") as card:
            for left in (2, 1, 0):
                rows.change(home, "PRAGMA wal_checkpoint(TRUNCATE)")
                card.save(with_tries(card.image, left))
        assert tries_left(store) == 0


def test_a_card_in_use_is_still_told(store: SqliteStore) -> None:
    store.create(samples.image())
    with store.open("work"), pytest.raises(CardInUseError), store.open("work"):
        pass
