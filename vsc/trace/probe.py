"""Probing: questions for what a card has not. A host that looks for the driver of a card asks it for dozens of
applications and files of other cards; that each is refused says nothing about what the host wants.

`folded` makes one of a run of such questions; it is for any reader of traces, and knows no terminal.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from card_os.kernel import SELECT_BY_NAME
from card_os.sw import SW
from vsc.trace import wording
from vsc.trace.decoder import Line
from vsc.trace.entry import EntryKind

_SELECT = 0xA4
_QUESTIONS = frozenset({_SELECT, 0xB0, 0xB1, 0xB2, 0xB3, 0xC0, 0xCA, 0xCB})
"""SELECT, READ BINARY, READ RECORD, GET RESPONSE, GET DATA: they ask and change nothing."""
_GENERATE, _READ_PUBLIC_KEY = frozenset({0x46, 0x47}), 0x81
"""GENERATE ASYMMETRIC KEY PAIR, and the P1 with which it makes none."""
_NOT_THERE = frozenset(
    {SW.FUNCTION_NOT_SUPPORTED, SW.FILE_NOT_FOUND, 0x6A83, SW.INCORRECT_P1P2, SW.REFERENCE_NOT_FOUND}
)
_NO_COMMAND = frozenset({SW.INS_NOT_SUPPORTED, SW.CLA_NOT_SUPPORTED})
_PROPRIETARY = 0x80
_FAULT = "fault:"
"""How the reason begins where a fault of ours struck: that is no answer of the card's."""
_MAX_NAMED = 3
ASKED_IN_VAIN = "asked for what is not there"
"""What a number of commands did."""


def is_probe(line: Line) -> bool:
    """Whether a command asked for something that the card has not, and was told so."""
    command, sw = line.entry.command.visible, line.sw
    if line.entry.kind is not EntryKind.APDU or len(command) < 4 or sw is None or line.why.startswith(_FAULT):
        return False
    is_question = command[1] in _QUESTIONS or (command[1] in _GENERATE and command[2] == _READ_PUBLIC_KEY)
    return (is_question and sw in _NOT_THERE) or (sw in _NO_COMMAND and (is_question or command[0] >= _PROPRIETARY))


@dataclass(frozen=True, slots=True)
class Probes:
    """A run of such questions."""

    lines: tuple[Line, ...]

    @property
    def sentence(self) -> str:
        """`27 asked for what is not there: PIV, CAC, 6 other AIDs, GET DATA`."""
        return f"{len(self.lines)} {ASKED_IN_VAIN}: {', '.join(self._asked_for())}"

    def _asked_for(self) -> Iterator[str]:
        """Applications with a name, other AIDs, files, other commands; each once, and not too many of them by name."""
        names: dict[str, None] = {}
        aids: dict[str, None] = {}
        files: dict[str, None] = {}
        commands: dict[str, None] = {}
        for line in self.lines:
            command = line.entry.command.visible
            if command[1] != _SELECT:
                commands[line.name] = None
            elif command[2] != SELECT_BY_NAME:
                files[line.details.partition(",")[0] or line.name] = None
            else:
                aid = command[5 : 5 + command[4]] if len(command) > 5 else b""
                name = wording.aid_words(aid)
                (aids if name.startswith("AID ") else names)[name or line.name] = None
        yield from names
        if aids:
            yield next(iter(aids)) if len(aids) == 1 else f"{len(aids)} {'other ' * bool(names)}AIDs"
        if len(files) > _MAX_NAMED:
            yield f"{len(files)} files"
        else:
            yield from files
        yield from commands


def folded(lines: Iterable[Line]) -> Iterator[Line | Probes]:
    """The same lines, runs of two questions and more to one card made one."""
    run: list[Line] = []
    for line in lines:
        if run and line.entry.reader != run[0].entry.reader:
            yield from ended(run)
            run = []
        if is_probe(line):
            run.append(line)
            continue
        yield from ended(run)
        run = []
        yield line
    yield from ended(run)


def ended(run: list[Line]) -> Iterator[Line | Probes]:
    """What a run comes to."""
    if len(run) > 1:
        yield Probes(tuple(run))
    else:
        yield from run
