"""Commands as data: a row says what is accepted, from whom, who answers, and what people are told of it.

A row stands beside its handler, and everybody reads it there: the kernel's checks, traces and their masks, `explain`,
the tables in the docs, the strategies and the fuzzer of the tests. `Table` finds the rows of an instruction: one, or
several that share it (PSO signs and deciphers, GET DATA of two kinds of objects).
"""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

from card_os.apdu import CommandApdu, ResponseApdu
from card_os.class_byte import Classes
from card_os.env import Env
from card_os.memory import Memory
from card_os.sw import SW, CardError
from card_os.words import either

S = TypeVar("S")
V = TypeVar("V")

TRIES_LEFT = 0x63C0
"""Stands for all of 63C0 to 63CF where rows say when they answer what."""
ANY_P1P2 = range(0x10000)


def _nobody(channel: int) -> tuple[()]:
    return ()


@dataclass(slots=True)
class Session(Generic[S, V]):
    """What a handler works with: the state and the volatile part of its application, and the world.

    channel: number of the logical channel; directory: gives the application templates of the card, for EF.DIR.
    """

    env: Env
    volatile: V
    channel: int
    directory: Callable[[], bytes]
    _memory: Memory
    _aid: bytes
    _beside: Callable[[int], Iterable[V]] = _nobody
    proved: set[int] = field(default_factory=set)
    """Global reference data (b8 of their number is 0) that have been proved: the status of the whole card, which other
    channels share and selecting another application does not end (ISO/IEC 7816-4 section 5.4.1)."""
    is_wrapped: bool = False
    """Whether the command came under secure messaging."""

    @property
    def state(self) -> S:
        """The application's permanent state as it is now."""
        return self._memory.persistent.state(self._aid)  # type: ignore[return-value]

    def others(self) -> Iterable[V]:
        """The volatile parts of the same application on the other logical channels, for what ends on all of them."""
        return self._beside(self.channel)

    def commit(self, state: S) -> None:
        """Replaces the application's state; permanent when this returns."""
        self._memory.commit(self._memory.persistent.with_state(self._aid, state))


Handler = Callable[[Any, CommandApdu], bytes | ResponseApdu]
"""Takes the session and the whole plain command; returns data (with 9000) or a whole response."""

Refusals = dict[int, str]
"""Status words, and in which case each is answered."""


@dataclass(frozen=True, slots=True)
class Access:
    """Who may use a command: in words for people, and as a check that raises CardError. refusals: what it raises."""

    words: str
    check: Callable[[Any], None]
    refusals: Refusals = field(default_factory=dict, hash=False)


ANYBODY = Access("always", lambda session: None)


def _no_words(apdu: CommandApdu, hidden_bytes: int) -> str:
    return ""


def _no_answer_words(apdu: CommandApdu, data: bytes) -> str:
    return ""


def _presents_nothing(session: Any, apdu: CommandApdu) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True, eq=False)
class Command:
    """One row: what the card accepts, from whom, and who answers. What stands below `classes` changes no answer."""

    name: str
    p1p2: Container[int]
    """Accepted values of P1 << 8 | P2."""
    nc: Container[int]
    """Accepted lengths of the command data, bytes."""
    access: Access
    run: Handler
    spec: str
    """Document and section that define it."""
    chaining: bool = False
    classes: Classes = Classes.INTERINDUSTRY
    changes: bool = False
    """Whether it may change what the card keeps."""
    refusals: Refusals = field(default_factory=dict)
    """When the handler answers which status word, in words; TRIES_LEFT for all of 63Cx."""
    words: Callable[[CommandApdu, int], str] = _no_words
    """What the command is about, beside its name: `A010 DF22 (cardcf)`; empty: what any reader of ISO 7816 would say.
    Any bytes are answered, nothing raises. The number: bytes of its data that are secret, so the APDU is without."""
    answer_words: Callable[[CommandApdu, bytes], str] = _no_answer_words
    """The same of the data that were answered."""
    presents: Callable[[Any, CommandApdu], tuple[str, ...]] = _presents_nothing
    """The counter (a fact) of the PIN or key that a whole command presents in this session, if it presents one: a card
    lowers it, and stores that, before it compares. Behind it: what other counters the command gives back."""
    renews: bool = False
    """Whether it gives tries back though no secret is compared: it sets them, or makes a card new that nobody can use
    any more. Who may do that is a matter of the row's access and of its handler."""
    hides: Container[int] = ()
    """Values of P1-P2, accepted or not, with which the data hold a PIN or a key: traces leave them out."""
    samples: Sequence[tuple[int, bytes]] = ()
    """P1-P2 and data that get past these checks: what tests make commands of."""
    is_tlv: bool = False
    """Whether data that are no sequence of data objects are refused."""

    def answers(self) -> Refusals:
        """Every status word but 6A86 and 6700 of the checks here, and when: the handler's, then those of `access`."""
        said = dict(self.refusals)
        for sw, words in self.access.refusals.items():
            said[sw] = either(said.get(sw, ""), words)
        return {**said, SW.MEMORY_FAILURE: "the change could not be stored"} if self.changes else said


