"""vsc.machine.own: a reader of this process, its connections and who shares its card."""

import threading
from queue import SimpleQueue

import pytest

from vsc.errors import CardRemoved, CardUnresponsive, CardWasReset, ReaderNotFoundError, SharingViolation
from vsc.machine import CardStatus, Change, ChangeKind, ReaderKind, ReaderStatus
from vsc.machine.own import OwnReader
from vsc.reader import Reader

WAIT_S = 20
ATR = bytes.fromhex("3B00")


class Echo:
    """Answers what it is sent, and 9000."""

    def __init__(self, atr: bytes = ATR) -> None:
        self.atr = atr

    def power_on(self) -> bytes:
        return self.atr

    def power_off(self) -> None:
        pass

    def reset(self) -> bytes:
        return self.atr

    def transmit(self, command: bytes) -> bytes:
        return command + b"\x90\x00"


@pytest.fixture
def slot() -> Reader:
    slot = Reader("Mine")
    slot.insert(Echo())
    return slot


@pytest.fixture
def reader(slot: Reader) -> OwnReader:
    return OwnReader(slot, card_name="work")


def test_what_it_says_of_itself(reader: OwnReader) -> None:
    assert (reader.name, reader.id, reader.kind, reader.card_name) == (
        "Mine",
        "vsc-reader:Mine",
        ReaderKind.VIRTUAL,
        "work",
    )
    assert reader.atr == ATR
    assert (reader.status(), reader.card_status()) == (ReaderStatus.READY, CardStatus.READY)


def test_an_empty_reader(slot: Reader, reader: OwnReader) -> None:
    slot.eject()
    assert (reader.insertion, reader.atr) == (None, None)
    assert (reader.status(), reader.card_status()) == (ReaderStatus.READY, CardStatus.DISCONNECTED)
    with pytest.raises(CardRemoved):
        reader.connect()


def test_a_reader_that_is_gone(reader: OwnReader) -> None:
    stay = reader.insertion
    reader.unplug()
    assert (reader.insertion, reader.atr) == (None, None)
    assert (reader.status(), reader.card_status(stay)) == (ReaderStatus.DISCONNECTED, CardStatus.DISCONNECTED)
    with pytest.raises(ReaderNotFoundError):
        reader.connect()


def test_each_stay_has_its_number(slot: Reader, reader: OwnReader) -> None:
    first = reader.insertion
    assert first is not None
    connection = reader.connect(insertion=first)
    slot.swap(Echo())
    assert reader.insertion not in (None, first)
    assert reader.card_status(first) is CardStatus.DISCONNECTED
    assert reader.card_status(reader.insertion) is CardStatus.READY
    with pytest.raises(CardRemoved):
        reader.connect(insertion=first)
    with pytest.raises(CardRemoved):
        connection.transmit(b"\0\0\0\0")


def test_a_reader_of_the_same_name_repeats_no_number(slot: Reader, reader: OwnReader) -> None:
    slot.eject()
    again = Reader(slot.name)
    again.insert(Echo())
    assert OwnReader(again).insertion != reader._base + 1
    assert OwnReader(again) != reader


def test_apdus_pass_as_they_are(reader: OwnReader) -> None:
    with reader.connect() as connection:
        assert connection.atr == ATR
        assert connection.transmit(b"\x00\xb0\x00\x00\x00") == b"\x00\xb0\x00\x00\x00\x90\x00"
        assert reader.card_status() is CardStatus.SHARED
    assert reader.card_status() is CardStatus.READY


def test_closing_ends_it(slot: Reader, reader: OwnReader) -> None:
    connection = reader.connect()
    connection.close()
    connection.close()
    assert slot.is_powered
    with pytest.raises(ValueError, match="closed"):
        connection.transmit(b"\0\0\0\0")


def test_a_reset_by_another_is_told_until_there_is_a_new_connection(slot: Reader, reader: OwnReader) -> None:
    connection = reader.connect()
    slot.reset()
    for _ in range(2):
        with pytest.raises(CardWasReset):
            connection.transmit(b"\0\0\0\0")
    with reader.connect() as new:
        new.transmit(b"\0\0\0\0")


