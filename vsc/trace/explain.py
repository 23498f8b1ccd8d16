"""Why: what a status word means, which of our commands answer it, and what a refusal in a log without reasons is about.

All of it is read from the command tables (`Command.refusals`, P1-P2, lengths, access), so it says what may be the case;
only the card's own reason, where a log has it, says what was.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from card_os.apdu import MAX_NC, CommandApdu
from card_os.command import TRIES_LEFT, Command
from card_os.kernel import KERNEL
from card_os.sw import SW, CardError, meaning
from card_os.words import either
from vsc.trace.decoder import Line, all_applications, rows_of

_MAX_VALUES = 8

ANY_COMMAND: Mapping[int, str] = {
    SW.WRONG_LENGTH: "Lc and Le do not fit the length of the command",
    SW.CHANNEL_NOT_SUPPORTED: "the logical channel in CLA is not open",
    SW.SECURE_MESSAGING_NOT_SUPPORTED: "CLA says secure messaging, which the card has not",
    SW.LAST_COMMAND_OF_CHAIN_EXPECTED: "another command came before the end of a chain",
    SW.CHAINING_NOT_SUPPORTED: "CLA says that more parts follow, and this command takes none",
    SW.INS_NOT_SUPPORTED: "the application has no such instruction",
    SW.CLA_NOT_SUPPORTED: "CLA is reserved or proprietary",
    0x6F00: "the card, or what is in front of it, has failed: that is a bug",
}
"""What the kernel answers whatever the command is."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """That a command answers a status word: when, and who may use the command at all. application: empty: any."""

    application: str
    command: str
    when: str
    access: str = ""


def refusals(sw: int) -> Iterator[Refusal]:
    """Who answers this status word, and when: the kernel for any command, its own commands, then the applications'."""
    if sw in ANY_COMMAND:
        yield Refusal("", "any command", ANY_COMMAND[sw])
    for row in KERNEL.values():
        if when := row_words(row, sw):
            yield Refusal("", row.name, when)
    for application in all_applications():
        for row in dict.fromkeys(row for _, row in application.table):
            if when := row_words(row, sw):
                yield Refusal(application.name, row.name, when, row.access.words)


def row_words(row: Command, sw: int) -> str:
    """When a command of a table answers a status word; empty if it does not."""
    words = [row.answers().get(TRIES_LEFT if sw >> 4 == TRIES_LEFT >> 4 else sw, "")]
    if sw == SW.INCORRECT_P1P2:
        words.append(f"P1-P2 is not {accepted(row.p1p2, 0xFFFF, '04X')}")
    if sw == SW.WRONG_LENGTH and any(size not in row.nc for size in (0, 1, MAX_NC)):
        words.append(f"the data are not {accepted(row.nc, MAX_NC, 'd')} bytes long")
    return either(*words)


def accepted(values: object, most: int, form: str) -> str:
    """The values that a row accepts, in words: `0080`, `1 to 65535`, `0 or 2`."""
    them = [value for value in range(most + 1) if value in values]  # type: ignore[operator]
    starts = [value for at, value in enumerate(them) if at == 0 or them[at - 1] != value - 1]
    ends = [value for value, after in pairwise([*them, most + 2]) if after != value + 1]
    spans = [f"{a:{form}}" if a == b else f"{a:{form}} to {b:{form}}" for a, b in zip(starts, ends, strict=True)]
    if len(spans) > _MAX_VALUES:
        return f"{', '.join(spans[:_MAX_VALUES])} …"
    return " or ".join(filter(None, (", ".join(spans[:-1]), spans[-1]))) if spans else "nothing"


def why(line: Line) -> str:
    """What is known of a refusal: the reason in the log, else what the tables say of its status word."""
    if line.why:
        return line.why
    sw = line.sw
    if sw is None:
        return "there was no answer"
    row = _row(line)
    words = (row_words(row, sw) if row else "") or ANY_COMMAND.get(sw, "")
    if row and sw == SW.SECURITY_STATUS_NOT_SATISFIED:
        words = f"{words}; needs: {row.access.words}"
    return words or meaning(sw)


def _row(line: Line) -> Command | None:
    command = line.entry.command.visible
    if len(command) < 4:
        return None  # What is too short is no command of anybody.
    known = [one for one in all_applications() if line.application in ("", one.name)]
    return next((row for _, row in rows_of(command, known)), None)


def parts(command: bytes) -> str:
    """The fields of a command: `CLA 00, INS CB, P1-P2 A010, Lc 4, Le 256`."""
    try:
        apdu = CommandApdu.parse(command)
    except CardError as error:
        return error.reason.rule
    fields = [f"CLA {apdu.cla:02X}", f"INS {apdu.ins:02X}", f"P1-P2 {apdu.p1p2:04X}"]
    fields += [f"Lc {len(apdu.data)}"] if apdu.data else []
    fields += [f"Le {apdu.ne}"] if apdu.ne else []
    return ", ".join([*fields, *(["extended length"] if apdu.extended else [])])
