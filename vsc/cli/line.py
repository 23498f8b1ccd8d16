"""A line of `vsc trace show --json`."""

from typing import TYPE_CHECKING

from vsc.text.printable import json_line
from vsc.trace.entry import EntryKind
from vsc.trace.probe import is_probe

if TYPE_CHECKING:
    from vsc.trace.decoder import Line


def as_line(line: "Line") -> str:
    """A line of `--json`."""
    return json_line(_fields(line))


def _fields(line: "Line") -> dict[str, object]:
    entry = line.entry
    said: dict[str, object] = {"kind": entry.kind.value, "seconds": entry.seconds, "reader": entry.reader}
    if entry.kind is not EntryKind.APDU:
        return said | {"atr": entry.atr.hex().upper() or None}
    return said | {
        "application": line.application or None,
        "channel": line.channel,
        "name": line.name,
        "details": line.details or None,
        "sw": None if line.sw is None else f"{line.sw:04X}",
        "status": line.status,
        "answer": line.answer or None,
        "reason": line.why or None,
        "probe": is_probe(line),
        "took": entry.took_s,
    }
