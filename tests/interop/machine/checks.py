"""What every machine must do, run in a process of its own: `python -m tests.interop.machine.checks WORLD CHECK`.

libpcsclite reads PCSCLITE_CSOCK_NAME once in the life of a process, so each check has a process. WORLD is one of
`worlds.py`. A check that fails ends with a traceback.
"""

import sys
import threading
from collections.abc import Callable
from queue import SimpleQueue

from tests.interop.machine.worlds import SELECT, WORLDS, Log, Vpcd, World
from vsc.errors import (
    CardInUseError,
    CardNotFoundError,
    CardRemoved,
    CardWasReset,
    NoPcscError,
    ReaderNotFoundError,
    SharingViolation,
)
from vsc.host.connection import Connection
from vsc.machine import CardStatus, ChangeKind, MachineReader, ReaderKind, ReaderStatus

MANY = 300


def raises(error: type[Exception], call: Callable[[], object]) -> None:
    try:
        result = call()
    except error:
        return
    raise AssertionError(f"no {error.__name__} but {result!r}")


def a_card_is_plugged_in_and_unplugged(world: World) -> None:
    machine = world.machine
    before = {reader.name for reader in machine.readers() if reader.insertion is not None}
    reader = machine.plug("one")
    assert [one.name for one in machine.readers()].count(reader.name) == 1
    assert reader.name not in before
    assert reader in machine.readers()
    assert (reader.kind, reader.card_name) == (ReaderKind.VIRTUAL, "one")
    assert (reader.status(), reader.card_status()) == (ReaderStatus.READY, CardStatus.READY)
    with reader.connect() as card:
        assert card.atr == reader.atr
        assert card.transmit(SELECT)[-2:] == b"\x90\x00" or card.transmit(SELECT)[-2] == 0x61
        world.check_card_status(reader, CardStatus.SHARED)
    raises(CardInUseError, lambda: machine.plug("one"))
    raises(CardNotFoundError, lambda: machine.plug("nobody"))
    stay = reader.insertion
    machine.unplug("one")
    assert [reader.insertion, reader.atr] == [None, None]
    assert reader.card_status(stay) is CardStatus.DISCONNECTED
    assert before == {reader.name for reader in machine.readers() if reader.insertion is not None}
    raises(CardNotFoundError, lambda: machine.unplug("one"))
    with machine.store.open("one"):
        pass  # Given back.


def another_card_is_another_stay(world: World) -> None:
    machine = world.machine
    reader = machine.plug("one")
    stay = reader.insertion
    assert stay is not None
    held = reader.connect(insertion=stay)
    machine.unplug("one")
    other = machine.plug("two")
    assert other.name == reader.name
    assert other.insertion not in (None, stay)
    assert other.card_name == "two"
    # The object that stands for the old reader: PC/SC knows readers by their names, this process knows better.
    gone = CardRemoved if world.is_seen_through_pcsc else ReaderNotFoundError
    assert reader.card_status(stay) is other.card_status(stay) is CardStatus.DISCONNECTED
    raises(gone, lambda: reader.connect(insertion=stay))
    raises(CardRemoved, lambda: other.connect(insertion=stay))
    raises(CardRemoved, lambda: held.transmit(SELECT))
    held.close()


def two_cards_have_two_readers(world: World) -> None:
    one, two = world.machine.plug("one"), world.machine.plug("two")
    assert one != two
    assert one.id != two.id
    assert {reader.card_name for reader in world.machine.readers()} >= {"one", "two"}
    with one.connect() as first, two.connect() as second:
        assert first.transmit(SELECT) == second.transmit(SELECT)
    world.machine.unplug("one")
    world.check_card_status(two, CardStatus.READY)


def watchers_are_told(world: World) -> None:
    machine = world.machine
    reader = machine.plug("one")
    early = Log(machine.watch)
    early.wait_for(lambda log: log.now(reader) == reader.insertion is not None)
    own = Log(reader.watch)
    own.wait_for(lambda log: [change.kind for change in log.changes] == [ChangeKind.CARD_ADDED])
    machine.unplug("one")
    early.wait_for(lambda log: log.now(reader) is None)
    own.wait_for(lambda log: [change.kind for change in log.changes][1:] == [ChangeKind.CARD_REMOVED])
    assert [change.card_name for change in own.changes] == ["one", "one"]
    assert own.changes[0].insertion == own.changes[1].insertion
    assert threading.current_thread().name not in early.threads | own.threads
    if not isinstance(world, Vpcd):
        early.wait_for(lambda log: log.changes[-1].kind is ChangeKind.READER_REMOVED)
    own.end()
    machine.plug("one")
    early.wait_for(lambda log: log.now(reader) is not None or len(log.cards()) == 3)
    assert len(own.changes) == 2


