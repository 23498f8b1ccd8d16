"""The desk of a process that serves one other process, its owner: readers and cards that the owner knows by number.

The owner is a test, as a rule. What it calls are the methods named in CALLS; `vsc.testing.served` has the handles that
do it. Cards are objects, which have travelled here (`travel`) and live here until the owner has no more use for them.
"""

import itertools
import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

from card_os.card import Card, Outcome
from card_os.env import Env
from card_os.key import PrivateKey
from card_os.key_kind import KeyKind
from card_os.memory import Persistent
from vpcd_bridge.port import PoweredCard
from vsc.faults import Fault, Plan, inject
from vsc.pcsc import Service
from vsc.pinpad import PinPad
from vsc.pinpad.pad import Ask
from vsc.reader import Exchange, Reader, ReaderEvent
from vsc.serving.desk import Desk
from vsc.serving.travel import packed_error
from vsc.trace import Entry, Trace

READER_CALLS = frozenset(
    {"announce", "atr_of", "control", "eject", "power_off", "power_on", "reset", "swap", "transmit", "insert", "used"}
)
MAX_EXCHANGES = 10_000
_OF_SOFT_CARDS = frozenset({"card", "_env", "profile"})
"""What a `SoftCard` has that the owner asks for as it is needed, or has itself."""


@dataclass(slots=True)
class Situation:
    """A reader at one moment. card: its number; last: the number of the last event."""

    card: int | None
    atr: bytes | None
    is_powered: bool
    insertions: int
    resets: int
    last: int


@dataclass(slots=True)
class _Slot:
    """A reader of the owner's."""

    reader: Reader
    trace: Trace = field(default_factory=Trace)
    ends: list[Callable[[], None]] = field(default_factory=list)
    exchanges: list[tuple[int, Exchange]] | None = None
    """Numbered; None: nobody has asked for them."""


