"""vsc.trace.recorder: following readers, into files and into memory."""

import json
import os
import stat
import threading
from pathlib import Path

import pytest

from card_os.apdu import CommandApdu
from card_os.application import Application
from card_os.atr import Atr
from card_os.command import ANYBODY, Command
from tests.unit.vsc.trace.sample import apdu
from vsc.errors import VscError
from vsc.faults import inject
from vsc.masking.command import MaskedCommand
from vsc.pinpad import PinPad
from vsc.profiles import Profile
from vsc.reader import CardRemovedError, Reader, ReaderEvent
from vsc.testing import SoftCard
from vsc.trace.decoder import Decoder
from vsc.trace.entry import EntryKind
from vsc.trace.jsonl import parse
from vsc.trace.recorder import FORMATS, Recorder, Trace, format_of
from vsc.world import SystemEnv

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


def test_what_a_command_changes_is_told_and_what_happens_between_commands_is_not() -> None:
    reader, trace = Reader(), Trace()
    trace.follow(reader)
    card = SoftCard.make()
    fresh = card.snapshot()
    reader.insert(card)
    reader.transmit(WRONG)
    card.restore(fresh)
    reader.transmit(b"\0\xa4\4\0")
    inject(reader, "tear after commit 1 on VERIFY")
    with pytest.raises(CardRemovedError):
        reader.transmit(WRONG)
    changes = [entry.changes for entry in trace.entries if entry.kind is EntryKind.APDU]
    assert changes == [("PIN tries 5 -> 4",), (), ("PIN tries 5 -> 4",)]


def test_an_application_that_cannot_tell_what_changed_spoils_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, trace = Reader(), Trace()
    trace.follow(reader)
    reader.insert(SoftCard.make())
    monkeypatch.setattr("vsc.trace.recorder.changes", lambda *_: 1 / 0)
    reader.transmit(WRONG)
    assert trace.entries[-1].changes == ("something that the card cannot tell: ZeroDivisionError",)


def test_a_card_that_was_there_before_is_told_of_first() -> None:
    reader, trace = Reader(), Trace()
    reader.insert(SoftCard.make())
    reader.reset()
    trace.follow(reader)
    reader.transmit(WRONG)
    assert [entry.kind for entry in trace.entries] == [EntryKind.INSERTED, EntryKind.APDU]


def test_a_card_that_comes_while_one_begins_to_follow_is_told_of_once() -> None:
    class Sudden(Reader):
        looked = False

        @property
        def events(self) -> tuple[ReaderEvent, ...]:
            events = super().events
            if not self.looked:
                self.looked = True
                self.insert(SoftCard.make())
            return events

    reader, trace = Sudden(), Trace()
    trace.follow(reader)
    reader.transmit(WRONG)
    reader.eject()
    assert [entry.kind for entry in trace.entries] == [EntryKind.INSERTED, EntryKind.APDU, EntryKind.EJECTED]


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


@pytest.mark.parametrize(
    "fault", ["tear after commit 1 on VERIFY", "tear before commit 1 and back", "remove on VERIFY"]
)
def test_a_card_that_a_command_has_cost_is_ejected_after_that_command(fault: str) -> None:
    reader, trace = Reader(), Trace()
    trace.follow(reader)
    reader.insert(SoftCard.make())
    inject(reader, fault)
    with pytest.raises(CardRemovedError):
        reader.transmit(WRONG)
    command, ejected = trace.entries[1:3]
    assert [command.kind, ejected.kind] == [EntryKind.APDU, EntryKind.EJECTED]
    assert command.reason.startswith("fault: ")
    decoder = Decoder()
    assert [decoder.decode(entry).application for entry in trace.entries][:3] == ["", "GIDS", ""]
    assert command.seconds <= ejected.seconds


def test_of_a_card_that_is_taken_out_while_it_computes_there_is_no_answer() -> None:
    class Slow(SoftCard):
        def transmit(self, command: bytes) -> bytes:
            thread = threading.Thread(target=reader.eject)  # Somebody else, who waits for nobody.
            thread.start()
            thread.join()
            return super().transmit(command)

    reader, trace = Reader("R"), Trace()
    trace.follow(reader)
    reader.insert(Slow.make())
    with pytest.raises(CardRemovedError):
        reader.transmit(WRONG)
    command = next(entry for entry in trace.entries if entry.kind is EntryKind.APDU)
    assert (command.response, command.reason) == (b"", "the card was taken out of 'R'")
    assert "GIDS VERIFY PIN 80" in trace.text()


