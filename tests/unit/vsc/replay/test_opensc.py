"""OpenSC's debug logs."""

import pytest

from tests.unit.vsc.replay.samples import ATR, OLD_OPENSC, OPENSC, OPENSC_ANSWER, commands
from vsc.replay import LogError, parse_log
from vsc.trace.entry import EntryKind

PREFIX = "P:1; T:0x1 10:00:00.000 [tool] reader-pcsc.c:325:pcsc_transmit: "


def dump(direction: str, data: bytes) -> str:
    """As OpenSC writes it: 16 bytes a line; the first line that is short has no padding before the letters."""
    lines = []
    for start in range(0, len(data), 16):
        piece = data[start : start + 16]
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in piece)
        hexadecimal = "".join(f"{byte:02X} " for byte in piece)
        lines.append((hexadecimal if start == 0 else hexadecimal.ljust(48)) + shown)
    return f"{direction} APDU ({len(data)} byte{'s' * (len(data) != 1)}):\n" + "\n".join(lines) + "\n\n"


def test_what_is_read_of_a_real_one() -> None:
    entries = parse_log(OPENSC).entries
    assert [entry.kind.value for entry in entries] == ["inserted", "apdu", "apdu", "reset"]
    assert {entry.reader for entry in entries} == {"ACME 00 00"}
    assert entries[0].atr == ATR
    assert entries[1].command.visible == bytes.fromhex("00A4040007627601FF000000")
    assert entries[2].response == OPENSC_ANSWER


def test_times_go_on_after_midnight() -> None:
    entries = parse_log(OPENSC).entries
    assert [round(entry.seconds, 3) for entry in entries] == [0.001, 0.002, 0.124, 0.13]
    assert round(entries[1].took_s, 3) == 0.002


def test_the_older_form() -> None:
    assert commands(OLD_OPENSC) == [("00c0000002", "aabb9000")]


@pytest.mark.parametrize("length", [1, 2, 15, 16, 17, 31, 32, 33, 255, 256, 257, 1000])
def test_dumps_of_every_length(length: int) -> None:
    # Letters that look like more hexadecimal follow each line of it.
    data = (b"\x00\xcaA0 " * 250)[:length]
    (read,) = commands(PREFIX + "\n" + dump("Outgoing", b"\x00\xca\x00\x00") + dump("Incoming", data + b"\x90\x00"))
    assert read == ("00ca0000", data.hex() + "9000")


def test_threads_and_processes_do_not_mix() -> None:
    """Each answer belongs to the command of its thread, in its process."""
    texts = []
    for process, thread in ((1, 1), (1, 2), (2, 1)):
        before = f"P:{process}; T:0x{thread} 10:00:00.000 [tool] reader-pcsc.c:1:pcsc_transmit: "
        texts.append((f"{before}reader 'R{process}{thread}'\n{before}\n", before + "\n"))
    log = ""
    for number, (with_reader, _) in enumerate(texts):
        log += with_reader + dump("Outgoing", bytes((0, 0xA4, 0, number)))
    for number, (_, before) in reversed(list(enumerate(texts))):
        log += before + dump("Incoming", bytes((number, 0x90, 0)))
    assert commands(log) == [("00a40000", "009000"), ("00a40001", "019000"), ("00a40002", "029000")]
    assert parse_log(log).readers == ("R11", "R12", "R21")


def test_a_log_mixed_with_what_the_program_says() -> None:
    log = OPENSC.replace("Incoming APDU", "Using reader with a card: ACME 00 00\n00 11 22\nIncoming APDU")
    assert commands(log) == commands(OPENSC)


def test_colours_and_windows_line_ends() -> None:
    assert commands(OPENSC.replace("P:", "\x1b[0;36mP:").replace(": \n", ": \x1b[0m\n")) == commands(OPENSC)
    assert commands(OPENSC.replace("\n", "\r\n")) == commands(OPENSC)


@pytest.mark.parametrize(
    "before",
    [
        "2015-08-21 21:05:07.656 [cardmod] ",  # Windows
        "P:11916; T:34500 2023-11-03 18:36:24.939 [cardmod] ",
        "0x7fff7e07b300 14:49:18.140733193388068 [tokend] ",  # macOS: milliseconds that are none
    ],
)
def test_prefixes_of_other_systems(before: str) -> None:
    log = f"{before}reader-pcsc.c:254:pcsc_transmit: reader 'R'\n"
    log += dump("Outgoing", b"\x00\xa4\x00\x00") + f"{before}apdu.c:187:sc_apdu_log: \n" + dump("Incoming", b"\x90\x00")
    assert commands(log) == [("00a40000", "9000")]
    assert parse_log(log).readers == ("R",)
    assert parse_log(log).entries[0].seconds == 0


