"""What a trace holds: entries, each an APDU with its answer, or an event of a reader. No secret gets this far."""

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from vsc.masking.command import MaskedCommand

if TYPE_CHECKING:
    from card_os.application import Application


_NO_COMMAND = MaskedCommand(b"")


class EntryKind(Enum):
    """What an entry tells of. Values are those of the JSON lines."""

    APDU = "apdu"
    INSERTED = "inserted"
    EJECTED = "ejected"
    RESET = "reset"
    """Warm or cold, or power off: whatever was verified is forgotten."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a trace.

    seconds: since the trace began; 0.0 where a log has no times. command, response, reason, took_s, changes: of an
    APDU only. response: with its SW; empty if the card gave none. atr: of a card that was inserted or reset, if known.
    changes: what the command has changed of what the card keeps, a line each (`vsc.trace.change`).
    name: of the command, as the card's own table has it, if it has one. applications: of a card that was inserted, if
    they are its own and no profile's; no log has them.
    """

    kind: EntryKind
    seconds: float = 0.0
    reader: str = ""
    command: MaskedCommand = _NO_COMMAND
    response: bytes = b""
    reason: str = ""
    took_s: float = 0.0
    atr: bytes = b""
    changes: tuple[str, ...] = ()
    name: str = field(default="", compare=False)
    applications: "tuple[Application[Any, Any], ...]" = field(default=(), compare=False, repr=False)
