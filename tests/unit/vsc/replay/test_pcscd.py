"""pcscd's logs."""

import pytest

from tests.unit.vsc.replay.samples import ATR, PCSCD, commands
from vsc.replay import LogError, parse_log
from vsc.trace.entry import EntryKind

APDUS = "".join(line + "\n" for line in PCSCD.splitlines() if "APDU: " in line or "SW: " in line)


def test_what_is_read_of_a_real_one() -> None:
    entries = parse_log(PCSCD).entries
    assert [entry.kind for entry in entries] == [
        EntryKind.INSERTED,
        EntryKind.APDU,
        EntryKind.APDU,
        EntryKind.RESET,
    ]
    assert {entry.reader for entry in entries} == {"ACME 00 00"}
    assert (entries[0].atr, entries[-1].atr) == (ATR, ATR)
    assert [round(entry.seconds, 6) for entry in entries[:2]] == [0.295878, 0.295997]
    assert round(entries[1].took_s, 6) == 0.000512


def test_the_apdus_alone() -> None:
    """As `--apdu` without `--debug` has them: no reader, no ATR."""
    log = parse_log(APDUS)
    assert (log.readers, log.atr) == (("",), None)
    assert commands(APDUS) == commands(PCSCD)


@pytest.mark.parametrize(
    "before", ["Nov 22 10:00:00 host pcscd[812]: ", "2026-11-22T10:00:00.1+00:00 host pcscd[812]: 00000012 "]
)
def test_the_system_log(before: str) -> None:
    text = "".join(before + line[9:] + "\n" for line in PCSCD.splitlines())
    assert commands(text) == commands(PCSCD)


def test_colours_and_threads() -> None:
    text = "".join(f"\x1b[36m{line[:8]}\x1b[0m [14035] \x1b[34m{line[9:]}\x1b[0m\n" for line in PCSCD.splitlines())
    assert commands(text) == commands(PCSCD)
    assert parse_log(text).readers == ("ACME 00 00",)


def said(client: int, *lines: str) -> str:
    return "".join(f"00000001 winscard_svc.c:361:ContextThread() {line.format(client)}\n" for line in lines)


def test_clients_of_two_readers_at_once() -> None:
    """While one card computes, another client's command comes and is answered."""
    log = "".join(
        said(client, "Received command: CONNECT from client {}", f"Authorized client for 'R{client}'")
        for client in (8, 9)
    )
    log += said(8, "Received command: TRANSMIT from client {}") + "00000001 APDU: 00 A4 00 08 \n"
    log += (
        said(9, "Received command: TRANSMIT from client {}") + "00000001 APDU: 00 A4 00 09 \n00000001 SW: 09 90 00 \n"
    )
    log += "00000001 SW: 08 90 00 \n"
    assert commands(log) == [("00a40008", "089000"), ("00a40009", "099000")]
    assert parse_log(log).readers == ("R8", "R9")


def test_a_command_that_failed() -> None:
    log = said(8, "Received command: TRANSMIT from client {}") + "00000001 APDU: 00 A4 00 08 \n"
    log += said(8, "TRANSMIT for client {}, rv=SCARD_E_NOT_TRANSACTED")
    assert commands(log) == [("00a40008", "")]


def test_a_card_that_went_silent() -> None:
    """pcscd writes what came, and if that is nothing: `SW: `."""
    log = parse_log("00000003 APDU: 00 A4 00 08 \n00000512 SW: \n00000003 APDU: 00 A4 00 09 \n00000512 SW: 90 00 \n")
    assert [one.response for one in log.entries] == [b"", b"\x90\x00"]
    assert log.warnings == ()


@pytest.mark.parametrize("pin", ["xx xx xx xx", "**:**:**:**", "…", "...", "31 ... 34"])
def test_what_somebody_has_blacked_out(pin: str) -> None:
    log = parse_log(f"00000003 APDU: 00 20 00 80 04 {pin} \n00000512 SW: 90 00 \n")
    assert (log.entries[0].command.visible.hex(), log.entries[0].command.hidden_bytes) == ("0020008004", 4)


@pytest.mark.parametrize(
    "line",
    [
        "winscard.c:609:SCardReconnect() Reset complete.",
        "winscard.c:336:SCardConnect() power up complete.",
        "winscard.c:883:SCardDisconnect() dwDisposition: 2",
    ],
)
def test_resets(line: str) -> None:
    assert parse_log(f"{APDUS}00000001 {line}\n").entries[-1].kind is EntryKind.RESET


def test_a_card_that_leaves() -> None:
    log = parse_log(f"{PCSCD}00000001 eventhandler.c:345:EHStatusHandlerThread() Card Removed From ACME 00 00\n")
    assert log.entries[-1].kind is EntryKind.EJECTED


def test_damaged_and_cut_off() -> None:
    with pytest.raises(LogError, match=r"^line 2: here should be the bytes of an APDU, in hexadecimal$"):
        parse_log(APDUS.replace("SW: 6A 82", "SW: 6A 8"))
    log = parse_log(APDUS[: APDUS.rindex("0 ")])
    assert log.warnings[0] == "line 4: the log ends in the middle of an APDU: left out"
    assert len(log.entries) == 1
    log = parse_log("00000001 SW: 90 00 \n" + APDUS)
    assert log.warnings == ("line 1: an answer whose command is not in the log: left out",)