@pytest.mark.parametrize(
    "before",
    [
        "P:1128; T:4344 2025-02-26 11:08:19.196 [cardmod] ",
        "P:1128; T:4344 2025-02-26 11:08:19.196 [cardmod] C:\\OpenSC\\src\\reader-pcsc.c:1:pcsc_transmit: ",
        "2015-08-21 21:05:07.711 ",  # 0.15
    ],
)
def test_a_log_of_windows_says_as_much(before: str) -> None:
    """Without GCC most lines have no file, line and function: reader, ATR, resets, failures are read all the same."""
    log = "2015-08-21 21:05:07.711 [cardmod] apdu.c:563:sc_transmit_apdu: called\n"
    log += f"{before}Reader 1 check\n{before}ATR     : {ATR.hex(':')}\n{before}ATR try : 3B:80:80:01:01\n"
    log += f"{before}reader 'Reader 1'\n{before}\n{dump('Outgoing', bytes.fromhex('00A40000'))}"
    log += f"{before}\n{dump('Incoming', bytes.fromhex('9000'))}"
    log += f"{before}Reader 1:SCardReconnect returned: 0x00000000\n"
    log += f"{before}reader 'Reader 2'\n{before.rstrip()}\n{dump('Outgoing', bytes.fromhex('00A40001'))}"
    log += f"{before}unable to transmit\n"
    read = parse_log(log.replace("\n", "\r\n"))
    assert [(one.kind.value, one.reader, one.response.hex(), one.atr) for one in read.entries] == [
        ("inserted", "Reader 1", "", ATR),
        ("apdu", "Reader 1", "9000", b""),
        ("reset", "Reader 1", "", b""),
        ("apdu", "Reader 2", "", b""),
    ]
    assert read.readers == ("Reader 1", "Reader 2")
    assert read.warnings == ()


def test_what_somebody_has_blacked_out() -> None:
    """Bytes, or the rest of a dump; the letters beside them with or without."""
    sent = dump("Outgoing", bytes.fromhex("0020008008") + b"12345678")
    pin = sent.replace("31 32 33 34 35 36 37 38 . ...12345678", "xx xx xx xx xx xx xx xx")
    serial = "Incoming APDU (40 bytes):\n" + " ".join(["AA"] * 16) + " ................\nAA AA [...]\n\n"
    log = parse_log(
        f"{PREFIX}\n{pin}{PREFIX}\n{serial}{PREFIX}\n{dump('Outgoing', bytes(4))}{PREFIX}\n{dump('Incoming', bytes(2))}"
    )
    assert (log.entries[0].command.visible.hex(), log.entries[0].command.hidden_bytes) == ("0020008008", 8)
    assert log.entries[0].response == b"\xaa" * 18 + bytes(22)
    assert log.warnings == ("an answer is partly blacked out: 00 stands for what cannot be seen",)
    assert len(log.entries) == 2


def test_a_command_without_an_answer() -> None:
    failed = PREFIX + "\n" + dump("Outgoing", b"\x00\xa4\x00\x00") + PREFIX + "unable to transmit\n"
    assert commands(failed + OPENSC)[0] == ("00a40000", "")
    # The next one is sent without a word about this one.
    twice = (
        PREFIX + "\n" + dump("Outgoing", b"\x00\xa4\x00\x00") + PREFIX + "\n" + dump("Outgoing", b"\x00\xa4\x00\x01")
    )
    assert commands(twice + PREFIX + "\n" + dump("Incoming", b"\x90\x00")) == [("00a40000", ""), ("00a40001", "9000")]


def test_an_answer_without_a_command_is_told_of() -> None:
    log = parse_log(PREFIX + "\n" + dump("Incoming", b"\x90\x00") + OPENSC)
    assert log.warnings == ("line 3: an answer whose command is not in the log: left out",)


def test_another_atr_is_another_card() -> None:
    other = OPENSC.replace("3b:8d:01:80", "3b:8d:01:81")
    entries = parse_log(OPENSC + other).entries
    assert [entry.kind for entry in entries].count(EntryKind.INSERTED) == 2


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("6A 82 j.", "6A 8x j.", r"^line 13: here should be 2 bytes of an APDU of 2, in hexadecimal$"),
        ("6A 82 j.", "6A", r"^line 13: "),
        ("(18 bytes)", "(40 bytes)", r"^line 24: here should be 16 bytes of an APDU of 40"),
    ],
)
def test_a_damaged_dump(old: str, new: str, words: str) -> None:
    with pytest.raises(LogError, match=words):
        parse_log(OPENSC.replace(old, new))


def test_a_log_that_ends_in_a_dump() -> None:
    log = parse_log(OPENSC[: OPENSC.index("90 00   ")])
    assert len(log.entries) == 2
    assert log.warnings == (
        "the log ends in the middle of an APDU: left out",
        "the log ends before the answer to 1 command: left out",
    )
