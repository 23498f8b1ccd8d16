"""What a replayed card says about the first command that its log has no answer to."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass

from vsc.masking.command import MaskedCommand
from vsc.masking.mask import text
from vsc.replay.ask import Ask
from vsc.trace.decoder import Decoder
from vsc.trace.entry import Entry, EntryKind

_SHOWN_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Report:
    """position: how far the log was used, in APDUs; total: how many it has. The rest are commands, in words: the one
    that is not known; what comes next in the log, None at its end; what is most like it, with its number from 1.
    """

    position: int
    total: int
    command: str
    expected: str | None
    nearest: tuple[int, str] | None

    def __str__(self) -> str:
        lines = [f"the log has no answer to {self.command}"]
        if self.expected is None:
            lines.append(f"  where: after the last of the log's {self.total} APDUs")
        else:
            lines.append(f"  where: at APDU {self.position + 1} of {self.total}")
            lines.append(f"  next in the log: {self.expected}")
        if self.nearest is not None and self.nearest[0] != self.position + 1:
            lines.append(f"  nearest in the log: APDU {self.nearest[0]}, {self.nearest[1]}")
        return "\n".join(lines)


def report(entries: Sequence[Entry], position: int, command: MaskedCommand) -> Report:
    """entries: the log; position: of the APDU that is next, from 0."""
    decoder, unknown = Decoder(), None
    words: list[str] = []
    commands: list[MaskedCommand] = []
    asked = Entry(EntryKind.APDU, command=command)
    for entry in entries:
        is_apdu = entry.kind is EntryKind.APDU
        if is_apdu and len(words) == position:
            unknown = in_words(asked, deepcopy(decoder))
        said = in_words(entry, decoder)
        if is_apdu:
            words.append(said)
            commands.append(entry.command)
    places = range(len(words))
    nearest = max(places, key=lambda place: (_likeness(commands[place], command), -abs(place - position)))
    return Report(
        position,
        len(words),
        unknown or in_words(asked, decoder),
        words[position] if position < len(words) else None,
        (nearest + 1, words[nearest]) if _likeness(commands[nearest], command) > (0,) else None,
    )


def _likeness(one: MaskedCommand, other: MaskedCommand) -> tuple[int, ...]:
    """The larger the more alike: first INS, then P1-P2, then how many bytes agree from the start."""
    ours, theirs = Ask.of(one), Ask.of(other)
    if ours.header.ins != theirs.header.ins:
        return (0,)
    agreeing = next((i for i, (a, b) in enumerate(zip(ours.data, theirs.data, strict=False)) if a != b), None)
    length = min(len(ours.data), len(theirs.data)) if agreeing is None else agreeing
    return 1, int(ours.header[2:] == theirs.header[2:]), length, -abs(ours.data_bytes - theirs.data_bytes)


def in_words(entry: Entry, decoder: Decoder) -> str:
    """`GIDS: GET DATA cardid (00CBA012045C02DF2000)`."""
    line = decoder.decode(entry)
    shown = text(entry.command)
    if len(shown) > _SHOWN_CHARACTERS:
        shown = f"{shown[:_SHOWN_CHARACTERS]}… of {len(entry.command.visible) + entry.command.hidden_bytes} bytes"
    words = " ".join(word for word in (line.name, line.details) if word)
    return f"{words} ({shown})"
