"""Traces for people: a line an entry, and below a refusal why.

       0.004   0.1 ms GIDS GET DATA A010 DF22 (cardcf)      -> 9000 done, DF22, 9 bytes
       0.011  10.2 ms GIDS VERIFY PIN 80, 4 bytes           -> 63C4 not verified, 4 tries left
                           why: PIN: wrong value
       0.420 -- card reset

Seconds since the trace began; how long the card took; the application; the command; status word and meaning, what the
answer holds. With several readers each has a number, which is said when it is first met. Where a width is given every
line fits it. `report` is for who reads a trace that has ended: what came of it, then the lines, probing folded.
"""

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum, auto

from vsc.text.printable import printable
from vsc.trace.decoder import Decoder, Line
from vsc.trace.entry import Entry, EntryKind
from vsc.trace.probe import Probes, folded, is_probe
from vsc.trace.summary import summary

_COMMAND_WIDTH = 32
_SECONDS_WIDTH = 8
_TOOK_WIDTH = 9
_NUMBER_WIDTH = 4
_NAME_WIDTH, _MAX_NAME_WIDTH = 4, 12
"""Of applications: at first, and at most where longer ones come."""
_ANSWER_WIDTH = 26
_MIN_COMMAND_WIDTH = 16
"""However little room there is."""
_MIN_WORDS_WIDTH = 12
_DONE = re.compile(r"^([0-9A-F]{4} )done, ")
"""What goes without saying where there is little room, and more to say."""
_ARROW = " -> "
_SHORT = {"MANAGE SECURITY ENVIRONMENT": "MSE", "PERFORM SECURITY OPERATION": "PSO"}
"""As everybody calls them who reads such lines."""


def short_name(command: str) -> str:
    """The name of a command where room is short."""
    return _SHORT.get(command, command)


class Tone(Enum):
    """What a line of text is, for those who colour them."""

    SUMMARY = auto()
    READER = auto()
    EVENT = auto()
    DONE = auto()
    PROBE = auto()
    """The card has not what it was asked for; that seldom matters."""
    REFUSED = auto()
    WHY = auto()


Toned = tuple[Tone, str]


