"""Our own traces."""

import pytest

from tests.unit.vsc.replay.samples import TRACE, commands
from vsc.reader import Reader
from vsc.replay import LogError, ReplayCard, parse_log
from vsc.testing import SoftCard
from vsc.trace import Trace
from vsc.trace.jsonl import dump, head


def test_what_a_reader_saw_comes_back() -> None:
    reader, trace = Reader(), Trace()
    trace.follow(reader)
    reader.insert(SoftCard.make(pin="24681357", seed=1))
    sent = [
        bytes.fromhex(one) for one in ("00A4040009A0000003974254465900", "0020008008", "00200080083234363831333537")
    ]
    answers = [reader.transmit(one) for one in sent]
    reader.reset()
    log = parse_log("\n".join([head(), *map(dump, trace.entries), ""]))
    assert log.entries[0].atr == reader.atr
    assert [entry.kind for entry in log.entries] == [entry.kind for entry in trace.entries]
    card = ReplayCard(log)
    assert [card.transmit(one) for one in sent] == answers


def test_damaged_and_cut_off() -> None:
    with pytest.raises(LogError, match=r"^line 3 of the trace is damaged"):
        parse_log(TRACE.replace('"command": "00A4', '"command": "X0A4'))
    with pytest.raises(LogError, match=r"^version 99 of traces is not known here"):
        parse_log(TRACE.replace('"version": 2', '"version": 99'))
    with pytest.raises(LogError, match=r"^line 2: an ATR has 2 to 33 bytes"):
        parse_log(TRACE.replace("3B8D0180FBA000000397425446590201C9", "3B"))
    log = parse_log(TRACE[:-20])
    assert log.warnings == ("line 4: the trace ends in the middle of a line: left out",)
    assert commands(TRACE[:-20]) == commands(TRACE)[:1]
