"""What came of a trace, in a few sentences: what succeeded, what the card refused and mattered.

    62 commands to GIDS in 0.4 s: 30 done, 1 refused, 31 asked for what is not there
    PIN wrong once, 4 tries left, then right once; signed once; read 12 times
    refused: GET DATA A014 DF20 -> 6982 security status not satisfied (EF A014: GET is not allowed …)

It knows no terminal and no application: deeds are told by instruction (ISO/IEC 7816-4 table 4), names come from the
decoder's lines. Whoever shows a trace, in a terminal, on a page, in a report of pytest, says it in these words.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from card_os.kernel import SELECT_BY_NAME
from card_os.sw import SW
from vsc.trace.decoder import Line
from vsc.trace.entry import EntryKind
from vsc.trace.probe import ASKED_IN_VAIN, is_probe

_SELECT = 0xA4
_PRESENTED = frozenset({0x20, 0x21})
_WITH_REFERENCE = {0x24: "changed", 0x25: "changed", 0x2C: "reset", 0x2D: "reset"}
_SET_UP = frozenset({0x22, 0x70, 0x84, 0xC0, _SELECT})
"""MANAGE SECURITY ENVIRONMENT, MANAGE CHANNEL, GET CHALLENGE, GET RESPONSE: what leads to a deed."""
_READ = frozenset({0xB0, 0xB1, 0xB2, 0xB3, 0xCA, 0xCB})
_WROTE = frozenset({0xD0, 0xD2, 0xD6, 0xD7, 0xDA, 0xDB, 0xDC, 0xE2})
_DEEDS = {0x82: "authenticated", 0xE0: "made a file", 0xE4: "deleted a file", 0xE6: "ended the application"}
_OPERATIONS = {0x9E9A: "signed", 0x8086: "deciphered"}
_GENERATE = frozenset({0x46, 0x47})
_READ_PUBLIC_KEY = 0x81
_PROPRIETARY = 0x80
_CHAINING = 0x10
_WRONG = 0x63
_MAX_TURNS = 4
_MAX_REFUSALS = 6


@dataclass(slots=True)
class _Reference:
    """What came of a PIN, or another reference. turns: right and wrong in their order, each with how often in a row."""

    turns: list[tuple[str, int]] = field(default_factory=list)
    tries_left: int | None = None

    def add(self, outcome: str) -> None:
        if self.turns and self.turns[-1][0] == outcome:
            self.turns[-1] = (outcome, self.turns[-1][1] + 1)
        else:
            self.turns.append((outcome, 1))

    def words(self) -> str:
        turns, then = self.turns, ", then "
        if len(turns) > _MAX_TURNS:
            then = ", "
            totals: dict[str, int] = {}
            for outcome, count in turns:
                totals[outcome] = totals.get(outcome, 0) + count
            turns = list(totals.items())
        last_wrong = max((at for at, (outcome, _) in enumerate(turns) if outcome == "wrong"), default=None)
        said = []
        for at, (outcome, count) in enumerate(turns):
            left = f", {tries(self.tries_left)} left" if at == last_wrong and self.tries_left is not None else ""
            said.append(f"{outcome} {times(count)}{left}")
        return then.join(said)


@dataclass(frozen=True, slots=True)
class Summary:
    """What came of the commands to one card.

    commands: how many; done, refused, probes: how many of them were, the last asked for what is not there; unanswered:
    how many of those refused. seconds: from first to last. applications: those that were selected, in their order.
    deeds: what was done, a clause each. refusals: of what is not told among the deeds, each once, with its count.
    """

    commands: int = 0
    done: int = 0
    refused: int = 0
    probes: int = 0
    unanswered: int = 0
    seconds: float = 0.0
    applications: tuple[str, ...] = ()
    deeds: tuple[str, ...] = ()
    refusals: tuple[tuple[str, int], ...] = ()

    def sentences(self) -> Iterator[str]:
        """The whole of it, a line each."""
        yield self._counts()
        if self.deeds:
            yield "; ".join(self.deeds)
        for words, count in self.refusals[:_MAX_REFUSALS]:
            yield f"refused{f' {times(count)}' * (count > 1)}: {words}"
        if len(self.refusals) > _MAX_REFUSALS:
            yield f"and {len(self.refusals) - _MAX_REFUSALS} other refusals"

    def _counts(self) -> str:
        to = f" to {' and '.join(self.applications)}" if self.applications else ""
        took = f" in {self.seconds:.1f} s" if self.seconds >= 0.05 else ""
        parts = [f"{self.done} done", f"{self.refused or 'none'} refused"]
        if self.probes:
            parts.append(f"{self.probes} {ASKED_IN_VAIN}")
        if self.unanswered:
            parts.append(f"{self.unanswered} without an answer")
        return f"{self.commands} command{'s' * (self.commands != 1)}{to}{took}: {', '.join(parts)}"


def summary(lines: Iterable[Line]) -> Summary:
    """lines: of one reader, in their order."""
    commands = done = refused = probes = unanswered = 0
    first = last = None
    applications: dict[str, None] = {}
    references: dict[str, _Reference] = {}
    deeds: dict[str, int] = {}
    refusals: dict[str, int] = {}
    for line in lines:
        if line.entry.kind is not EntryKind.APDU:
            continue
        commands += 1
        last = line.entry.seconds
        first = last if first is None else first
        if is_probe(line):
            probes += 1
            continue
        unanswered += line.sw is None
        refused += line.is_refusal
        done += not line.is_refusal
        if _presented(line, references):
            continue
        if line.is_refusal:
            words = line.sentence + (f" ({line.why})" if line.why else "")
            refusals[words] = refusals.get(words, 0) + 1
            continue
        if line.application and _is_select(line):
            applications[line.application] = None
        if deed := _deed(line):
            deeds[deed] = deeds.get(deed, 0) + 1
    said = [f"{name} {one.words()}" for name, one in references.items()]
    said += [
        f"{deed} {times(count)}" for deed, count in sorted(deeds.items(), key=lambda one: one[0] in ("read", "wrote"))
    ]
    return Summary(
        commands,
        done,
        refused,
        probes,
        unanswered,
        (last or 0.0) - (first or 0.0),
        tuple(applications),
        tuple(said),
        tuple(refusals.items()),
    )


def _presented(line: Line, references: dict[str, _Reference]) -> bool:
    """Notes what came of a PIN; True if that is all there is to say of the command."""
    command, sw = line.entry.command, line.sw
    if len(command.visible) < 4 or sw is None or command.visible[1] not in _PRESENTED | _WITH_REFERENCE.keys():
        return False
    if not command.hidden_bytes:
        return command.visible[1] in _PRESENTED and sw >> 8 in (0x90, _WRONG, SW.AUTHENTICATION_METHOD_BLOCKED >> 8)
    if not line.is_refusal:
        outcome = _WITH_REFERENCE.get(command.visible[1], "right")
    elif sw >> 8 == _WRONG:
        outcome = "wrong"
    elif sw == SW.AUTHENTICATION_METHOD_BLOCKED:
        outcome = "refused, for it is blocked,"
    else:
        return False
    one = references.setdefault(_name(line), _Reference())
    one.add(outcome)
    if sw >> 4 == 0x63C:
        one.tries_left = sw & 0x0F
    elif outcome == "wrong":
        one.tries_left = None
    return True


def _name(line: Line) -> str:
    """Of what a PIN command is about: `PIN` of `PIN 80, 8 bytes`."""
    words = line.details.partition(",")[0].partition(" by ")[0]
    match = re.fullmatch(r"(?!reference)(\S.*) [0-9A-F]{2}", words)
    return (match[1] if match else words) or line.name


def _is_select(line: Line) -> bool:
    command = line.entry.command.visible
    return command[1:3] == bytes((_SELECT, SELECT_BY_NAME))


def _deed(line: Line) -> str:
    """What a command that succeeded did; empty if it only led to something."""
    cla, ins, p1, p2 = line.entry.command.visible[:4].ljust(4, b"\0")
    if ins in _SET_UP or (cla < _PROPRIETARY and cla & _CHAINING):
        return ""
    if ins in _READ or (ins in _GENERATE and p1 == _READ_PUBLIC_KEY):
        return "read"
    if ins in _WROTE:
        return "wrote"
    if ins in _GENERATE:
        return "made a key"
    if ins == 0x2A and p1 << 8 | p2 in _OPERATIONS:
        return _OPERATIONS[p1 << 8 | p2]
    return _DEEDS.get(ins) or line.name


def times(count: int) -> str:
    """`once`, `twice`, `3 times`."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def tries(count: int) -> str:
    """`no try`, `1 try`, `4 tries`."""
    return {0: "no try", 1: "1 try"}.get(count, f"{count} tries")
