"""Transcripts: the shortest form there is, for logs made by hand or by one's own tools.

# a comment
> 00A4040009A0000003974254465900
< 61124F0BA00000039742544659020173034001C09000
@ atr 3B8001...       the ATR of what follows; may be left out
@ reset               the card was reset
"""

from vsc.masking.blackout import Dump, dump_of
from vsc.replay.log import ATR_BYTES, Draft, LogError, numbered
from vsc.trace.entry import EntryKind

NAME = "transcript"


def recognises(text: str) -> bool:
    words = (line.strip() for line in numbered(text))
    first = next((line for line in words if line and not line.startswith("#")), "")
    return first[:2] in ("> ", "@ ")


def parse(text: str) -> Draft:
    lines = numbered(text)
    draft = Draft()
    waiting: int | None = None
    for number, line in enumerate(lines, 1):
        try:
            waiting = _read(draft, line.strip(), number, waiting)
        except LogError:
            if number < len(lines) or text.endswith("\n"):
                raise
            draft.warnings.append(f"line {number}: the transcript ends in the middle of a line: left out")
    draft.unanswered([] if waiting is None else [waiting])
    return draft


def _read(draft: Draft, line: str, number: int, waiting: int | None) -> int | None:
    """Reads a line; returns the place of the command that waits for its answer."""
    mark, _, rest = line.partition(" ")
    match mark:
        case ">":
            return draft.command("", _dump(rest, number), 0.0)
        case "<":
            if waiting is None:
                raise LogError(f"line {number}: an answer without a command before it")
            draft.answer(waiting, _dump(rest, number), 0.0)
            return None
        case "@":
            _event(draft, rest, number)
        case _ if mark and not mark.startswith("#"):
            raise LogError(f"line {number}: it begins with none of >, <, @ and #")
    return waiting


def _event(draft: Draft, words: str, number: int) -> None:
    kind, _, rest = words.partition(" ")
    if kind == "reset" and not rest:
        draft.event(EntryKind.RESET, "", 0.0)
    elif kind == "atr":
        atr = _dump(rest, number).raw
        if len(atr) not in ATR_BYTES:
            raise LogError(f"line {number}: an ATR has 2 to 33 bytes")
        draft.event(EntryKind.INSERTED, "", 0.0, atr)
    else:
        raise LogError(f"line {number}: @ is followed by 'reset' or 'atr' with the ATR")


def _dump(words: str, number: int) -> Dump:
    data = dump_of(words)
    if data is None or not (data.raw or data.gap is not None):
        raise LogError(f"line {number}: here should be bytes, in hexadecimal")
    return data
