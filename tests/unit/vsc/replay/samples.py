"""Logs of the formats that are read, cut from real ones (OpenSC 0.23.0, pcscd 1.9.9), and logs made on the spot."""

from pathlib import Path

from vsc.masking.mask import mask
from vsc.replay import Log, parse_log
from vsc.trace.entry import Entry, EntryKind

ATR = bytes.fromhex("3B8D0180FBA000000397425446590201C9")

FOLDER = Path(__file__).parent
OPENSC, OLD_OPENSC, PCSCD, TRANSCRIPT, TRACE = (
    (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    for name in ("opensc", "opensc-old", "pcscd", "transcript", "trace")
)
PASTED = """\
Using reader with a card: ACME 00 00
3b:8d:01:80:fb:a0:00:00:03:97:42:54:46:59:02:01:c9
> 00 A4 04 00 07 62 76 01 FF 00 00 00
< 6A 82 : File not found.
> 00 20 00 80 08 31 32 33 34 35 36 37 38
< 90 00 : Normal processing.
"""
OPENSC_ANSWER = bytes.fromhex("61124F0BA000000397425446590201739000")

ALL = {
    "opensc": OPENSC,
    "old opensc": OLD_OPENSC,
    "pcscd": PCSCD,
    "pasted": PASTED,
    "transcript": TRANSCRIPT,
    "trace": TRACE,
}


def of(*pairs: str) -> Log:
    """A log of "COMMAND RESPONSE", in hexadecimal, and "reset"."""
    entries = []
    for pair in pairs:
        if pair == "reset":
            entries.append(Entry(EntryKind.RESET))
            continue
        command, _, response = pair.partition(" ")
        entries.append(Entry(EntryKind.APDU, command=mask(bytes.fromhex(command)), response=bytes.fromhex(response)))
    return Log(tuple(entries), ATR)


def commands(text: str) -> list[tuple[str, str]]:
    """What a log's text is read as: commands, as far as they may be seen, and answers."""
    return [
        (entry.command.visible.hex(), entry.response.hex())
        for entry in parse_log(text).entries
        if entry.kind is EntryKind.APDU
    ]