def amount(apdu: CommandApdu, _: int) -> str:
    return f"of {int.from_bytes(apdu.data)}"


class Purse(Application[bytes, None]):
    aid, name = b"\xf0PURSE", "purse"
    commands = {  # noqa: RUF012
        0x54: Command("DEBIT", {0}, {2}, ANYBODY, lambda session, apdu: b"", "ours", words=amount),
        0x56: Command("PAY BY CODE", {0}, {2}, ANYBODY, lambda session, apdu: b"", "ours", hides={0}),
    }


def test_commands_of_a_card_of_ones_own_have_the_names_of_its_own_tables(tmp_path: Path) -> None:
    profile = Profile("purse", "Purse", Atr(historical=b"purse"), (Purse(),))
    path, reader, trace = tmp_path / "trace", Reader(), Trace()
    debit = bytes.fromhex("0054000002 0064")
    with Recorder(path) as recorder:
        recorder.follow(reader)
        reader.insert(SoftCard(profile, profile.persistent(b"\0"), SystemEnv()))
        trace.follow(reader)
        assert reader.transmit(debit) == b"\x90\x00"
        assert reader.transmit(bytes.fromhex("0056000002 1234")) == b"\x90\x00"
        reader.transmit(bytes.fromhex("00A4040006") + Purse.aid)
        reader.swap(SoftCard.make())
        reader.transmit(debit)
    decoder = Decoder()
    said = [decoder.decode(entry) for entry in trace.entries]
    assert [line.sentence for line in said if line.sw is not None] == [
        "purse: DEBIT of 100 -> 9000 done",
        "purse: PAY BY CODE 2 bytes -> 9000 done",
        "purse: SELECT purse -> 9000 done",
        "GIDS: INS 54 2 bytes -> 6D00 instruction not supported",
    ]
    assert " purse DEBIT of 100  " in trace.text()
    assert "1234" not in path.read_text()
    # A log has no tables, but the names.
    names = ["DEBIT", "PAY BY CODE", "SELECT", "INS 54"]
    assert [line["name"] for line in lines(path) if line.get("kind") == "apdu"] == names
    decoder = Decoder()
    read = [decoder.decode(entry) for entry in parse(path.read_text().splitlines())]
    assert [line.name for line in read if line.sw is not None] == names


def test_lines_of_the_first_of_several_readers_have_its_number_from_the_first_on(tmp_path: Path) -> None:
    path, readers = tmp_path / "trace", [Reader("One"), Reader("Two")]
    for reader in readers:
        reader.insert(SoftCard.make())
    with Recorder(path, format="text") as recorder:
        recorder.number_readers()
        for reader in readers:
            recorder.follow(reader)
    assert [line.split(" -- ")[0].split()[-1] for line in path.read_text().splitlines()] == ["One", "[1]", "Two", "[2]"]
    with Recorder(path, format="text") as recorder:
        for reader in readers:
            recorder.follow(reader)
        readers[0].transmit(WRONG)
    assert [line.split()[0] for line in path.read_text().splitlines() if " is " in line] == ["[2]", "[1]"]


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
    assert [line[9:26].split()[:3] for line in path.read_text().splitlines()] == [
        ["[1]", "is", "A"],
        ["[1]", "--", "card"],
        ["[2]", "is", "B"],
        ["[2]", "--", "card"],
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


def test_what_is_open_already_is_written_to_and_not_removed(tmp_path: Path) -> None:
    target, link = tmp_path / "out", tmp_path / "link"
    with target.open("wb") as file:
        link.symlink_to(f"/proc/self/fd/{file.fileno()}")  # As /dev/stdout is one.
        file.write(b"before\n")
        file.flush()
        with Recorder(link, format="text") as recorder:
            recorder.add(apdu("00A40400", "9000"))
        file.write(b"after\n")
    assert link.is_symlink()
    first, traced, last = target.read_text().splitlines()
    assert (first, "SELECT" in traced, last) == ("before", True, "after")
    with pytest.raises(VscError, match="Bad file descriptor"):
        Recorder(Path("/dev/fd/999999"))


def test_links_that_lead_nowhere_are_files_to_be(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    Recorder(tmp_path / "loop").close()
    assert not (tmp_path / "loop").is_symlink()
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(VscError, match="Too many levels of symbolic links"):
        Recorder(tmp_path / "circle" / "trace")