Commands = Mapping[int, Command | tuple[Command, ...]]
"""Rows by instruction."""


class Table:
    """The rows of an application, indexed. Each row stands there once for each instruction that it answers."""

    def __init__(self, commands: Commands) -> None:
        self.commands = commands
        self._rows = {int(ins): rows if isinstance(rows, tuple) else (rows,) for ins, rows in commands.items()}
        self._proprietary = self._of_class(Classes.PROPRIETARY)
        self._interindustry = self._of_class(Classes.INTERINDUSTRY)

    def _of_class(self, wanted: Classes) -> dict[int, tuple[Command, ...]]:
        found = {ins: tuple(row for row in rows if row.classes & wanted) for ins, rows in self._rows.items()}
        return {ins: rows for ins, rows in found.items() if rows}

    def __iter__(self) -> Iterator[tuple[int, Command]]:
        """Every row with its instruction."""
        return ((ins, row) for ins, rows in self._rows.items() for row in rows)

    @cached_property
    def has_proprietary(self) -> bool:
        """Whether any command is known in a proprietary class."""
        return bool(self._proprietary)

    def of(self, ins: int, *, is_proprietary: bool = False) -> tuple[Command, ...]:
        """The rows of an instruction in a kind of class; empty if it is unknown there."""
        return (self._proprietary if is_proprietary else self._interindustry).get(ins, ())

    def find(self, ins: int, p1p2: int) -> Command | None:
        """The row that has these P1-P2, else the first of the instruction, in any class: to speak of a command."""
        rows = self._rows.get(ins, ())
        return next((row for row in rows if p1p2 in row.p1p2), rows[0] if rows else None)

    def choose(self, apdu: CommandApdu) -> Command:
        """The first row that accepts INS (6D00), P1-P2 (6A86) and Nc (6700), checked in that order."""
        rows = (self._proprietary if apdu.cla >= 0x80 else self._interindustry).get(apdu.ins)
        if rows is None:
            raise CardError(SW.INS_NOT_SUPPORTED, f"instruction {apdu.ins:02X} is unknown here")
        p1p2, size, near = apdu.p1p2, len(apdu.data), None
        for row in rows:
            if p1p2 in row.p1p2:
                if size in row.nc:
                    return row
                near = near or row
        if near is None:
            raise CardError(SW.INCORRECT_P1P2, f"P1-P2 {p1p2:04X} is not defined", subject=rows[0].name)
        raise CardError(SW.WRONG_LENGTH, f"{size} bytes of data do not fit", subject=near.name)


def dispatch(table: Table, session: Any, apdu: CommandApdu) -> ResponseApdu:
    """Checks INS, P1-P2, Nc and access in that order; the first that fails answers."""
    row = table.choose(apdu)
    row.access.check(session)
    answer = row.run(session, apdu)
    return answer if isinstance(answer, ResponseApdu) else ResponseApdu(answer)
