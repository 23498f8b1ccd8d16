"""Cards there, and which of this process's cards are there."""

import threading
from collections.abc import Callable
from typing import Any, cast
from weakref import ref

from card_os.card import Card, Outcome
from card_os.env import Env
from card_os.key import PrivateKey
from card_os.key_kind import KeyKind
from card_os.memory import Persistent
from vpcd_bridge.port import PoweredCard
from vsc.profiles import Profile
from vsc.serving.owner import ServiceProcess
from vsc.testing.card import SoftCard


class ServedEnv:
    """The world of a card there. `copy` gives one of its own, which goes on from there."""

    def __init__(self, card: "ServedCard") -> None:
        self._card = card

    def random_bytes(self, count: int) -> bytes:
        drawn: bytes = self._card.process.call("random_bytes", self._card.number, count)
        return drawn

    def key(self, kind: KeyKind) -> PrivateKey:
        key: PrivateKey = self._card.process.call("key", self._card.number, kind)
        return key

    def touched(self, within_s: float = 0.0) -> bool:
        touched: bool = self._card.process.call("touched", self._card.number, within_s)
        return touched

    def __copy__(self) -> Env:
        env: Env = self._card.process.call("env", self._card.number)
        return env

    def __reduce__(self) -> Any:
        return _same, (self.__copy__(),)


def _same(value: object) -> object:
    return value


class ServedCard:
    """A card there: what `card_os.card.Card` is here."""

    def __init__(self, process: ServiceProcess, number: int, profile: Profile) -> None:
        self.process, self.number, self.profile = process, number, profile

    def __repr__(self) -> str:
        return f"<ServedCard {self.number}>"

    @property
    def atr(self) -> bytes:
        return self._bytes("atr")

    def power_on(self) -> bytes:
        return self._bytes("power_on")

    def power_off(self) -> None:
        self.process.call("card", self.number, "power_off")

    def reset(self) -> bytes:
        return self._bytes("reset")

    def transmit(self, command: bytes) -> bytes:
        return self._bytes("transmit", bytes(command))

    @property
    def last_outcome(self) -> Outcome | None:
        outcome: Outcome | None = self.process.call("outcome", self.number)
        return outcome

    @property
    def applications(self) -> Any:
        return tuple(self.profile.applications)

    @property
    def persistent(self) -> Persistent:
        states = dict(self.process.call("state", self.number))
        return self.profile.persistent(*(one.decode(states[one.aid]) for one in self.profile.applications))

    @property
    def env(self) -> ServedEnv:
        return ServedEnv(self)

    def restore(self, persistent: Persistent, env: Env | None = None) -> None:
        own = [one.aid for one in self.profile.applications]
        if own != [aid for aid, _ in persistent.applications]:
            raise ValueError("that is the state of a card with other applications")
        states = [(one.aid, one.encode(persistent.state(one.aid))) for one in self.profile.applications]
        self.process.call("restore", self.number, states, env)

    def fork(self, env: Env) -> Any:
        return self.profile.card(self.persistent, env)

    def _bytes(self, name: str, *args: bytes) -> bytes:
        answer: bytes = self.process.call("card", self.number, name, *args)
        return answer


class Cards:
    """The cards of this process that are there, by their numbers."""

    def __init__(self, process: ServiceProcess) -> None:
        self._process = process
        self._known: dict[int, tuple[int, Callable[[], object]]] = {}
        """By id: the number, and the card if it still lives."""
        self._lock = threading.Lock()

    def number_of(self, card: PoweredCard) -> int:
        """Its number; a card that is not there yet travels. TravelError."""
        if isinstance(card, ServedCard) and card.process is self._process:
            return card.number
        with self._lock:
            number = self._number(card)
            is_new = number is None
            if number is None:
                number = self._process.new_card_number()
            if is_new or not isinstance(card, SoftCard):  # Something may have been done to it here.
                self._process.call("lay", number, card)
            if is_new:
                self._known[id(card)] = number, self._reference(card, number)
                if isinstance(card, SoftCard):
                    card.card = cast(Card, ServedCard(self._process, number, card.profile))
            return number

    def come_back(self, card: PoweredCard) -> None:
        """Makes an object what its copy there has become, if it is not a card whose inside is there."""
        number = self._number(card)
        if number is not None and type(card) is not SoftCard and hasattr(card, "__dict__"):
            vars(card).update(self._process.call("contents_of", number))

    def _number(self, card: object) -> int | None:
        number, known = self._known.get(id(card), (None, lambda: None))
        return number if known() is card else None

    def _reference(self, card: object, number: int) -> Callable[[], object]:
        key, known, forgotten = id(card), self._known, self._process.forgotten_cards

        def gone(_: object) -> None:
            """In the midst of anything: no lock, no call."""
            known.pop(key, None)
            forgotten.append(number)

        try:
            return ref(card, gone)
        except TypeError:  # It has __slots__, and no place for that: it stays for good.
            return lambda: card
