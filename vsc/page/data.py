"""A trace as the value that the page reads: columns of numbers, and the words that they stand for.

The same words come again and again in a trace, so each is there once and columns hold its number. A column has one
number for each entry; `vsc/page/model.js` declares the same columns.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from card_os.command import Command
from vsc.masking.mask import text
from vsc.page import tag
from vsc.profiles import PROFILES
from vsc.text.printable import printable
from vsc.trace import explain
from vsc.trace.decoder import Line, rows_of
from vsc.trace.entry import Entry, EntryKind
from vsc.trace.probe import Probes, folded, is_probe
from vsc.trace.text import short_name, writer_for

OUTCOMES = ("done", "refused", "probe", "event")
"""What a line of the page is, and how it is coloured."""
COLUMNS = (
    *("seconds", "took", "reader", "application", "command", "details", "status", "answer", "why", "perhaps"),
    *("channel", "sent", "hidden", "answered", "outcome", "row", "changes", "profile", "kind"),
)


@dataclass(slots=True)
class _Words:
    """Texts, each once. Number 0 is the empty one."""

    texts: list[str] = field(default_factory=lambda: [""])
    numbers: dict[str, int] = field(default_factory=lambda: {"": 0})

    def number(self, text: str) -> int:
        if text not in self.numbers:
            self.numbers[text] = len(self.texts)
            self.texts.append(text)
        return self.numbers[text]


class _Page:
    def __init__(self) -> None:
        self.words = _Words()
        self.readers: dict[str, int] = {}
        self.rows: dict[tuple[str, str, str], int] = {}
        self.columns: dict[str, list[int]] = {name: [] for name in COLUMNS}
        self._profiles: dict[str, str] = {}
        self._row_of: dict[tuple[str, bytes], Command | None] = {}
        self._perhaps: dict[tuple[str, bytes, int | None], str] = {}

    def add(self, line: Line) -> None:
        entry, number = line.entry, self.words.number
        values = {
            "seconds": round(entry.seconds * 1e6),
            "took": round(entry.took_s * 1e6),
            "reader": self.readers.setdefault(entry.reader, len(self.readers)),
            "application": number(printable(line.application)),
            "command": number(printable(short_name(line.name) if entry.kind is EntryKind.APDU else line.sentence)),
            "details": number(printable(line.details)) if entry.kind is EntryKind.APDU else 0,
            "status": number(line.status),
            "answer": number(printable(line.answer)),
            "why": number(printable(line.why)),
            "perhaps": number(self._perhaps_of(line)),
            "channel": line.channel,
            "sent": number(text(entry.command).removesuffix("…")),
            "hidden": entry.command.hidden_bytes,
            "answered": number(entry.response.hex().upper()),
            "outcome": OUTCOMES.index(_outcome(line)),
            "row": self._row(line),
            "changes": number("\n".join(printable(change) for change in entry.changes)),
            "profile": number(self._profile(entry)),
            "kind": number(entry.kind.value),
        }
        for name, value in values.items():
            self.columns[name].append(value)

    def _profile(self, entry: Entry) -> str:
        """The name of the profile of the card in the reader; empty if none of ours has its ATR."""
        if entry.kind is EntryKind.INSERTED or (entry.atr and entry.reader not in self._profiles):
            found = (profile.name for profile in PROFILES.values() if bytes(profile.atr) == entry.atr)
            self._profiles[entry.reader] = next(found, "")
        return self._profiles.get(entry.reader, "")

    def _command_row(self, line: Line) -> Command | None:
        command = line.entry.command.visible[:4]
        if len(command) < 4 or line.entry.kind is not EntryKind.APDU:
            return None
        key = line.application, command[1:]
        if key not in self._row_of:
            known = [one for one in PROFILES.applications if line.application in ("", one.name)]
            self._row_of[key] = next((row for _, row in rows_of(command, known)), None)
        return self._row_of[key]

    def _row(self, line: Line) -> int:
        """The number of the row that answers, counted from 1; 0 if none is known."""
        row = self._command_row(line)
        if row is None:
            return 0
        return self.rows.setdefault((row.name, row.access.words, row.spec), len(self.rows) + 1)

    def _perhaps_of(self, line: Line) -> str:
        """What the tables say of a refusal of which the log has no reason."""
        if line.why or not line.is_refusal or line.sw is None:
            return ""
        key = line.application, line.entry.command.visible[:4], line.sw
        if key not in self._perhaps:
            self._perhaps[key] = explain.why(line)
        return self._perhaps[key]


def _outcome(line: Line) -> str:
    if line.entry.kind is not EntryKind.APDU:
        return "event"
    if is_probe(line):
        return "probe"
    return "refused" if line.is_refusal else "done"


def _runs(lines: Sequence[Line]) -> Iterator[tuple[int, int, str]]:
    """Where probing begins, how many lines it has, and the sentence for them."""
    at = 0
    for said in folded(lines):
        if isinstance(said, Probes):
            yield at, len(said.lines), printable(said.sentence)
            at += len(said.lines)
        else:
            at += 1


def data(
    entries: Sequence[Entry], *, title: str, started: float | None = None, notes: Sequence[tuple[str, str]] = ()
) -> dict[str, Any]:
    """All that the page knows, as a JSON value. started: seconds since 1970. notes: titles and texts above the trace.

    It has what a trace has, and no more: what is hidden there is hidden here.
    """
    writer, page = writer_for(entries), _Page()
    lines = [writer.decode(entry) for entry in entries]
    for line in lines:
        page.add(line)
    return {
        "title": title,
        "started": started,
        "summary": [words for _, words in writer.summary(lines)],
        "notes": [[printable(name), words] for name, words in notes],
        "readers": [printable(name) for name in page.readers],
        "outcomes": OUTCOMES,
        "columns": page.columns,
        "rows": [["", "", ""], *map(list, page.rows)],
        "runs": list(_runs(lines)),
        "words": page.words.texts,
        "tags": {"names": tag.NAMES, "inside": tag.INSIDE},
    }
