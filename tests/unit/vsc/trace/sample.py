"""Entries for the tests of traces."""

from vsc.masking.mask import mask
from vsc.profiles import GIDS
from vsc.trace.entry import Entry, EntryKind

READER = "Reader ☂"


def apdu(command: str, response: str, *, reason: str = "", seconds: float = 0.0, took_s: float = 0.0) -> Entry:
    return Entry(EntryKind.APDU, seconds, READER, mask(bytes.fromhex(command)), bytes.fromhex(response), reason, took_s)


def event(kind: EntryKind, *, atr: bytes = b"", seconds: float = 0.0) -> Entry:
    return Entry(kind, seconds, READER, atr=atr)


INSERTED = event(EntryKind.INSERTED, atr=bytes(GIDS.atr))

ENTRIES = (
    event(EntryKind.INSERTED, atr=b"\x3b\x80"),
    apdu("00A4040009A00000039742544659", "6112 9000"),
    event(EntryKind.RESET),
    event(EntryKind.EJECTED),
)
