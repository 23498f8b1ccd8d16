"""A card on a store that fails, for every write and every way to fail: nothing half-written, no try given back."""

import errno
import os
import random
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest

from card_os.memory import Persistent
from tests.unit.vsc import load, samples
from tests.unit.vsc.load import Load, LoadEnv, Step
from tests.unit.vsc.samples import gids_state
from vsc.factory import powered
from vsc.store import Image, Store
from vsc.store.database import FILE, Durability
from vsc.store.faulty import Fault, FaultyStore, PowerCut
from vsc.store.memory import MemoryStore
from vsc.store.sqlite import SqliteStore

SEED = 2
COMMANDS = 70
REFERENCE: list[Step] = list(islice(load.expected(load.image(), SEED), COMMANDS))
WRITES = sum(len(step.commits) for step in REFERENCE)

STORES: dict[str, Callable[[Path], Store]] = {
    "memory": lambda folder: MemoryStore(),
    "database": lambda folder: SqliteStore(folder, durability=Durability.PROCESS),
}
AT_WRITES = [
    pytest.param(STORES["memory"], 1, id="memory"),
    pytest.param(STORES["database"], 6, id="database"),
    pytest.param(STORES["database"], 1, id="database, every one", marks=pytest.mark.long),
]
"""A store, and which of its writes fail: each, or each sixth."""
DEAD = (Fault.CUT_BEFORE, Fault.CUT_AFTER)
ALIVE = (Fault.REFUSED, Fault.UNANSWERED)


def tries(persistent: Persistent) -> int:
    return gids_state(samples.image().with_persistent(persistent)).pin.tries_left


def pin(persistent: Persistent) -> bytes:
    value = gids_state(samples.image().with_persistent(persistent)).pin.value
    assert value is not None
    return value.reveal()


def test_the_load_is_mixed() -> None:
    """What the tests below rely on: everything happens, some of it with two commits."""
    actions = {step.command[:4].hex() for step in REFERENCE if step.commits}
    assert {"00200080", "00240080", "00470000", "00dba010", "00870000", "00db3fff", "002c0280"} <= actions
    assert WRITES > 50
    assert max(len(step.commits) for step in REFERENCE) >= 2
    answers = {step.answer[-2:].hex() for step in REFERENCE}
    assert "9000" in answers
    assert answers & {"63c4", "63c3", "63c2", "63c1"}
    assert "6982" in answers


@pytest.mark.parametrize("make", STORES.values(), ids=STORES)
def test_without_a_fault_it_is_the_card_that_was_worked_out(home: Path, make: Callable[[Path], Store]) -> None:
    store = FaultyStore(make(home), {})
    store.create(load.image())
    with powered("work", store=store, env=LoadEnv(SEED)) as card:
        assert list(islice(Load(card, SEED).run(), COMMANDS)) == [step.answer for step in REFERENCE]
    assert [image.persistent for image in store.attempts] == [one for step in REFERENCE for one in step.commits]
    assert store.read("work").persistent == store.attempts[-1].persistent
    assert store.exists("work")
    assert len(list(store.images())) == 1
    store.destroy("work")


def run_until_the_cut(store: Store, acknowledged: list[Persistent]) -> None:
    """Adds the card's state after each answer."""
    with powered("work", store=store, env=LoadEnv(SEED)) as card:
        for _ in Load(card, SEED).run():
            acknowledged.append(card.persistent)


@pytest.mark.parametrize(("make", "every"), AT_WRITES)
@pytest.mark.parametrize("fault", DEAD)
def test_a_power_cut_at_every_write(home: Path, make: Callable[[Path], Store], every: int, fault: Fault) -> None:
    kept = make(home)
    for number in range(1, WRITES + 1, every):
        store = FaultyStore(kept, {number: fault})
        store.create(load.image())
        acknowledged = [load.image().persistent]
        with pytest.raises(PowerCut):
            run_until_the_cut(store, acknowledged)
        before = store.attempts[-2].persistent if number > 1 else acknowledged[-1]
        found = store.read("work").persistent
        assert found == (store.attempts[-1].persistent if fault == Fault.CUT_AFTER else before)
        # A command of two commits may have got as far as the first: that is where the counter has gone down.
        assert found in [acknowledged[-1], *(image.persistent for image in store.attempts[-2:])]
        step = next(step for step in REFERENCE if store.attempts[-1].persistent in step.commits)
        if step.answer[-2:] != b"\x90\x00":
            assert tries(found) <= tries(acknowledged[-1])
        kept.destroy("work")


