"""Logs of what passed between a host and its cards, whoever wrote them: what each format is read into."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from vsc.errors import VscError
from vsc.masking.blackout import Dump, dump_of
from vsc.masking.mask import mask
from vsc.trace.entry import Entry, EntryKind

ATR_BYTES = range(2, 34)


class LogError(VscError):
    """A log that cannot be read: of no known format, damaged, or with no APDU in it."""


class EmptyLogError(LogError):
    """A log of a known format with no APDU in it."""


@dataclass(frozen=True, slots=True)
class Log:
    """What a log tells, in order. No secret is in it.

    atr: the first answer to reset that it tells; None if it tells none. format: in words. warnings: what was left out,
    a sentence each.
    """

    entries: tuple[Entry, ...]
    atr: bytes | None = None
    format: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def readers(self) -> tuple[str, ...]:
        """The readers with an APDU, in the order of their first; "" where the log has no names."""
        return tuple(dict.fromkeys(entry.reader for entry in self.entries if entry.kind is EntryKind.APDU))

    def of(self, reader: str) -> "Log":
        """The same with the entries of that reader only. LogError if there is none."""
        if reader not in self.readers:
            there = ", ".join(map(repr, self.readers)) or "none"
            raise LogError(f"the log has no APDU of a reader {reader!r}; it has those of: {there}")
        entries = tuple(entry for entry in self.entries if entry.reader == reader)
        return replace(self, entries=entries, atr=first_atr(entries) or (self.atr if len(self.readers) == 1 else None))


def first_atr(entries: Sequence[Entry]) -> bytes | None:
    return next((entry.atr for entry in entries if entry.atr), None)


class LogFormat(Protocol):
    """A module that reads one format."""

    NAME: str

    def recognises(self, text: str) -> bool:
        """Tells by its content whether a file is of this format."""
        ...

    def parse(self, text: str) -> "Draft":
        """Reads it. LogError names the line that is damaged; what a log that was cut off has at its end is left out."""
        ...


@dataclass(slots=True)
class Draft:
    """A log while it is read."""

    entries: list[Entry] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    blacked_out: int = 0
    """How many answers have bytes that are not known."""

    def command(self, reader: str, command: Dump, seconds: float) -> int:
        """Notes a command, masked, that has no answer yet; returns its place, for `answer`."""
        command = command.as_command()
        masked = mask(command.raw)
        unknown = frozenset(place for place in command.unknown if place < len(masked.visible))
        self.entries.append(Entry(EntryKind.APDU, seconds, reader, replace(masked, unknown=unknown)))
        return len(self.entries) - 1

    def answer(self, place: int, response: Dump, seconds: float) -> None:
        entry = self.entries[place]
        self.blacked_out += bool(response.unknown) or response.gap is not None
        self.entries[place] = replace(entry, response=response.raw, took_s=max(0.0, seconds - entry.seconds))

    def event(self, kind: EntryKind, reader: str, seconds: float, atr: bytes = b"") -> None:
        self.entries.append(Entry(kind, seconds, reader, atr=atr))

    def unanswered(self, places: Sequence[int]) -> None:
        """The log ends before those commands have their answers."""
        if places:
            self.warnings.append(f"the log ends before the answer to {_count(len(places), 'command')}: left out")
        for place in sorted(places, reverse=True):
            del self.entries[place]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def numbered(text: str) -> list[str]:
    """The lines, without their ends. Only \\n ends one: what a card says may hold anything else."""
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    return lines[:-1] if lines[-1] == "" else lines


def hex_of(words: str) -> bytes | None:
    """The bytes of `00 A4 04 00`, `00:A4` or `00A4`; None if that is no hexadecimal, or not all of it can be seen."""
    dump = dump_of(words)
    return None if dump is None or dump.unknown or dump.gap is not None else dump.raw