class OwnedDesk(Desk):
    """Readers that clients of `service` see; the owner's handles call this. Safe to use from several threads."""

    def __init__(self, service: Service) -> None:
        super().__init__()
        self._service = service
        self._slots: dict[int, _Slot] = {}
        self._held: dict[int, PoweredCard] = {}
        self._numbers = itertools.count(1)
        self._strange = itertools.count(-1, -1)
        self._exchange_numbers = itertools.count(1)
        self._bugs: list[tuple[int, Exception]] = []
        self.show_in(add=service.add_reader, remove=service.remove_reader)

    # --- the service

    def ping(self) -> None:
        """Nothing; but whoever calls it sees that there is an answer."""

    def clients_of(self, pid: int) -> int:
        return self._service.clients_of(pid)

    def go_away(self) -> None:
        self._service.go_away()

    def come_back(self) -> None:
        self._service.come_back()

    def set_failing(self, slot: int, failing: bool) -> None:
        self._service.set_failing(self._slots[slot].reader, failing)

    def bugs(self, after: int) -> list[tuple[int, str]]:
        """What cards have raised since the one of that number: numbers and exceptions, packed."""
        with self._lock:
            known = [bug for _, bug in self._bugs]
            number = self._bugs[-1][0] if self._bugs else 0
            new = [bug for bug in self._service.faults if not any(bug is one for one in known)]
            self._bugs = [*self._bugs, *enumerate(new, number + 1)][-len(self._service.faults) or None :]
            return [(number, packed_error(bug)) for number, bug in self._bugs if number > after]

    # --- readers

    def add(self, name: str) -> int:
        """Plugs an empty reader in; returns its number. PcscError if the name is taken."""
        slot = _Slot(Reader(name))
        slot.ends.append(slot.trace.follow(slot.reader))
        self._service.add_reader(slot.reader)
        with self._lock:
            number = next(self._numbers)
            self._slots[number] = slot
            self.readers.append(slot.reader)
        return number

    def remove(self, slot: int) -> None:
        """Unplugs it. PcscError if it is not plugged in."""
        self._service.remove_reader(self._slots[slot].reader)
        self.readers.remove(self._slots[slot].reader)

    def reader(self, slot: int, name: str, *args: object, **options: object) -> object:
        """Calls a method of a reader. Cards are numbers."""
        if name not in READER_CALLS:
            raise AttributeError(name)
        reader = self._slots[slot].reader
        if name in ("insert", "swap"):
            args = (self._held[args[0]],)  # type: ignore[index]
        result = getattr(reader, name)(*args, **options)
        return self._number_of(result) if name in ("eject", "swap") else result

    def look(self, slot: int) -> Situation:
        reader = self._slots[slot].reader
        events = reader.events
        card = reader.card
        return Situation(
            None if card is None else self._number_of(card),
            reader.atr,
            reader.is_powered,
            reader.insertions,
            reader.resets,
            events[-1].number if events else 0,
        )

    def idle_s(self, slot: int) -> float | None:
        return self._slots[slot].reader.idle_s

    def events(self, slot: int, after: int, wait_s: float = 0.0) -> list[ReaderEvent]:
        """The log from there on; waits so long for the first."""
        reader = self._slots[slot].reader
        if wait_s:
            reader.wait_for(lambda reader: bool(reader.events) and reader.events[-1].number > after, wait_s)
        return [event for event in reader.events if event.number > after]

    def exchanges(self, slot: int, after: int) -> list[tuple[int, Exchange]]:
        """What has passed since that number, from the first call on."""
        held = self._slots[slot]
        if held.exchanges is None:
            found: list[tuple[int, Exchange]] = []

            def note(exchange: Exchange) -> None:
                # Whole states stay here: they are large, and nobody asks for them there.
                found.append((next(self._exchange_numbers), replace(exchange, change=None)))
                del found[:-MAX_EXCHANGES]

            held.exchanges = found
            held.ends.append(held.reader.tap(note))
        return [one for one in list(held.exchanges) if one[0] > after]

    def give_pad(self, slot: int, ask: Ask | None, environment: dict[str, str]) -> None:
        """Builds a PIN pad in; None: takes it out. environment: the owner's, which may have what is typed."""
        os.environ.update(environment)
        reader = self._slots[slot].reader
        if ask is None:
            reader.controller = None
        else:
            PinPad(reader, ask)

    def close(self, slots: Iterable[int]) -> None:
        """Ends what a test had: its readers go, their cards come out, faults are forgotten. Raises what a card does."""
        with ExitStack() as last:
            last.callback(self._service.come_back)  # A fault may have made it go.
            for slot in (self._slots[number] for number in slots):
                for end in slot.ends:
                    last.callback(end)
                last.callback(_empty, slot.reader)
                if slot.reader in self.readers:
                    last.callback(self._take_away, slot.reader)

    def _take_away(self, reader: Reader) -> None:
        self.readers.remove(reader)
        self._service.remove_reader(reader)

    # --- traces and faults

    def entries(self, slot: int, after: int) -> list[Entry]:
        return list(self._slots[slot].trace.entries[after:])

    def trace_began(self, slot: int) -> float:
        return self._slots[slot].trace.began_s

    def clear_trace(self, slot: int) -> None:
        self._slots[slot].trace.clear()

    def inject(self, slot: int, faults: Iterable[tuple[str, Any, Any]]) -> None:
        """faults: each its line of English, its `when` and its `card`, which may be a number."""
        reader = self._slots[slot].reader
        inject(
            reader,
            *(
                Fault.parse(line, when=when, card=self._held[card] if isinstance(card, int) else card)
                for line, when, card in faults
            ),
        )

    def struck(self, slot: int) -> list[bool]:
        """Whether each fault has fired, in their order."""
        plan = self._plan(slot)
        fired = plan.fired if plan is not None else ()
        return [any(fault is one for one in fired) for fault in (plan.faults if plan is not None else ())]

    def check(self, slot: int) -> None:
        """UnfiredFaultError."""
        if (plan := self._plan(slot)) is not None:
            plan.check()

    def clear_faults(self, slot: int) -> None:
        if (plan := self._plan(slot)) is not None:
            plan.clear()

    def _plan(self, slot: int) -> Plan | None:
        plan = self._slots[slot].reader.line
        return plan if isinstance(plan, Plan) else None

    # --- cards

    def lay(self, number: int, card: PoweredCard) -> None:
        """A card has come from the owner, who calls it by that number; once more, if something was done to it there."""
        with self._lock:
            before = self._held.get(number)
            if before is None or all(slot.reader.card is not before for slot in self._slots.values()):
                self._held[number] = card

    def forget(self, slots: Iterable[int], cards: Iterable[int]) -> None:
        """The owner has no handles to these any more. A card that is in a reader stays there."""
        for number in slots:
            self._slots.pop(number, None)
        for number in cards:
            self._held.pop(number, None)

    def contents_of(self, number: int) -> dict[str, object]:
        """What an object of a class of the owner's has become: its attributes, but for the card inside."""
        return {name: value for name, value in vars(self._held[number]).items() if name not in _OF_SOFT_CARDS}

    def card(self, number: int, name: str, *args: Any) -> object:
        """Calls a method of a card, with no reader between, or reads an attribute."""
        found = getattr(_inside(self._held[number]), name)
        return found(*args) if callable(found) else found

    def outcome(self, number: int) -> Outcome | None:
        outcome: Outcome | None = _inside(self._held[number]).last_outcome
        return outcome

    def state(self, number: int) -> list[tuple[bytes, bytes]]:
        """What a card keeps: AIDs, and the states as an image has them."""
        card = _inside(self._held[number])
        return [(one.aid, one.encode(card.persistent.state(one.aid))) for one in card.applications]

    def restore(self, number: int, states: list[tuple[bytes, bytes]], env: Env | None) -> None:
        held, applications = self._held[number], {one.aid: one for one in _inside(self._held[number]).applications}
        persistent = Persistent(tuple((aid, applications[aid].decode(raw)) for aid, raw in states))
        _inside(held).restore(persistent, env)
        if env is not None and hasattr(held, "env"):
            held.env = env

    def env(self, number: int) -> Env:
        env: Env = _inside(self._held[number])._env
        return env

    def random_bytes(self, number: int, count: int) -> bytes:
        return self.env(number).random_bytes(count)

    def key(self, number: int, kind: KeyKind) -> PrivateKey:
        return self.env(number).key(kind)

    def touched(self, number: int, within_s: float) -> bool:
        return self.env(number).touched(within_s)

    def _number_of(self, card: object) -> int:
        """The owner's number of a card; a fault may have brought one that it has not seen: that has one below 0."""
        with self._lock:
            for number, one in self._held.items():
                if one is card:
                    return number
            number = next(self._strange)
            self._held[number] = card  # type: ignore[assignment]
            return number


CALLS = frozenset(name for name in vars(OwnedDesk) if not name.startswith("_"))
"""What the owner may call."""


def _inside(card: object) -> Any:
    """A card of `card_os`, which what holds it calls `card`; or any other card."""
    inner = getattr(card, "card", None)
    return inner if isinstance(inner, Card) else card


def _empty(reader: Reader) -> None:
    """The faults and the card of a reader go."""
    if isinstance(reader.line, Plan):
        reader.line.clear()
    if reader.card is not None:
        reader.eject()