@pytest.mark.parametrize(("make", "every"), AT_WRITES)
@pytest.mark.parametrize("fault", ALIVE)
def test_an_error_at_every_write(home: Path, make: Callable[[Path], Store], every: int, fault: Fault) -> None:
    """The command is answered 6581; the card goes on, and what it says afterwards is what the store has."""
    kept = make(home)
    for number in range(1, WRITES + 1, every):
        store = FaultyStore(kept, {number: fault})
        store.create(load.image())
        failed = 0
        with powered("work", store=store, env=LoadEnv(SEED)) as card:
            before, running = card.persistent, Load(card, SEED)
            for answer in islice(running.run(), COMMANDS):
                if answer == b"\x65\x81":
                    failed += 1
                    assert card.persistent in (before, store.attempts[-2].persistent if number > 1 else before)
                    if pin(before) not in running.sent:
                        assert tries(card.persistent) <= tries(before)
                    assert store.read("work").persistent in (card.persistent, store.attempts[-1].persistent)
                elif store.writes > number:
                    assert store.read("work").persistent == card.persistent
                if store.writes > number + 5:
                    break
                before = card.persistent
        assert failed == 1
        kept.destroy("work")


def test_a_card_on_a_full_disk_compares_no_pin() -> None:
    store = FaultyStore(MemoryStore(), dict.fromkeys(range(1, 100), Fault.REFUSED))
    store.create(samples.image())
    with powered("work", store=store) as card:
        start = card.persistent
        right, wrong = (card.transmit(bytes.fromhex(apdu)) for apdu in (samples.VERIFY, samples.WRONG_VERIFY))
        assert right == wrong == bytes.fromhex("6581")
        assert card.persistent == start
        assert card.transmit(bytes.fromhex(samples.PIN_STATUS)) == bytes.fromhex("63C3")


def test_the_error_of_the_database_is_one_of_the_system(home: Path) -> None:
    store = SqliteStore(home)
    store.create(samples.image())
    with store.open("work") as card:
        card._writing.sql.execute("PRAGMA max_page_count = 1")
        state = samples.with_content(samples.state(), (0xA010, 0xDF24), bytes(100_000))
        with pytest.raises(OSError, match="No space left on device") as caught:
            card.save(samples.image("work", state))
        assert caught.value.errno == errno.ENOSPC
        card.save(samples.image("work"))
    assert store.read("work") == samples.image()


# --- torn at the level of the disk -----------------------------------------------------------------------------------

SECTOR = 512
LOG = f"{FILE}-wal"


def content(folder: Path) -> dict[str, bytes]:
    """The database and its log as they are. (Closing them drops SQLite's locks: here nobody else wants them.)"""
    return {name: (folder / name).read_bytes() if (folder / name).exists() else b"" for name in (FILE, LOG)}


def torn(before: bytes, after: bytes, chance: random.Random) -> Iterator[bytes]:
    """What a disk may hold that lost its power while it wrote: some new sectors, in any order, and else old ones."""
    size = max(len(before), len(after))
    old, new = before.ljust(size, b"\0"), after.ljust(size, b"\0")
    changed = [at for at in range(0, size, SECTOR) if old[at : at + SECTOR] != new[at : at + SECTOR]]
    for count in sorted({0, 1, len(changed) // 2, len(changed) - 1, len(changed)} - {-1}):
        for kept in (changed[:count], chance.sample(changed, count)):
            mixed = bytearray(old)
            for at in kept:
                mixed[at : at + SECTOR] = new[at : at + SECTOR]
            yield bytes(mixed)
    if len(after) > len(before):
        yield after[: chance.randint(len(before), len(after))]


def read_from(folder: Path, files: dict[str, bytes]) -> Image:
    """What a store finds after such a power cut."""
    folder.mkdir()
    for name, raw in files.items():
        (folder / name).write_bytes(raw)
    return SqliteStore(folder).read("work")


@pytest.mark.parametrize("every", [pytest.param(1, marks=pytest.mark.long), 3])
def test_every_write_torn_on_the_disk(home: Path, every: int) -> None:
    """Each commit, torn into sectors: the card is as before it, or as after it."""
    chance = random.Random(4)
    store = SqliteStore(home)
    store.create(load.image())
    number = 0
    with store.open("work") as opened:
        for write, persistent in enumerate(one for step in REFERENCE for one in step.commits):
            before, old = content(home), opened.image
            opened.save(opened.image.with_persistent(persistent))
            after = content(home)
            assert before[FILE] == after[FILE], "no checkpoint in between"
            if write % every:
                continue
            for log in torn(before[LOG], after[LOG], chance):
                found = read_from(home / str(number), {FILE: after[FILE], LOG: log})
                assert found in (old, opened.image)
                number += 1
    assert number > 5 * WRITES // every


def test_the_checkpoint_torn_on_the_disk(home: Path) -> None:
    """What goes from the log into the database when it is closed: the log is still there until all of it is."""
    chance = random.Random(5)
    store = SqliteStore(home)
    store.create(load.image())
    with store.open("work") as opened:
        for persistent in [one for step in REFERENCE for one in step.commits]:
            opened.save(opened.image.with_persistent(persistent))
        last, before = opened.image, content(home)
    after = content(home)
    assert after[LOG] == b""
    assert before[FILE] != after[FILE]
    for number, file in enumerate(torn(before[FILE], after[FILE], chance)):
        assert read_from(home / str(number), {FILE: file, LOG: before[LOG]}) == last
    assert os.listdir(home / "0")