def test_a_loss_of_power_is_a_reset(slot: Reader, reader: OwnReader) -> None:
    connection = reader.connect()
    slot.power_off()
    with pytest.raises(CardWasReset):
        connection.transmit(b"\0\0\0\0")


def test_a_card_that_does_not_answer_to_reset() -> None:
    slot = Reader()
    slot.insert(Echo(atr=b""))
    reader = OwnReader(slot)
    assert reader.card_status() is CardStatus.UNRESPONSIVE
    for _ in range(2):
        with pytest.raises(CardUnresponsive):
            reader.connect(exclusive=True)


def test_one_for_itself_and_nobody_else(reader: OwnReader) -> None:
    with reader.connect(exclusive=True):
        assert (reader.status(), reader.card_status()) == (ReaderStatus.EXCLUSIVE, CardStatus.EXCLUSIVE)
        with pytest.raises(SharingViolation):
            reader.connect()
        with pytest.raises(SharingViolation):
            reader.connect(exclusive=True)
    with reader.connect(), reader.connect(), pytest.raises(SharingViolation):
        reader.connect(exclusive=True)
    with reader.connect(exclusive=True):
        pass


def test_the_next_card_is_nobodys(slot: Reader, reader: OwnReader) -> None:
    old = reader.connect(exclusive=True)
    slot.swap(Echo())
    assert reader.card_status() is CardStatus.READY
    with reader.connect(exclusive=True):
        old.close()
        assert reader.card_status() is CardStatus.EXCLUSIVE


def test_a_connection_that_is_forgotten_keeps_nothing(reader: OwnReader) -> None:
    reader.connect(exclusive=True)
    with reader.connect():
        pass


def test_two_objects_of_one_reader_share(slot: Reader, reader: OwnReader) -> None:
    with reader.connect(exclusive=True), pytest.raises(SharingViolation):
        OwnReader(slot).connect()


def test_a_transaction_keeps_others_out(reader: OwnReader) -> None:
    said: list[str] = []
    with reader.connect() as one, reader.connect() as other:
        with one.transaction(), one.transaction():
            thread = threading.Thread(target=lambda: said.append(f"other {other.transmit(b'').hex()}"))
            thread.start()
            for _ in range(200):
                one.transmit(b"\0\0\0\0")
            said.append("end")
        thread.join(WAIT_S)
    assert said == ["end", "other 9000"]


def test_closing_ends_the_transaction(reader: OwnReader) -> None:
    one = reader.connect()
    with one.transaction():
        one.close()
        with reader.connect() as other:
            other.transmit(b"\0\0\0\0")


def test_who_waits_for_a_transaction_hears_that_the_card_is_gone(slot: Reader, reader: OwnReader) -> None:
    heard: SimpleQueue[object] = SimpleQueue()

    def transmit() -> None:
        try:
            heard.put(other.transmit(b"\0\0\0\0"))
        except CardRemoved as error:
            heard.put(error)

    with reader.connect() as one, reader.connect() as other, one.transaction():
        thread = threading.Thread(target=transmit)
        thread.start()
        slot.swap(Echo())
        assert isinstance(heard.get(timeout=WAIT_S), CardRemoved)
        thread.join(WAIT_S)


def test_a_reader_without_a_machine_tells_its_watchers_itself(slot: Reader, reader: OwnReader) -> None:
    heard: SimpleQueue[Change] = SimpleQueue()
    end = reader.watch(heard.put)
    stays = [reader.insertion]
    for _ in range(300):
        slot.insert(slot.eject())
        stays.append(reader.insertion)
    slot.eject()
    changes = [heard.get(timeout=WAIT_S) for _ in range(602)]
    assert [change.kind for change in changes] == [ChangeKind.CARD_ADDED, ChangeKind.CARD_REMOVED] * 301
    assert [change.insertion for change in changes[::2]] == [change.insertion for change in changes[1::2]] == stays
    end()
    slot.insert(Echo())
    assert heard.empty()


def test_a_card_that_was_reset_is_still_there_for_a_new_watcher(slot: Reader, reader: OwnReader) -> None:
    slot.reset()
    heard: SimpleQueue[Change] = SimpleQueue()
    end = reader.watch(heard.put)
    assert heard.get(timeout=WAIT_S).insertion == reader.insertion
    end()