def every_swap_is_two_changes(world: World) -> None:
    reader = world.machine.plug("one")
    log = Log(reader.watch)
    for _ in range(3):
        stay = reader.insertion
        log.wait_for(lambda log: log.last_added() == stay)  # noqa: B023
        world.swap(reader)
        log.wait_for(lambda log: log.last_added() == reader.insertion != stay)  # noqa: B023
    log.check_alternation()
    assert [change.kind for change in log.changes] == [
        ChangeKind.CARD_ADDED,
        *[ChangeKind.CARD_REMOVED, ChangeKind.CARD_ADDED] * 3,
    ]


def quick_changes_are_told_in_turn(world: World) -> None:
    reader = world.machine.plug("one")
    log, everything = Log(reader.watch), Log(world.machine.watch)
    for _ in range(3 if isinstance(world, Vpcd) else MANY):
        world.eject(reader)
        world.insert(reader)
    for one in (log, everything):
        one.wait_for(lambda log: log.last_added() == reader.insertion)
        one.check_alternation()
    world.eject(reader)
    log.wait_for(lambda log: log.changes[-1].kind is ChangeKind.CARD_REMOVED)
    log.check_alternation()
    world.insert(reader)


def one_has_the_card_for_itself(world: World) -> None:
    reader = world.machine.plug("one")
    with reader.connect(exclusive=True) as card:
        world.check_card_status(reader, CardStatus.EXCLUSIVE)
        assert reader.status() is ReaderStatus.EXCLUSIVE
        raises(SharingViolation, reader.connect)
        with card.transaction(), card.transaction():
            card.transmit(SELECT)
        card.transmit(SELECT)
    with reader.connect():
        raises(SharingViolation, lambda: reader.connect(exclusive=True))
    world.check_card_status(reader, CardStatus.READY)
    assert reader.status() is ReaderStatus.READY


def a_transaction_keeps_others_waiting(world: World) -> None:
    reader = world.machine.plug("one")
    said: list[str] = []
    begun = threading.Event()

    def other(card: Connection) -> None:
        begun.set()
        card.transmit(SELECT)
        said.append("other")

    # Connected before: SCardConnect itself waits for a transaction.
    with reader.connect() as card, reader.connect() as waiting:
        with card.transaction():
            thread = threading.Thread(target=other, args=(waiting,))
            thread.start()
            begun.wait()
            for _ in range(50):
                card.transmit(SELECT)
            said.append("end")
        thread.join()
    assert said == ["end", "other"]


def who_waits_hears_of_the_removal(world: World) -> None:
    reader = world.machine.plug("one")
    heard: SimpleQueue[object] = SimpleQueue()
    begun = threading.Event()

    def other(card: Connection) -> None:
        begun.set()
        try:
            heard.put(card.transmit(SELECT))
        except CardRemoved as error:
            heard.put(error)

    with reader.connect() as card, reader.connect() as waiting, card.transaction():
        thread = threading.Thread(target=other, args=(waiting,))
        thread.start()
        begun.wait()
        world.machine.unplug("one")
        assert isinstance(heard.get(timeout=20), CardRemoved)
        thread.join()
        raises(CardRemoved, lambda: card.transmit(SELECT))


def a_reset_is_told_to_others(world: World) -> None:
    reader = world.machine.plug("one")
    with reader.connect() as card:
        card.transmit(SELECT)
        world.reset(reader)
        for _ in range(2):
            raises(CardWasReset, lambda: card.transmit(SELECT))
        assert card.atr == reader.atr
    with reader.connect() as card:
        card.transmit(SELECT)


def the_service_goes_and_comes_back(world: World) -> None:
    reader = world.machine.plug("one")
    log = Log(world.machine.watch)
    log.wait_for(lambda log: log.now(reader) is not None)
    stay = reader.insertion
    connection = reader.connect()
    world.stop_service()
    log.wait_for(lambda log: not log.has(reader))
    assert (reader.status(), reader.card_status(stay)) == (ReaderStatus.DISCONNECTED, CardStatus.DISCONNECTED)
    raises(CardRemoved, lambda: connection.transmit(SELECT))
    raises(NoPcscError, world.machine.readers)
    connection.close()
    world.start_service()
    log.wait_for(lambda log: log.now(reader) is not None)
    assert reader.insertion != stay
    with reader.connect() as card:
        card.transmit(SELECT)
    log.check_alternation()


CHECKS: dict[str, Callable[[World], None]] = {
    check.__name__: check
    for check in (
        a_card_is_plugged_in_and_unplugged,
        another_card_is_another_stay,
        two_cards_have_two_readers,
        watchers_are_told,
        every_swap_is_two_changes,
        quick_changes_are_told_in_turn,
        one_has_the_card_for_itself,
        a_transaction_keeps_others_waiting,
        who_waits_hears_of_the_removal,
        a_reset_is_told_to_others,
        the_service_goes_and_comes_back,
    )
}


def main(world_name: str, check_name: str) -> None:
    with WORLDS[world_name]() as world:
        CHECKS[check_name](world)
        reader: MachineReader
        for reader in world.machine.readers():
            assert reader.id.startswith("vsc-reader:")
        world.machine.close()
        left = [thread.name for thread in threading.enumerate() if thread.name.startswith(("vsc-herald", "vsc-pcsc-w"))]
        assert not left, left
    print("done")  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
