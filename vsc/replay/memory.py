"""How a replayed card finds its answers: the ways to use a log."""

from collections.abc import Sequence
from typing import Literal, Protocol

from vsc.masking.command import MaskedCommand
from vsc.masking.mask import mask
from vsc.replay.ask import GET_RESPONSE, Ask
from vsc.trace.entry import Entry, EntryKind

Mode = Literal["strict", "command", "learnt"]


class Memory(Protocol):
    """The log of one card, and where in it we are."""

    @property
    def position(self) -> int:
        """The number of the APDU that comes next in the log, from 0; as many as there are if it is used up."""
        ...

    @property
    def unused(self) -> int:
        """How many APDUs of the log have not been asked for."""
        ...

    @property
    def guess(self) -> str:
        """Why the last answer is not one of the log, but what any card would say; empty if it is."""
        ...

    def answer(self, command: bytes) -> bytes | None:
        """The answer; empty if the log has none for it either; None if the command is not known."""
        ...

    def reset(self) -> None:
        """The card was reset, or lost power."""
        ...


def apdus(entries: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.kind is EntryKind.APDU]


class InOrder:
    """Answers only what comes next. Resets are not counted: a service makes its own."""

    guess = ""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._apdus = apdus(entries)
        self.position = 0

    @property
    def unused(self) -> int:
        return len(self._apdus) - self.position

    def answer(self, command: bytes) -> bytes | None:
        if self.position == len(self._apdus) or not self._is_next(mask(command)):
            return None
        self.position += 1
        return self._apdus[self.position - 1].response

    def _is_next(self, command: MaskedCommand) -> bool:
        return self._apdus[self.position].command.matches(command)

    def reset(self) -> None:
        """Nothing: the order is that of the commands."""


class Stretches:
    """The parts of a log between its resets. A reset goes on to the next; from the last one back to its start."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        starts, number = [0], 0
        for entry in entries:
            if entry.kind is EntryKind.APDU:
                number += 1
            elif number > starts[-1]:
                starts.append(number)
        # A reset after the last command begins nothing.
        self._starts = [start for start in starts if start < number] or [0]
        self._current = 0
        self._was_asked = False

    @property
    def start(self) -> int:
        """Where the part begins that we are in."""
        return self._starts[self._current]

    def ask(self) -> None:
        self._was_asked = True

    def reset(self) -> None:
        """Several resets with no command between them are one."""
        if self._was_asked:
            self._current = min(self._current + 1, len(self._starts) - 1)
        self._was_asked = False


class Uses:
    """Which of several recorded answers is next: each use moves on, the last one repeats."""

    def __init__(self, stretches: Stretches) -> None:
        self._stretches = stretches
        self._last: dict[tuple[int, ...], int] = {}

    def next_of(self, places: Sequence[int]) -> int:
        """places: of the answers in the log, ascending, at least one."""
        key = tuple(places)
        last = self._last.get(key)
        limit = self._stretches.start if last is None else last + 1
        # All before the part that we are in: the last of them is the nearest.
        place = next((place for place in places if place >= limit), places[-1])
        self._last[key] = place
        return place

    def forget(self) -> None:
        self._last.clear()


class ByCommand:
    """Answers in any order: the same bytes get what they got."""

    guess = ""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._apdus = apdus(entries)
        self._stretches = Stretches(entries)
        self._uses = Uses(self._stretches)
        self._used: set[int] = set()
        self._places: dict[MaskedCommand, list[int]] = {}
        self.position = 0
        for place, entry in enumerate(self._apdus):
            self._places.setdefault(entry.command, []).append(place)
        self._blacked_out = [command for command in self._places if command.unknown]

    @property
    def unused(self) -> int:
        return len(self._apdus) - len(self._used)

    def answer(self, command: bytes) -> bytes | None:
        self._stretches.ask()
        masked = self._recorded(mask(command))
        if masked is None:
            return None
        place = self._place_of(masked)
        self._used.add(place)
        self.position = place + 1
        return self._apdus[place].response

    def _recorded(self, command: MaskedCommand) -> MaskedCommand | None:
        """As the log has it; None if it has not."""
        if command in self._places:
            return command
        return next((one for one in self._blacked_out if one.matches(command)), None)

    def _place_of(self, command: MaskedCommand) -> int:
        # The same GET RESPONSE comes after many commands: it belongs to the one before it.
        is_rest = Ask.of(command).header.ins == GET_RESPONSE
        if is_rest and any(entry.command == command for entry in self._apdus[self.position : self.position + 1]):
            return self.position
        return self._uses.next_of(self._places[command])

    def reset(self) -> None:
        self._stretches.reset()
        self._uses.forget()
