"""The log itself."""

from dataclasses import replace

import pytest

from tests.unit.vsc.replay.samples import ATR, of
from vsc.replay import Log, LogError, ReplayCard
from vsc.trace.entry import Entry, EntryKind

OTHER_ATR = bytes.fromhex("3B8001")


def two_readers() -> Log:
    entries = [replace(entry, reader="one") for entry in of("00A40000 9000").entries]
    entries += [Entry(EntryKind.INSERTED, reader="two", atr=OTHER_ATR)]
    entries += [replace(entry, reader="two") for entry in of("00A40000 6A82", "reset").entries]
    entries += [Entry(EntryKind.INSERTED, reader="empty one", atr=ATR)]
    return Log(tuple(entries), OTHER_ATR)


def test_the_readers_of_a_log_can_be_taken_apart() -> None:
    log = two_readers()
    assert log.readers == ("one", "two")
    assert log.of("two").atr == OTHER_ATR
    assert log.of("one").atr is None
    assert [entry.response.hex() for entry in log.of("one").entries] == ["9000"]
    assert len(log.of("two").entries) == 3
    with pytest.raises(LogError, match=r"no APDU of a reader 'three'; it has those of: 'one', 'two'"):
        log.of("three")
    with pytest.raises(LogError, match="APDUs of 2 readers"):
        ReplayCard(log)


def test_the_atr_of_a_log_of_one_reader_is_its_own() -> None:
    assert of("00A40000 9000").of("").atr == ATR
