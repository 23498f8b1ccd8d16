"""What a fault can do, as a table: the grammar, the checks, the documentation and the strategies read it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Layer(Enum):
    """Where on the way between host and card a fault strikes."""

    CARD = "card"
    TRANSPORT = "transport"
    PCSC = "PC/SC"


class Place(Enum):
    """When a fault strikes, as it is spelt."""

    ON = "on"
    BEFORE = "before"
    AFTER = "after"
    BETWEEN = "between"
    RESET = "on reset"


class Argument(Enum):
    """What follows the word, as it is named to people."""

    NONE = ""
    SW = "SW"
    ANSWER = "ANSWER"
    TIME = "TIME"
    ATR = "ATR"
    COMMIT = "N"


class Effect(Enum):
    """What happens, as it is spelt."""

    SW = "sw"
    ANSWER = "answer"
    DELAY = "delay"
    MUTE = "mute"
    ATR = "atr"
    TEAR_BEFORE = "tear before commit"
    TEAR_AFTER = "tear after commit"
    CUT = "cut"
    CLOSE = "close"
    GARBLE = "garble"
    REMOVE = "remove"
    SWAP = "swap"
    RESET = "reset"
    STALL = "stall"
    SHARE = "share"
    LOSE = "lose"
    GONE = "gone"

    @property
    def is_tear(self) -> bool:
        return self in (Effect.TEAR_BEFORE, Effect.TEAR_AFTER)


@dataclass(frozen=True, slots=True)
class Row:
    """places: where it may strike, the first if nothing is said. goes_back: whether `and back` means something."""

    layer: Layer
    argument: Argument
    places: tuple[Place, ...]
    goes_back: bool
    words: str


_ON = (Place.ON,)
_AROUND = (Place.BEFORE, Place.AFTER, Place.BETWEEN)

TABLE: Mapping[Effect, Row] = {
    Effect.SW: Row(Layer.CARD, Argument.SW, _ON, False, "this status word in place of the answer; nothing is done"),
    Effect.ANSWER: Row(Layer.CARD, Argument.ANSWER, _ON, False, "these bytes in place of the answer; nothing is done"),
    Effect.DELAY: Row(Layer.CARD, Argument.TIME, _ON, False, "the card begins so much later"),
    Effect.MUTE: Row(Layer.CARD, Argument.NONE, (Place.ON, Place.RESET), False, "no answer; nothing is done"),
    Effect.ATR: Row(Layer.CARD, Argument.ATR, (Place.RESET,), False, "another ATR"),
    Effect.TEAR_BEFORE: Row(Layer.CARD, Argument.COMMIT, _ON, True, "the power goes just before the N-th commit"),
    Effect.TEAR_AFTER: Row(Layer.CARD, Argument.COMMIT, _ON, True, "the power goes just after the N-th commit"),
    Effect.CUT: Row(Layer.TRANSPORT, Argument.NONE, _ON, False, "half of the answer's frame, then the connection ends"),
    Effect.CLOSE: Row(Layer.TRANSPORT, Argument.NONE, _ON, False, "the connection ends in place of the answer"),
    Effect.GARBLE: Row(Layer.TRANSPORT, Argument.NONE, _ON, False, "every bit of the answer is turned round"),
    Effect.REMOVE: Row(Layer.PCSC, Argument.NONE, (*_AROUND, Place.ON), True, "the card is taken out"),
    Effect.SWAP: Row(Layer.PCSC, Argument.NONE, _AROUND, False, "another card takes its place"),
    Effect.RESET: Row(Layer.PCSC, Argument.NONE, _AROUND, False, "another client resets the card"),
    Effect.STALL: Row(
        Layer.PCSC, Argument.TIME, (Place.BEFORE,), False, "a transaction that was idle so long has the card reset"
    ),
    Effect.SHARE: Row(Layer.PCSC, Argument.NONE, (Place.BEFORE,), False, "another client has the card to itself"),
    Effect.LOSE: Row(Layer.PCSC, Argument.NONE, _ON, False, "the reader loses the answer; the card has done it"),
    Effect.GONE: Row(Layer.PCSC, Argument.NONE, (Place.BEFORE,), True, "the PC/SC service goes away"),
}
