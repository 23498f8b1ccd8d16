"""vsc.trace.recorder: following readers, into files and into memory."""

import json
import os
import stat
import threading
from pathlib import Path

import pytest

from tests.unit.vsc.trace.sample import apdu
from vsc.errors import VscError
from vsc.pinpad import PinPad
from vsc.reader import Reader
from vsc.testing import SoftCard
from vsc.trace.entry import EntryKind, MaskedCommand
from vsc.trace.jsonl import parse
from vsc.trace.recorder import FORMATS, Recorder, Trace, format_of

WRONG = bytes.fromhex("00200080083837363534333231")


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_reader_is_followed_in_order() -> None:
    reader, trace = Reader("One"), Trace()
    end = trace.follow(reader)
    card = SoftCard.make()
    reader.insert(card)
    reader.transmit(WRONG)
    reader.reset()
    reader.transmit(WRONG)
    reader.power_off()
    reader.transmit(b"\0\xa4\4\0")
    reader.swap(SoftCard.make())
    reader.reset(warm=False)
    reader.eject()
    assert [entry.kind.value for entry in trace.entries] == [
        *("inserted", "apdu", "reset", "apdu", "reset", "apdu", "ejected", "inserted", "ejected")
    ]
    verify = trace.entries[1]
    assert (verify.reader, verify.command) == ("One", MaskedCommand(WRONG[:5], 8))
    assert (verify.response, verify.reason) == (b"\x63\xc4", "PIN: wrong value")
    assert verify.took_s > 0
    assert trace.entries[0].atr == card.atr
    seconds = [entry.seconds for entry in trace.entries]
    assert seconds == sorted(seconds)
    assert "why: PIN: wrong value" in trace.text()
    trace.clear()
    end()
    reader.insert(card)
    reader.transmit(WRONG)
    assert trace.entries == ()


def test_a_card_that_was_there_before_is_told_of_first() -> None:
    reader, trace = Reader(), Trace()
    reader.insert(SoftCard.make())
    reader.reset()
    trace.follow(reader)
    reader.transmit(WRONG)
    assert [entry.kind for entry in trace.entries] == [EntryKind.INSERTED, EntryKind.APDU]


def test_a_command_without_an_answer_has_the_reason() -> None:
    class Broken(SoftCard):
        def transmit(self, command: bytes) -> bytes:
            raise RuntimeError("on fire")

    reader, trace = Reader(), Trace()
    trace.follow(reader)
    reader.insert(Broken.make())
    with pytest.raises(RuntimeError):
        reader.transmit(WRONG)
    assert (trace.entries[-1].response, trace.entries[-1].reason) == (b"", "on fire")


def test_what_a_pin_pad_sends_is_there_and_masked() -> None:
    reader, trace = Reader(), Trace()
    trace.follow(reader)
    reader.insert(SoftCard.make())
    pad = PinPad(reader, lambda _: b"87654321")
    verify = bytes.fromhex("1E1E 82 00 00 0F04 02 00 0000 00 000000 05000000 0020008000")
    assert pad.control(0x4233_0006, verify) == b"\x63\xc4"
    assert trace.entries[-1].command == MaskedCommand(bytes.fromhex("0020008008"), 8)


def test_many_threads_and_readers_write_one_file(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    readers = [Reader(f"R{number}") for number in range(3)]
    with Recorder(path) as recorder:
        for reader in readers:
            recorder.follow(reader)
            reader.insert(SoftCard.make())

        def work(reader: Reader) -> None:
            for _ in range(20):
                reader.transmit(b"\0\xa4\4\0")

        threads = [threading.Thread(target=work, args=(reader,)) for reader in readers * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    entries = list(parse(path.read_text().splitlines()))
    for reader in readers:
        mine = [entry for entry in entries if entry.reader == reader.name]
        assert [entry.kind for entry in mine] == [EntryKind.INSERTED, *[EntryKind.APDU] * 40]


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_has_the_command_and_not_the_pin(tmp_path: Path, name: str) -> None:
    path, reader = tmp_path / "trace", Reader()
    with Recorder(path, format=name) as recorder:
        recorder.follow(reader)
        reader.insert(SoftCard.make())
        reader.transmit(WRONG)
    raw = path.read_bytes()
    assert b"VERIFY" in raw
    assert b"PIN: wrong value" in raw
    for form in (WRONG[5:], WRONG[5:].hex().encode()):
        assert form not in raw.lower()


def test_the_second_reader_makes_text_say_whose_lines_are() -> None:
    path = Path("/dev/null")
    with pytest.raises(ValueError, match="no format of traces: 'xml'; there is: jsonl, text, pcapng"):
        Recorder(path, format="xml")


def test_text_numbers_readers_from_the_second_one_on(tmp_path: Path) -> None:
    path, readers = tmp_path / "trace", [Reader("A"), Reader("B")]
    with Recorder(path, format="text") as recorder:
        for reader in readers:
            recorder.follow(reader)
        for reader in readers:
            reader.insert(SoftCard.make())
    assert [line[9:20] for line in path.read_text().splitlines()] == [
        "[1] is A",
        "[1]      --",
        "[2] is B",
        "[2]      --",
    ]


def test_the_format_follows_from_the_name() -> None:
    names = ("a.txt", "a.LOG", "a.pcapng", "a.jsonl", "a")
    assert [format_of(Path(name)) for name in names] == ["text", "text", "pcapng", "jsonl", "jsonl"]


def test_the_file_is_ours_alone_and_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    path.write_text("old")
    path.chmod(0o644)
    with Recorder(path):
        pass
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (head,) = lines(path)
    assert (head["format"], head["version"]) == ("vsc trace", 2)


def test_a_closed_trace_takes_no_more(tmp_path: Path) -> None:
    path, reader = tmp_path / "trace", Reader()
    with Recorder(path) as recorder:
        recorder.follow(reader)
    recorder.add(apdu("00200080", "9000"))
    reader.insert(SoftCard.make())
    assert len(lines(path)) == 1


def test_a_path_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(VscError, match="cannot be written"):
        Recorder(tmp_path / "missing" / "trace")


def test_a_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with Recorder(path) as recorder:
            recorder.add(apdu("00A40400", "9000"))
        assert [json.loads(line).get("name") for line in os.read(reading, 10_000).splitlines()] == [None, "SELECT"]
        assert path.is_fifo()
    finally:
        os.close(reading)


def test_what_could_not_be_written_is_told_in_the_end() -> None:
    full = Path("/dev/full")
    failure = "the trace /dev/full cannot be written: No space left on device"
    with pytest.raises(VscError, match=failure), Recorder(full) as recorder:
        recorder.add(apdu("00A40400", "9000"))
    assert full.is_char_device()
