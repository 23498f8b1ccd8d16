"""A card that tells somebody of all that it does, and asks before it keeps anything; and its repeatable world."""

from collections.abc import Callable
from copy import copy, deepcopy
from typing import Any, Protocol, TypeVar

from card_os.apdu import CommandApdu, ResponseApdu
from card_os.card import Card, Outcome
from card_os.channel import Channel
from card_os.command import Session
from card_os.env import Env
from card_os.kernel import kernel_row
from card_os.key import PrivateKey
from card_os.key_kind import KeyKind
from card_os.memory import Memory, Persistent
from vsc.testing.card import SoftCard


class Watcher(Protocol):
    """Who hears of it. Each may raise what the host shall get instead."""

    @property
    def has_power(self) -> bool: ...

    def check_power(self) -> None:
        """Raises what a host gets of a card without power, if it has none."""
        ...

    def exchange(self, raw: bytes) -> Outcome:
        """A command comes; the watcher has it run, or not (`WatchedCard.run_whole`)."""
        ...

    def understand(self, counters: tuple[str, ...]) -> None:
        """The command under way is whole now, and presents what this counter counts."""
        ...

    def commit(self, make: Callable[[], None], new: Persistent) -> None:
        """The card is about to change what it keeps; `make` does it."""
        ...

    def store(self, new: Persistent) -> None:
        """What is told to the card's store, and that alone, is there after a power cut."""
        ...


class _WatchedMemory(Memory):
    """A memory that asks before it changes."""

    __slots__ = ("_watch",)

    def __init__(
        self,
        persistent: Persistent,
        store: Callable[[Persistent], None],
        watch: Callable[[Callable[[], None], Persistent], None],
    ) -> None:
        super().__init__(persistent, store)
        self._watch = watch

    def commit(self, new: Persistent) -> None:
        if new != self.persistent:
            self._watch(lambda: super(_WatchedMemory, self).commit(new), new)


class WatchedCard(Card):
    """A card as `start` is, powered, in the hands of a watcher."""

    def __init__(self, start: SoftCard, env: Env, watcher: Watcher) -> None:
        super().__init__(
            start.profile.applications, start.persistent, env, atr=start.profile.atr, default=start.profile.default
        )
        self._memory = _WatchedMemory(start.persistent, watcher.store, watcher.commit)
        self._watching = watcher
        self._profile = start.profile
        self.commits: list[Persistent] = []
        """Of a twin: what it has committed."""

    def exchange(self, command: bytes) -> Outcome:
        return self._watching.exchange(command)

    def run_whole(self, command: bytes) -> Outcome:
        """What `exchange` does with a card that nobody watches."""
        return super().exchange(command)

    def reset(self) -> bytes:
        self._watching.check_power()
        return super().reset()

    def power_off(self) -> None:
        if self._watching.has_power:
            super().power_off()

    def fork(self, env: Env) -> Card:
        return self._profile.card(self.persistent, env)

    def twin(self) -> "WatchedCard":
        """A copy with all that it remembers, powered like this one, with nobody to hear of its commits."""
        other = copy(self)
        other.commits = []

        def take_down(make: Callable[[], None], new: Persistent) -> None:
            make()
            other.commits.append(new)

        other._memory = _WatchedMemory(self.persistent, lambda _: None, take_down)
        other._env = copy(self._env)
        # What is code and not memory stays the same: the applications.
        other._volatile = deepcopy(self._volatile, {id(one): one for one in self._applications})
        return other

    def _run(self, number: int, channel: Channel, session: Session[Any, Any], apdu: CommandApdu) -> ResponseApdu:
        application = channel.application
        row = (
            None
            if application is None or kernel_row(apdu.ins, apdu.p1)
            else application.table.find(apdu.ins, apdu.p1p2)
        )
        counters = row.presents(session, apdu) if row is not None else ()
        if application is not None and len(self._applications) > 1:
            counters = tuple(f"{application.name}: {counter}" for counter in counters)
        self._watching.understand(counters)
        return super()._run(number, channel, session, apdu)


# --- its world

Draw = tuple[int | KeyKind, bytes | PrivateKey]
"""What was asked for, so many bytes or a key, and what came."""
T = TypeVar("T", int, KeyKind)


class RepeatingEnv:
    """A world in which the same is random each time, so that runs can be compared, and a key is made once.

    drawn: shared by all of them; what is asked for beyond it comes from `env`.
    """

    def __init__(self, env: Env, drawn: list[Draw]) -> None:
        self._env = env
        self._drawn = drawn
        self._next = 0

    def random_bytes(self, count: int) -> bytes:
        found = self._draw(count, self._env.random_bytes)
        assert isinstance(found, bytes)
        return found

    def key(self, kind: KeyKind) -> PrivateKey:
        found = self._draw(kind, self._env.key)
        assert not isinstance(found, bytes)
        return found

    def touched(self, within_s: float = 0.0) -> bool:
        return self._env.touched(within_s)

    def _draw(self, what: T, make: Callable[[T], bytes | PrivateKey]) -> bytes | PrivateKey:
        if self._next == len(self._drawn) or self._drawn[self._next][0] != what:
            self._drawn[self._next :] = [(what, make(what))]
        self._next += 1
        return self._drawn[self._next - 1][1]
