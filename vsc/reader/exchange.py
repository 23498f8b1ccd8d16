"""What passes between a host and a card, as whoever looks on gets it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from card_os.memory import Persistent
from vpcd_bridge.port import PoweredCard
from vsc.masking.mask import shown


@dataclass(frozen=True, slots=True, repr=False)
class Exchange:
    """One command and its answer, as the host saw them.

    insertion: the card's stay in the reader. response: with its SW; empty if there was none. reason: why the card (or
    a fault) refused, in words; empty if it did not. started_s: `time.monotonic()` when the card got the command;
    took_s: until its answer. change: what the card kept before and after, if the command has changed it and the card
    is one of ours. The command is whole, PINs included, and so is the change: only `vsc.trace` may show them to people.
    """

    reader: str
    insertion: int
    command: bytes
    response: bytes
    reason: str
    started_s: float
    took_s: float
    change: tuple[Persistent, Persistent] | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        return f"<Exchange {shown(self.command)} -> {self.response[-2:].hex().upper() or 'no answer'}>"


Tap = Callable[[Exchange], None]


def reason_of(card: PoweredCard) -> str:
    """Why the card refused its last command; empty if it did not, or does not say."""
    reason = getattr(getattr(card, "last_outcome", None), "reason", None)
    return "" if reason is None else str(reason)


def kept_by(card: PoweredCard) -> Persistent | None:
    """What the card keeps, one frozen value; None if the card does not say."""
    kept = getattr(card, "persistent", None)
    return kept if isinstance(kept, Persistent) else None