class Writer:
    """Puts the entries of one or several readers into words, each with a decoder of its own.

    numbered: there are several readers, so each line says whose it is. width: the most characters of a line; None: any
    number; both may be said later. timed: False where a log has no times.
    """

    def __init__(self, *, numbered: bool = False, width: int | None = None, timed: bool = True) -> None:
        self.numbered = numbered
        self.width = width
        self._timed = timed
        self._introduced: set[str] = set()
        self._decoders: dict[str, Decoder] = {}
        self._numbers: dict[str, int] = {}
        self._width = _NAME_WIDTH

    @property
    def _front(self) -> int:
        """How many characters of times and numbers stand before what happened."""
        return (_SECONDS_WIDTH + 1 + _TOOK_WIDTH) * self._timed + _NUMBER_WIDTH * self.numbered

    @property
    def _indent(self) -> int:
        """Where the commands begin: how far a reason is moved to the right."""
        return self._front + self._width + bool(self._width)

    def make_room(self, lines: Iterable[Line]) -> None:
        """Has the column of applications fit what these lines have, where all are known before the first is told."""
        self._width = min(max((len(line.application) for line in lines), default=0), _MAX_NAME_WIDTH)

    def decode(self, entry: Entry) -> Line:
        return self._decoders.setdefault(entry.reader, Decoder()).decode(entry)

    def lines(self, entry: Entry) -> Iterator[str]:
        """The lines of one entry, without their ends: one, and more for a reason or a new reader."""
        return (text for _, text in self.toned(self.decode(entry)))

    def toned(self, said: Line | Probes) -> Iterator[Toned]:
        """The lines of what is decoded, and what each is."""
        entry = said.lines[0].entry if isinstance(said, Probes) else said.entry
        self._width = max(self._width, *(min(len(one.name), _MAX_NAME_WIDTH) for one in entry.applications), 0)
        number = self._numbers.setdefault(entry.reader, len(self._numbers) + 1)
        if self.numbered and entry.reader not in self._introduced:
            self._introduced.add(entry.reader)
            front = " " * (self._front - _NUMBER_WIDTH)
            yield Tone.READER, self._cut(printable(f"{front}[{number}] is {entry.reader}"))
        number_words = f"[{number}] " if self.numbered else ""
        if isinstance(said, Probes) or entry.kind is not EntryKind.APDU:
            front = f"{entry.seconds:{_SECONDS_WIDTH}.3f} " if self._timed else ""
            tone = Tone.PROBE if isinstance(said, Probes) else Tone.EVENT
            head = f"{front}{number_words}-- "
            for at, words in enumerate(self._wrapped(printable(said.sentence), len(head))):
                yield tone, (head if at == 0 else " " * len(head)) + words
            return
        front = f"{entry.seconds:{_SECONDS_WIDTH}.3f} {_took(entry)}" if self._timed else ""
        yield _tone(said), self._command(said, front + number_words)
        if said.why:
            yield from self.reason("why", said.why)

    def reason(self, head: str, words: str) -> Iterator[Toned]:
        """A reason, below its refusal."""
        for line in self._wrapped(printable(f"{head}: {words}"), self._indent):
            yield Tone.WHY, f"{' ' * self._indent}{line}"

    def summary(self, lines: Sequence[Line]) -> Iterator[Toned]:
        """What came of it, reader by reader."""
        readers = dict.fromkeys(line.entry.reader for line in lines)
        for reader in readers:
            of_reader = [line for line in lines if line.entry.reader == reader]
            if not any(line.entry.kind is EntryKind.APDU for line in of_reader):
                continue
            head = f"{reader or 'a reader'}: " if len(readers) > 1 else ""
            for at, sentence in enumerate(summary(of_reader).sentences()):
                for text in self._wrapped(printable(f"{head * (at == 0)}{sentence}"), 0):
                    yield Tone.SUMMARY, text

    def _command(self, line: Line, front: str) -> str:
        """One line: shorter in what the command is about where there is no room, then in the answer."""
        channel = f"channel {line.channel}: " if line.channel else ""
        command = printable(f"{channel}{short_name(line.name)} {line.details}".rstrip())
        answer = printable(", ".join(filter(None, (line.status, line.answer))))
        # A name that does not fit must not move all that follows.
        front += f"{printable(line.application)[: self._width]:{self._width}}{' ' * bool(self._width)}"
        if self.width is None:
            return f"{front}{command:{_COMMAND_WIDTH}}{_ARROW}{answer}"
        room = self.width - len(front) - len(_ARROW)
        if max(len(command), _COMMAND_WIDTH) + len(answer) > room:
            answer = _DONE.sub(r"\1", answer)
        column = min(_COMMAND_WIDTH, max(room - _ANSWER_WIDTH, _MIN_COMMAND_WIDTH))
        most = max(room - len(answer), _MIN_COMMAND_WIDTH)
        return self._cut(f"{front}{_shortened(command, most):{min(column, most)}}{_ARROW}{answer}")

    def _wrapped(self, words: str, indent: int) -> list[str]:
        """The words in lines that fit behind so many characters."""
        if self.width is None:
            return [words]
        room = max(self.width - indent, _MIN_WORDS_WIDTH)
        return textwrap.wrap(words, room, subsequent_indent="  ") or [words]

    def _cut(self, text: str) -> str:
        return text if self.width is None else _shortened(text, self.width)


def _tone(line: Line) -> Tone:
    if is_probe(line):
        return Tone.PROBE
    return Tone.REFUSED if line.is_refusal else Tone.DONE


def _took(entry: Entry) -> str:
    """How long the card took, to the right of its column: `   0.1 ms `."""
    if not entry.took_s:
        return " " * _TOOK_WIDTH
    milliseconds = entry.took_s * 1000
    words = f"{milliseconds:.1f} ms" if milliseconds < 1000 else f"{entry.took_s:.1f} s"
    return f"{words:>{_TOOK_WIDTH - 1}} "


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: max(most - 1, 0)]}…"


def writer_for(entries: Sequence[Entry], width: int | None = None) -> Writer:
    """A writer that says of these entries what has to be said."""
    return Writer(
        numbered=len({entry.reader for entry in entries}) > 1,
        width=width,
        timed=any(entry.seconds or entry.took_s for entry in entries),
    )


def lines(entries: Iterable[Entry]) -> Iterator[str]:
    """Puts entries into words; two lines for one that was refused."""
    entries = tuple(entries)
    writer = writer_for(entries)
    for entry in entries:
        yield from writer.lines(entry)


def report(entries: Sequence[Entry], *, width: int | None = None, fold: bool = True) -> Iterator[Toned]:
    """What came of a trace that has ended, an empty line, and its lines.

    width: see `Writer`. fold: runs of questions for what the card has not become one line each.
    """
    writer = writer_for(entries, width)
    decoded = [writer.decode(entry) for entry in entries]
    writer.make_room(decoded)
    told = list(writer.summary(decoded))
    yield from told
    if told:
        yield Tone.SUMMARY, ""
    for said in folded(decoded) if fold else decoded:
        yield from writer.toned(said)
