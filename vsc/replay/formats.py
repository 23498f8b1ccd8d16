"""Which format a log is in, and reading it."""

import codecs
from pathlib import Path

from vsc.replay import opensc, own, pasted, pcscd, transcript
from vsc.replay.log import EmptyLogError, Log, LogError, LogFormat, first_atr
from vsc.text.reading import MAX_LOG_BYTES, read_file
from vsc.trace.entry import EntryKind

FORMATS: tuple[LogFormat, ...] = (own, opensc, pcscd, pasted, transcript)

_HINTS = {
    opensc.NAME: ": was OPENSC_DEBUG at least 3?",
    pcscd.NAME: ": was pcscd started with --apdu?",
}


def read_log(path: Path, *, needs_apdus: bool = True) -> Log:
    """Reads a log of whatever known format. LogError names file and line.

    needs_apdus: False if cards that come and go are enough.
    """
    try:
        raw = read_file(path, MAX_LOG_BYTES)
    except OSError as error:
        raise LogError(f"the log {path} cannot be read: {error.strerror}") from None
    try:
        return parse_log(raw.decode(_encoding(raw), errors="replace"), needs_apdus=needs_apdus)
    except LogError as error:
        raise type(error)(f"{path}: {error}") from None


def _encoding(raw: bytes) -> str:
    """By the mark at its beginning, which shells and editors of Windows put there; without one UTF-8."""
    return "utf-16" if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"


def parse_log(text: str, *, needs_apdus: bool = True) -> Log:
    """The same of a log's text."""
    found = next((one for one in FORMATS if one.recognises(text)), None)
    if found is None:
        raise LogError(f"this is no log that can be read; known are: {', '.join(one.NAME for one in FORMATS)}")
    draft = found.parse(text)
    if not any(entry.kind is EntryKind.APDU or not needs_apdus for entry in draft.entries):
        raise EmptyLogError(f"there is no APDU with its answer in this {found.NAME}{_HINTS.get(found.NAME, '')}")
    if draft.blacked_out:
        answers = "an answer is" if draft.blacked_out == 1 else f"{draft.blacked_out} answers are"
        draft.warnings.append(f"{answers} partly blacked out: 00 stands for what cannot be seen")
    return Log(tuple(draft.entries), first_atr(draft.entries), found.NAME, tuple(draft.warnings))
