"""Traces for people: a line an entry, and below a refusal why.

       0.004 GIDS GET DATA A010 DF22 (cardcf)      -> 9000 done, DF22, 9 bytes  0.1 ms
       0.011 GIDS VERIFY PIN 80, 4 bytes           -> 63C4 not verified, 4 tries left  0.2 ms
                  why: PIN: wrong value

Seconds since the trace began; the application; the command; status word and meaning, what the answer holds; how long
it took. With several readers each has a number, which is said when it is first met.
"""

from collections.abc import Iterable, Iterator
from enum import Enum, auto

from vsc.trace.decoder import Decoder, Line, all_applications
from vsc.trace.entry import Entry, EntryKind

_COMMAND_WIDTH = 32
_ANSWER_WIDTH = 20
_MAX_NAME_WIDTH = 12
"""Of applications."""
_SHORT = {"MANAGE SECURITY ENVIRONMENT": "MSE", "PERFORM SECURITY OPERATION": "PSO"}
"""As everybody calls them who reads such lines."""


class Tone(Enum):
    """What a line of text is, for those who colour them."""

    READER = auto()
    EVENT = auto()
    DONE = auto()
    REFUSED = auto()
    WHY = auto()


class Writer:
    """Puts the entries of one or several readers into words, each with a decoder of its own.

    numbered: there are several readers, so each line says whose it is.
    """

    def __init__(self, *, numbered: bool = False) -> None:
        self.numbered = numbered
        self._introduced: set[str] = set()
        self._decoders: dict[str, Decoder] = {}
        self._numbers: dict[str, int] = {}
        self._width = max(len(one.name) for one in all_applications())

    @property
    def indent(self) -> int:
        """Where the commands begin: how far a reason is moved to the right."""
        return 9 + 4 * self.numbered + self._width + 1

    def decode(self, entry: Entry) -> Line:
        return self._decoders.setdefault(entry.reader, Decoder()).decode(entry)

    def lines(self, entry: Entry) -> Iterator[str]:
        """The lines of one entry, without their ends: one, and more for a reason or a new reader."""
        return (text for _, text in self.toned(entry))

    def toned(self, entry: Entry) -> Iterator[tuple[Tone, str]]:
        """The same, with what each line is."""
        return iter(self.with_line(entry)[0])

    def with_line(self, entry: Entry) -> tuple[list[tuple[Tone, str]], Line]:
        """The same, and the entry decoded."""
        line = self.decode(entry)
        self._width = max(self._width, *(min(len(one.name), _MAX_NAME_WIDTH) for one in entry.applications), 0)
        head, lines = f"{entry.seconds:8.3f} ", []
        number = self._numbers.setdefault(entry.reader, len(self._numbers) + 1)
        if self.numbered:
            if entry.reader not in self._introduced:
                self._introduced.add(entry.reader)
                lines.append((Tone.READER, f"{' ' * 9}[{number}] is {entry.reader}"))
            head += f"[{number}] "
        lines += self._worded(line, head)
        return [(tone, _printable(text)) for tone, text in lines], line

    def _worded(self, line: Line, head: str) -> Iterator[tuple[Tone, str]]:
        if line.entry.kind is not EntryKind.APDU:
            yield Tone.EVENT, f"{head}{' ' * self._width} -- {line.sentence}"
            return
        channel = f"channel {line.channel}: " if line.channel else ""
        command = f"{channel}{_SHORT.get(line.name, line.name)} {line.details}".rstrip()
        answer = ", ".join(filter(None, (line.status, line.answer)))
        took = f"{line.entry.took_s * 1000:.1f} ms" if line.entry.took_s else ""
        # A name that does not fit must not move all that follows.
        application = f"{line.application[: self._width]:{self._width}}"
        text = f"{head}{application} {command:{_COMMAND_WIDTH}} -> {answer:{_ANSWER_WIDTH}}  {took}".rstrip()
        yield Tone.REFUSED if line.is_refusal else Tone.DONE, text
        if line.why:
            yield Tone.WHY, f"{' ' * self.indent}why: {line.why}"


def _printable(text: str) -> str:
    """Replaces what a terminal might obey, and what would end the line: a log may come from anybody."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def lines(entries: Iterable[Entry]) -> Iterator[str]:
    """Puts entries into words; two lines for one that was refused."""
    entries = tuple(entries)
    writer = Writer(numbered=len({entry.reader for entry in entries}) > 1)
    for entry in entries:
        yield from writer.lines(entry)
