"""vsc.machine.herald: what watchers are told."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from queue import SimpleQueue

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsc.machine import Change, ChangeKind
from vsc.machine.herald import Herald
from vsc.machine.own import OwnReader
from vsc.reader import Reader

WAIT_S = 20
ADDED, REMOVED = ChangeKind.CARD_ADDED, ChangeKind.CARD_REMOVED
READER_ADDED, READER_REMOVED = ChangeKind.READER_ADDED, ChangeKind.READER_REMOVED

Told = tuple[ChangeKind, int | None]


def readers(count: int) -> list[OwnReader]:
    return [OwnReader(Reader(f"Reader {number}")) for number in range(count)]


@pytest.fixture
def herald() -> Iterator[Herald]:
    herald = Herald(lambda _: lambda: None)
    yield herald
    herald.close()


def told(herald: Herald, only: OwnReader | None = None) -> Callable[[int], list[Told]]:
    """Watches; gives what takes so many changes."""
    queue: SimpleQueue[Change] = SimpleQueue()
    herald.watch(queue.put, only=only)

    def take(count: int) -> list[Told]:
        changes = [queue.get(timeout=WAIT_S) for _ in range(count)]
        assert queue.empty()
        return [(change.kind, change.insertion) for change in changes]

    return take


def test_what_is_there_comes_first(herald: Herald) -> None:
    [reader] = readers(1)
    herald.watch(lambda _: None)
    herald.see(reader, 7)
    assert told(herald)(2) == [(READER_ADDED, None), (ADDED, 7)]


def test_a_change_of_cards_is_told_in_two(herald: Herald) -> None:
    [reader] = readers(1)
    take = told(herald)
    herald.see(reader, None)
    herald.see(reader, 1)
    herald.see(reader, 1)
    herald.see(reader, 2)
    herald.lose(reader)
    herald.lose(reader)
    assert take(6) == [
        (READER_ADDED, None),
        (ADDED, 1),
        (REMOVED, 1),
        (ADDED, 2),
        (REMOVED, 2),
        (READER_REMOVED, None),
    ]


def test_only_one_reader_and_only_its_cards(herald: Herald) -> None:
    one, other = readers(2)
    take = told(herald, only=one)
    herald.see(other, 1)
    herald.see(one, 2)
    herald.lose(one)
    assert take(2) == [(ADDED, 2), (REMOVED, 2)]


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["gone", 1, 2, 3, None])), max_size=30))
def test_a_watcher_always_knows_what_there_is(sightings: list[tuple[int, int | str | None]]) -> None:
    """Applying what was told, in order, gives what was seen last; each card goes before the next comes."""
    herald = Herald(lambda _: lambda: None)
    ours = readers(3)
    known: dict[str, int | None] = {}

    def apply(change: Change) -> None:
        name = change.reader.name
        match change.kind:
            case ChangeKind.READER_ADDED:
                assert name not in known
                known[name] = None
            case ChangeKind.READER_REMOVED:
                assert known.pop(name) is None
            case ChangeKind.CARD_ADDED:
                assert known[name] is None
                known[name] = change.insertion
            case ChangeKind.CARD_REMOVED:
                assert known[name] == change.insertion
                known[name] = None

    faults: list[object] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "unraisablehook", faults.append)
        herald.watch(apply)
        seen: dict[str, int | None] = {}
        for number, what in sightings:
            if isinstance(what, str):
                herald.lose(ours[number])
                seen.pop(ours[number].name, None)
            else:
                herald.see(ours[number], what)
                seen[ours[number].name] = what
        herald.close()
    assert not faults
    assert known == seen


def test_faults_of_a_watcher_do_not_stop_the_others(herald: Herald, monkeypatch: pytest.MonkeyPatch) -> None:
    faults: SimpleQueue[object] = SimpleQueue()
    monkeypatch.setattr(sys, "unraisablehook", lambda fault: faults.put(fault.exc_value))

    def bad(_: Change) -> None:
        raise RuntimeError("of the watcher")

    herald.watch(bad)
    take = told(herald)
    herald.see(readers(1)[0], None)
    assert take(1) == [(READER_ADDED, None)]
    assert isinstance(faults.get(timeout=WAIT_S), RuntimeError)


def test_a_watcher_runs_in_the_context_it_was_registered_in(herald: Herald) -> None:
    variable: ContextVar[str] = ContextVar("variable", default="none")
    heard: SimpleQueue[tuple[str, bool]] = SimpleQueue()
    token = variable.set("registered")
    herald.watch(lambda _: heard.put((variable.get(), threading.current_thread() is threading.main_thread())))
    variable.reset(token)
    herald.see(readers(1)[0], None)
    assert heard.get(timeout=WAIT_S) == ("registered", False)


def test_a_watcher_may_end_itself(herald: Herald) -> None:
    heard: SimpleQueue[Change] = SimpleQueue()
    is_registered = threading.Event()

    def once(change: Change) -> None:
        assert is_registered.wait(WAIT_S)
        end()
        heard.put(change)

    end = herald.watch(once)
    is_registered.set()
    one, other = readers(2)
    take = told(herald)
    herald.see(one, None)
    herald.see(other, None)
    take(2)
    assert heard.get(timeout=WAIT_S).reader == one
    assert heard.empty()


def heralds() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "vsc-herald"}


def test_looking_starts_with_the_first_watcher_and_ends_with_the_last() -> None:
    said: list[str] = []
    others = set(threading.enumerate())  # Those of other tests may have yet to end.

    def start(herald: Herald) -> Callable[[], None]:
        said.append("start")
        return lambda: said.append("end")

    herald = Herald(start)
    assert said == []
    ends = [herald.watch(lambda _: None), herald.watch(lambda _: None)]
    assert said == ["start"]
    ends[0]()
    ends[0]()
    assert said == ["start"]
    [before] = heralds() - others
    ends[1]()
    assert said == ["start", "end"]
    before.join(WAIT_S)  # It ends by itself: a watcher that ends itself cannot wait for its own thread.
    assert not before.is_alive()
    herald.watch(lambda _: None)
    [thread] = heralds() - others
    herald.close()
    herald.close()
    assert said == ["start", "end", "start", "end"]
    assert not thread.is_alive()


def test_a_watcher_that_still_runs_when_another_begins_keeps_nothing_from_it() -> None:
    there = readers(6)

    def start(herald: Herald) -> Callable[[], None]:
        for reader in there:
            herald.see(reader, None)
        return lambda: None

    herald, runs, may_end, heard = Herald(start), threading.Event(), threading.Event(), SimpleQueue[str]()

    def slow(_: Change) -> None:
        runs.set()
        may_end.wait(30)

    end = herald.watch(slow)
    assert runs.wait(30)
    end()
    herald.watch(lambda change: heard.put(change.reader.name))
    assert heard.empty()  # One watcher at a time.
    may_end.set()
    assert [heard.get(timeout=WAIT_S) for _ in there] == [reader.name for reader in there]
    herald.close()
