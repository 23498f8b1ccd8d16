"""One fault as a value: what happens, where, how often."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from vpcd_bridge.port import PoweredCard
from vsc.faults.bounds import MAX_ANSWER_BYTES, MAX_ATR_BYTES, MAX_COUNT, MAX_DELAY_MS
from vsc.faults.command import ANY, CommandName, application_names, spelt
from vsc.faults.effect import TABLE, Argument, Effect, Place
from vsc.faults.errors import FaultSyntaxError

if TYPE_CHECKING:
    from vsc.reader import Reader

When = Callable[[bytes, int], bool]
"""Takes the command, whole, and how many there have been that the fault would strike, this one included."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One line of English, parsed. ValueError for what makes no sense.

    value: bytes of a status word, an answer, an ATR; milliseconds of a delay; the number of a commit.
    command: on, before or after which it strikes, or before which if it is `between` since and command.
    nth: strikes at the n-th such command (with `every`: and at each one from there on).
    optional: nobody minds if it never strikes. back: what was taken away comes back at once.
    when: strikes only if this says so. card: what `swap` puts in; None: a fresh one.
    """

    effect: Effect
    value: bytes | int | None = None
    place: Place | None = None
    command: CommandName = ANY
    since: CommandName | None = None
    application: str | None = None
    nth: int = 1
    every: bool = False
    optional: bool = False
    back: bool = False
    when: When | None = field(default=None, compare=False, repr=False)
    card: "PoweredCard | Callable[[Reader], PoweredCard] | None" = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        row = TABLE[self.effect]
        if self.place is None:
            object.__setattr__(self, "place", row.places[0])
        problem = _problem_of_value(row.argument, self.value) or self._problem()
        if problem:
            raise ValueError(f"{self.effect.value}: {problem}")

    def _problem(self) -> str:
        """What makes no sense about it; empty if all does."""
        row = TABLE[self.effect]
        if self.place not in row.places:
            return f"strikes {' or '.join(place.value for place in row.places)}"
        if (self.since is not None) != (self.place is Place.BETWEEN):
            return "two commands are for 'between', which has two"
        if self.place is Place.RESET and not (self.command.is_any and self.application is None and self.when is None):
            return "a reset has no command and no application"
        if self.application is not None and self.application not in application_names():
            return f"there is no application {self.application!r}"
        if not 1 <= self.nth <= MAX_COUNT:
            return f"counts go from 1 to {MAX_COUNT}"
        if self.effect.is_tear and self.nth != 1:
            return "the number of the commit is its count: it takes no other"
        if self.back and not row.goes_back:
            return "nothing was taken away that could come back"
        if self.card is not None and self.effect is not Effect.SWAP:
            return "a card is for 'swap'"
        return ""

    @classmethod
    def parse(
        cls,
        text: str,
        *,
        when: When | None = None,
        card: "PoweredCard | Callable[[Reader], PoweredCard] | None" = None,
    ) -> Self:
        """Reads a fault as `str` writes it, and as people do. FaultSyntaxError."""
        from vsc.faults.grammar import parsed

        try:
            return cls(**parsed(text), when=when, card=card)
        except ValueError as error:
            raise FaultSyntaxError(text, 1, str(error)) from None

    def __str__(self) -> str:
        words = [self.effect.value]
        if self.value is not None:
            words.append(_spelt_value(TABLE[self.effect].argument, self.value))
        is_counted = self.place is Place.AFTER and self.command.is_any
        match self.place:
            case Place.RESET:
                words.append("on reset")
            case Place.BETWEEN:
                words.append(f"between {self.since} and {self.command}")
            case Place.AFTER if is_counted:
                words.append(f"after {self.nth}")
            case Place():
                words.append(f"{self.place.value} {self.command}")
        if self.application is not None:
            words.append(f"in {spelt(self.application)}")
        if self.nth != 1 and not is_counted:
            words.append(f"nth {self.nth}")
        words += ["every"] * self.every + ["optional"] * self.optional + ["and back"] * self.back
        return " ".join(words)


def _spelt_value(argument: Argument, value: bytes | int) -> str:
    if isinstance(value, bytes):
        return value.hex().upper()
    if argument is Argument.TIME:
        return f"{value}ms" if value % 1000 else f"{value // 1000}s"
    return str(value)


def _problem_of_value(argument: Argument, value: object) -> str:
    match argument, value:
        case (Argument.NONE, None):
            return ""
        case (Argument.NONE, _):
            return "takes no value"
        case (Argument.SW, bytes()):
            return "" if len(value) == 2 else "a status word has four hexadecimal digits"
        case (Argument.ANSWER, bytes()):
            return "" if 2 <= len(value) <= MAX_ANSWER_BYTES else "an answer has 2 to 65535 bytes, its status word last"
        case (Argument.ATR, bytes()):
            return "" if 2 <= len(value) <= MAX_ATR_BYTES else "an ATR has 2 to 33 bytes"
        case (Argument.TIME, int()):
            return "" if 1 <= value <= MAX_DELAY_MS else "a delay is 1ms to 3600s"
        case (Argument.COMMIT, int()):
            return "" if 1 <= value <= MAX_COUNT else f"counts go from 1 to {MAX_COUNT}"
    return f"needs a value: {argument.value}"
