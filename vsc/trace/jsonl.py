"""Traces as JSON lines: one object a line, the first says what the file is.

    {"format": "vsc trace", "version": 2, "started": 1795385956.25}
    {"kind": "inserted", "seconds": 0.0, "reader": "…", "atr": "3B80…"}
    {"kind": "apdu", "seconds": 0.012, "reader": "…", "name": "VERIFY", "command": "0020008008…", "hidden": 8,
     "response": "63C4", "took": 0.0003, "reason": "PIN: wrong value", "changes": ["PIN tries 5 -> 4"]}

`started` is in seconds since 1970, `seconds` count from there. `hidden` is how many bytes stand behind `…`. `changes`
are what the card keeps since that command. What is empty is left out; what a reader does not know it skips. Version 1
had no `kind` (all were APDUs), no `hidden`, `took`, `reason`; it is read for ever.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from vsc.errors import VscError
from vsc.masking import blackout
from vsc.masking.command import MaskedCommand
from vsc.masking.mask import mask, text
from vsc.trace.decoder import command_name
from vsc.trace.entry import Entry, EntryKind

FORMAT = "vsc trace"
VERSION = 2
_HIDDEN = "…"
MAX_SECONDS = 4e9
MAX_HIDDEN_BYTES = 70_000
N = TypeVar("N", int, float)


class TraceError(VscError):
    """A trace that cannot be read: it is none, it is damaged, or a newer version wrote it."""


def head(started: float | None = None) -> str:
    """The first line. started: seconds since 1970."""
    return _line({"format": FORMAT, "version": VERSION, "started": started})


def dump(entry: Entry) -> str:
    """The line of an entry, without its end."""
    is_apdu = entry.kind is EntryKind.APDU
    return _line(
        {
            "kind": entry.kind.value,
            "seconds": round(entry.seconds, 6),
            "reader": entry.reader,
            "name": (entry.name or command_name(entry.command.visible)) if is_apdu else None,
            "command": text(entry.command) if is_apdu else None,
            "hidden": entry.command.hidden_bytes or None,
            "response": entry.response.hex().upper() if is_apdu else None,
            "took": round(entry.took_s, 6) if is_apdu else None,
            "reason": entry.reason or None,
            "changes": list(entry.changes) or None,
            "atr": entry.atr.hex().upper() or None,
        }
    )


def _line(fields: dict[str, object]) -> str:
    return json.dumps({name: value for name, value in fields.items() if value is not None}, ensure_ascii=False)


def is_trace(first_line: str) -> bool:
    """Tells whether a file that begins with this line is one of ours, of whatever version."""
    try:
        fields = json.loads(first_line)
    except (ValueError, RecursionError):
        return False
    return isinstance(fields, dict) and fields.get("format") == FORMAT


def started(first_line: str) -> float | None:
    """When a trace was begun, in seconds since 1970; None if it does not say."""
    value = json.loads(first_line).get("started") if is_trace(first_line) else None
    return float(value) if isinstance(value, int | float) and 0 <= value <= MAX_SECONDS else None


def parse(lines: Iterable[str]) -> Iterator[Entry]:
    """Reads version 1 and 2; what should be hidden and is not, is hidden now. TraceError names the line."""
    version = None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if version is None:
            version = _version(line)
            continue
        try:
            yield _entry(json.loads(line))
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            raise TraceError(f"line {number} of the trace is damaged: {_words(error)}") from None
    if version is None:
        raise TraceError("this is no trace: it is empty")


def _version(line: str) -> int:
    if not is_trace(line):
        raise TraceError(f'this is no trace: its first line is not {{"format": "{FORMAT}", …}}')
    version = json.loads(line).get("version")
    if not isinstance(version, int) or not 1 <= version <= VERSION:
        raise TraceError(f"version {version!s:.20} of traces is not known here, only 1 to {VERSION}")
    return version


def _entry(fields: dict[str, Any]) -> Entry:
    if not isinstance(fields, dict):
        raise TypeError("it is no object")
    kind = EntryKind(fields.get("kind", EntryKind.APDU.value))
    return Entry(
        kind,
        seconds=_seconds(fields, "seconds"),
        reader=str(fields.get("reader", "")),
        command=_command(fields) if kind is EntryKind.APDU else MaskedCommand(b""),
        response=bytes.fromhex(fields["response"]) if kind is EntryKind.APDU else b"",
        reason=str(fields.get("reason", "")),
        took_s=_seconds(fields, "took"),
        changes=_changes(fields.get("changes", [])) if kind is EntryKind.APDU else (),
        atr=bytes.fromhex(fields.get("atr", "")),
        name=str(fields.get("name", "")),
    )


def _changes(lines: object) -> tuple[str, ...]:
    if not isinstance(lines, list):
        raise TypeError("the changes are no list")
    return tuple(map(str, lines))


def _command(fields: dict[str, Any]) -> MaskedCommand:
    words: str = fields["command"]
    dump = blackout.dump_of(words.removesuffix(_HIDDEN))
    if dump is None or dump.gap is not None:
        raise ValueError("the command is not in hexadecimal")
    visible = dump.raw
    if not words.endswith(_HIDDEN):
        masked = mask(visible)
        seen = len(masked.visible)
        return replace(masked, unknown=frozenset(place for place in dump.unknown if place < seen))
    if "hidden" in fields:
        hidden = _within(int(fields["hidden"]), MAX_HIDDEN_BYTES)
    else:
        # Version 1 did not say how many: as many as Lc says, if it is one.
        hidden = visible[4] or 1 if len(visible) > 4 else 1
    # Somebody may have hidden too little.
    more = max(0, len(visible) - len(mask(visible + b"\xff" * hidden).visible))
    seen = len(visible) - more
    return MaskedCommand(visible[:seen], hidden + more, frozenset(place for place in dump.unknown if place < seen))


def _seconds(fields: dict[str, Any], name: str) -> float:
    return _within(float(fields.get(name, 0.0)), MAX_SECONDS)


def _within(value: N, most: N) -> N:
    if not 0 <= value <= most:
        raise ValueError(f"{value} is not between 0 and {most}")
    return value


def _words(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)
