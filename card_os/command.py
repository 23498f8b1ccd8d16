"""Commands as data: a row says what is accepted, from whom, and who answers; `dispatch` reads it.

The README's table, the decoder's names and the negative tests are read from the same rows, so they cannot drift.
"""

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from card_os.apdu import CommandApdu, ResponseApdu
from card_os.env import Env
from card_os.memory import Memory
from card_os.sw import SW, CardError

S = TypeVar("S")
V = TypeVar("V")


@dataclass(slots=True)
class Session(Generic[S, V]):
    """What a handler works with: the state and the volatile part of its application, and the world.

    channel: number of the logical channel; directory: gives the application templates of the card, for EF.DIR; others:
    gives the volatile parts of the same application on the other logical channels, for what ends on all of them.
    """

    env: Env
    volatile: V
    channel: int
    directory: Callable[[], bytes]
    _memory: Memory
    _aid: bytes
    others: Callable[[], Iterable[V]] = tuple

    @property
    def state(self) -> S:
        """The application's permanent state as it is now."""
        return self._memory.persistent.state(self._aid)  # type: ignore[return-value]

    def commit(self, state: S) -> None:
        """Replaces the application's state; permanent when this returns."""
        self._memory.commit(self._memory.persistent.with_state(self._aid, state))


Handler = Callable[[Any, CommandApdu], bytes | ResponseApdu]
"""Takes the session and the whole plain command; returns data (with 9000) or a whole response."""


@dataclass(frozen=True, slots=True)
class Access:
    """Who may use a command: in words for people, and as a check that raises CardError."""

    words: str
    check: Callable[[Any], None]


ANYBODY = Access("always", lambda session: None)


@dataclass(frozen=True, slots=True)
class Command:
    """One row: what the card accepts, from whom, and who answers."""

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
    refusals: Mapping[int, str] = field(default_factory=dict, hash=False)
    """When the handler answers which status word, in words; 63C0 for all of 63Cx. For people, like `spec`."""


def dispatch(commands: Mapping[int, Command], session: Any, apdu: CommandApdu) -> ResponseApdu:
    """Checks INS, P1-P2, Nc and access in that order; the first that fails answers."""
    row = commands.get(apdu.ins)
    if row is None:
        raise CardError(SW.INS_NOT_SUPPORTED, f"instruction {apdu.ins:02X} is unknown here")
    if apdu.p1p2 not in row.p1p2:
        raise CardError(SW.INCORRECT_P1P2, f"P1-P2 {apdu.p1p2:04X} is not defined", subject=row.name)
    if len(apdu.data) not in row.nc:
        raise CardError(SW.WRONG_LENGTH, f"{len(apdu.data)} bytes of data do not fit", subject=row.name)
    row.access.check(session)
    answer = row.run(session, apdu)
    return answer if isinstance(answer, ResponseApdu) else ResponseApdu(answer)
