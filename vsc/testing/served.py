"""Handles to what is in the process that serves PC/SC to this one: readers, cards, traces and faults.

They are what `vsc.testing` has in this process, by the same names, and what is done to them is done there. A
`SoftCard` that is put into such a reader has its inside there from then on (`ServedCard`); any other object has a copy
there, and what that has become comes back when it leaves.
"""

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, cast
from weakref import finalize, ref

from card_os.card import Card, Outcome
from card_os.env import Env
from card_os.key import PrivateKey
from card_os.key_kind import KeyKind
from card_os.memory import Persistent
from vpcd_bridge.port import PoweredCard
from vsc.faults import Fault, Plan
from vsc.faults.pause import Wait
from vsc.pcsc.engine import MAX_FAULTS
from vsc.pcsc.errors import PcscError
from vsc.pinpad import PinPad
from vsc.profiles import PROFILES, Profile
from vsc.reader import CardRemovedError, Exchange, Reader, ReaderEvent
from vsc.reader.event import Subscription
from vsc.reader.exchange import Tap
from vsc.reader.name import checked_name
from vsc.serving.owner import ServiceProcess
from vsc.serving.travel import TravelError, unpacked
from vsc.testing.card import SoftCard
from vsc.testing.reader import VirtualReader
from vsc.trace import Entry, Trace
from vsc.unraisable import report

if TYPE_CHECKING:
    from vsc.serving.owned_desk import Situation

_POLL_S = 1.0


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
        def gone(_: object, forget: Callable[[int], None] = self._process.forgotten_cards.append) -> None:
            forget(number)

        try:
            return ref(card, gone)
        except TypeError:  # It has __slots__, and no place for that: it stays for good.
            return lambda: card


class ServedTrace(Trace):
    """The trace of a reader there."""

    def __init__(self, process: ServiceProcess, slot: int) -> None:
        super().__init__()
        self._process, self._slot = process, slot
        self._known: list[Entry] = []

    def follow(self, reader: Reader) -> Callable[[], None]:
        raise NotImplementedError("it follows its own reader; Trace() follows others")

    @property
    def entries(self) -> tuple[Entry, ...]:
        self._known += self._process.call("entries", self._slot, len(self._known))
        return tuple(self._known)

    def clear(self) -> None:
        self._process.call("clear_trace", self._slot)
        self._known.clear()


class ServedPlan(Plan):
    """The faults of a reader there."""

    def __init__(self, reader: "ServedReader", cards: Cards) -> None:
        self._served, self._cards = reader, cards
        self._own: list[Fault] = []

    def __repr__(self) -> str:
        return f"<Plan for {self._served.name!r}: {', '.join(map(str, self.faults)) or 'no faults'}>"

    @property
    def wait(self) -> Wait | None:
        return None

    @wait.setter
    def wait(self, wait: Wait | None) -> None:
        raise TravelError("the reader is in another process: how a delay is waited for cannot be changed")

    @property
    def faults(self) -> tuple[Fault, ...]:
        return tuple(self._own)

    @property
    def fired(self) -> tuple[Fault, ...]:
        return tuple(fault for fault, fired in self._struck() if fired)

    @property
    def unfired(self) -> tuple[Fault, ...]:
        return tuple(fault for fault, fired in self._struck() if not fired and not fault.optional)

    def add(self, *faults: Fault | str) -> None:
        parsed = [self._parsed(one) for one in faults]
        self._served.call("inject", [(str(one), one.when, self._card(one)) for one in parsed])
        self._own += parsed

    def check(self) -> None:
        if self._own:
            self._served.call("check")

    def clear(self) -> None:
        self._served.call("clear_faults")
        self._own.clear()

    def _struck(self) -> Iterable[tuple[Fault, bool]]:
        return zip(self._own, self._served.call("struck"), strict=True) if self._own else ()

    def _card(self, fault: Fault) -> object:
        """A card goes by its number, a function that gives one as it is."""
        if fault.card is None or callable(fault.card):
            return fault.card
        return self._cards.number_of(fault.card)

    @staticmethod
    def _parsed(one: Fault | str) -> Fault:
        from vsc.faults.plan import _fault

        return _fault(one)


class ServedReader(VirtualReader):
    """A reader there, plugged in. `PcscError` if its name is taken."""

    def __init__(self, name: str, process: ServiceProcess, cards: Cards) -> None:
        # Not Reader's own: all that it would set up here is there.
        self.name = checked_name(name)
        self._process, self._cards = process, cards
        self._slot: int = process.call("add", self.name)
        finalize(self, process.forgotten_slots.append, self._slot).atexit = False
        self._seen: dict[int, PoweredCard] = {}
        """The cards that have been put in here, by their numbers: who asks for the card is given the very object."""
        self._events: list[ReaderEvent] = []
        self._listeners = _Listeners(self)
        self._plan = ServedPlan(self, cards)
        self._pad: object = None
        self.trace = ServedTrace(process, self._slot)
        self.plan: Plan | None = None

    @property
    def slot(self) -> int:
        """Its number there."""
        return self._slot

    def call(self, name: str, *args: object, **options: object) -> Any:
        """Calls the desk there, about this reader."""
        return self._process.call(name, self._slot, *args, **options)

    def _do(self, name: str, *args: object, **options: object) -> Any:
        """Calls the reader there, and tells those who listen here what has come of it."""
        try:
            return self.call("reader", name, *args, **options)
        finally:
            self._listeners.catch_up()

    def _look(self) -> "Situation":
        situation: Situation = self.call("look")
        return situation

    def _card(self, number: int) -> PoweredCard:
        """The object that was put in; of a card that a fault has brought, a handle."""
        if number not in self._seen:
            atr = self._process.call("card", number, "atr")
            alike = next((one for one in PROFILES.values() if bytes(one.atr) == atr), next(iter(PROFILES.values())))
            self._seen[number] = ServedCard(self._process, number, alike)
        return self._seen[number]

    # --- what is in it

    def __repr__(self) -> str:
        return f"<Reader {self.name!r}, {'empty' if self.card is None else 'with a card'}>"

    @property
    def card(self) -> PoweredCard | None:
        number = self._look().card
        return None if number is None else self._card(number)

    @property
    def atr(self) -> bytes | None:
        return self._look().atr

    def atr_of(self, insertion: int | None) -> bytes:
        atr: bytes = self._do("atr_of", insertion)
        return atr

    @property
    def is_powered(self) -> bool:
        return self._look().is_powered

    @property
    def is_in_use_here(self) -> bool:
        return False

    @property
    def insertions(self) -> int:
        return self._look().insertions

    @property
    def resets(self) -> int:
        return self._look().resets

    @property
    def events(self) -> tuple[ReaderEvent, ...]:
        after = self._events[-1].number if self._events else 0
        self._events += self.call("events", after)
        return tuple(self._events)

    # --- what is done to it

    def insert(self, card: PoweredCard) -> None:
        number = self._cards.number_of(card)
        self._do("insert", number)
        self._seen[number] = card

    def eject(self) -> PoweredCard:
        return self._came_out(self._do("eject"))

    def swap(self, card: PoweredCard) -> PoweredCard:
        number = self._cards.number_of(card)
        left = self._do("swap", number)
        self._seen[number] = card
        return self._came_out(left)

    def _came_out(self, number: int) -> PoweredCard:
        card = self._card(number)
        self._cards.come_back(card)
        return card

    def power_on(self, *, only_if_off: bool = False, insertion: int | None = None) -> bytes:
        atr: bytes = self._do("power_on", only_if_off=only_if_off, insertion=insertion)
        return atr

    def power_off(self, *, insertion: int | None = None) -> None:
        self._do("power_off", insertion=insertion)

    def reset(self, *, warm: bool = True, insertion: int | None = None) -> bytes:
        atr: bytes = self._do("reset", warm=warm, insertion=insertion)
        return atr

    def announce(self, command: bytes) -> None:
        self._do("announce", bytes(command))

    def transmit(
        self, command: bytes, *, insertion: int | None = None, resets: int | None = None, announced: bool = False
    ) -> bytes:
        options = {"insertion": insertion, "resets": resets, "announced": announced}
        response: bytes = self._do("transmit", bytes(command), **options)
        return response

    def control(self, code: int, data: bytes) -> bytes | None:
        answer: bytes | None = self._do("control", code, bytes(data))
        return answer

    @property
    def controller(self) -> Callable[[int, bytes], bytes | None] | None:
        return None if self._pad is None else self.control

    @controller.setter
    def controller(self, controller: Callable[[int, bytes], bytes | None] | None) -> None:
        pad = getattr(controller, "__self__", None)
        if controller is not None and not isinstance(pad, PinPad):
            raise TravelError("the reader is in another process, where only a PinPad can answer control codes")
        self.call("give_pad", None if pad is None else pad._ask)
        self._pad = pad

    @property
    def line(self) -> Any:
        return self._plan

    @line.setter
    def line(self, line: object) -> None:
        if line is not self._plan:
            raise TravelError("the reader is in another process: only faults go into its line")

    def close(self) -> None:
        """Takes the reader away, with its card, and ends the faults. The trace can still be read."""
        self._process.call("close", [self._slot])
        self.ended()

    def ended(self) -> None:
        """It has been taken away."""
        self._listeners.end()
        for card in self._seen.values():
            self._cards.come_back(card)
        self._seen.clear()

    # --- who looks on

    def subscribe(self, observer: Callable[[ReaderEvent], None]) -> Callable[[], None]:
        return self._listeners.subscribe(observer)

    def tap(self, tap: Tap) -> Callable[[], None]:
        return self._listeners.tap(tap)

    def wait_for(self, condition: Callable[[Reader], bool], timeout_s: float | None = None) -> bool:
        deadline = None if timeout_s is None else monotonic() + timeout_s
        last = self._look().last
        while not condition(self):
            left_s = _POLL_S if deadline is None else min(_POLL_S, deadline - monotonic())
            if left_s <= 0:
                return False
            new = self.call("events", last, wait_s=left_s)
            last = new[-1].number if new else last
        return True

    def _present(self, insertion: int | None = None) -> Any:
        raise CardRemovedError(f"the card in {self.name!r} is in another process")


class _Listeners:
    """Observers and taps of a reader there. Those who do something to it here tell them before they return; of what
    others do a thread tells, as long as anybody listens."""

    def __init__(self, reader: ServedReader) -> None:
        self._reader = reader
        self._lock = threading.RLock()
        self._subscriptions: tuple[Subscription, ...] = ()
        self._taps: tuple[Tap, ...] = ()
        self._last_event = self._last_exchange = 0
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def subscribe(self, observer: Callable[[ReaderEvent], None]) -> Callable[[], None]:
        subscription = Subscription(observer)
        with self._lock:
            self._begin()
            self._subscriptions += (subscription,)

        def end() -> None:
            with self._lock:
                subscription.is_active = False
                self._subscriptions = tuple(one for one in self._subscriptions if one is not subscription)

        return end

    def tap(self, tap: Tap) -> Callable[[], None]:
        def mine(exchange: Exchange) -> None:
            tap(exchange)

        with self._lock:
            self._begin()
            if not self._taps:
                old = self._reader.call("exchanges", self._last_exchange)
                self._last_exchange = old[-1][0] if old else self._last_exchange
            self._taps += (mine,)

        def end() -> None:
            with self._lock:
                self._taps = tuple(one for one in self._taps if one is not mine)

        return end

    def _begin(self) -> None:
        if self._thread is None:
            self._last_event = self._reader._look().last
            self._thread = threading.Thread(target=self._run, name="vsc-listener", daemon=True)
            self._thread.start()

    def catch_up(self) -> None:
        """Tells what there is to tell."""
        if not self._subscriptions and not self._taps:
            return
        with self._lock:
            for event in self._reader.call("events", self._last_event):
                if event.number > self._last_event:
                    self._last_event = event.number
                    for subscription in self._subscriptions:
                        subscription.call(event)
            for number, exchange in self._reader.call("exchanges", self._last_exchange) if self._taps else ():
                if number > self._last_exchange:
                    self._last_exchange = number
                    for tap in self._taps:
                        _told(tap, exchange)

    def end(self) -> None:
        self._over.set()
        self._subscriptions, self._taps = (), ()

    def _run(self) -> None:
        from vsc.errors import VscError

        while not self._over.is_set():
            with suppress(VscError, KeyError):
                if self._taps:
                    self._over.wait(0.05)
                    self.catch_up()
                elif self._subscriptions:
                    self._reader.call("events", self._last_event, wait_s=_POLL_S)
                    self.catch_up()
                else:
                    self._over.wait(_POLL_S)
                continue
            return  # The reader, or the process, is gone.


def _told(tap: Tap, exchange: Exchange) -> None:
    try:
        tap(exchange)
    except Exception as error:
        report(error, tap)


class ServedService:
    """The PC/SC service there: what `vsc.pcsc.Service` is here. It has the readers that `new_reader` has made."""

    def __init__(self, process: ServiceProcess) -> None:
        self.process = process
        self._cards = Cards(process)
        self._readers: list[ServedReader] = []
        self._bugs: list[tuple[int, Exception]] = []

    @property
    def readers(self) -> tuple[ServedReader, ...]:
        return tuple(self._readers)

    def new_reader(self, name: str) -> ServedReader:
        """Plugs an empty reader in; when it returns, clients can see it. PcscError if its name is taken."""
        reader = ServedReader(name, self.process, self._cards)
        self._readers.append(reader)
        return reader

    def remove_reader(self, reader: VirtualReader) -> None:
        """Unplugs it, with its card. PcscError if it is not here."""
        if not isinstance(reader, ServedReader) or reader not in self._readers:
            raise PcscError(f"{reader.name!r} is not on this service")
        self._readers.remove(reader)
        reader.call("remove")

    def close(self, readers: Iterable[VirtualReader]) -> None:
        """Takes readers away, with their cards and faults: all of them, whatever a card raises at that."""
        served = [reader for reader in readers if isinstance(reader, ServedReader)]
        self._readers = [reader for reader in self._readers if reader not in served]
        try:
            self.process.call("close", [reader.slot for reader in served])
        finally:
            for reader in served:
                reader.ended()

    @property
    def faults(self) -> tuple[Exception, ...]:
        """The last exceptions of cards: bugs, for which clients were given 6F00."""
        after = self._bugs[-1][0] if self._bugs else 0
        new = [(number, unpacked(bug).again()) for number, bug in self.process.call("bugs", after)]
        self._bugs = [*self._bugs, *new][-MAX_FAULTS:]
        return tuple(bug for _, bug in self._bugs)

    @property
    def socket_path(self) -> Path:
        return self.process.socket_path

    @property
    def folder(self) -> Path:
        return self.process.socket_path.parent

    @property
    def environment(self) -> dict[str, str]:
        return self.process.environment

    def settle(self) -> None:
        """Returns when clients can see whatever has happened to the readers: there, every call does so."""
        self.process.call("ping")

    def come_back(self) -> None:
        self.process.call("come_back")

    def set_failing(self, reader: VirtualReader, failing: bool) -> None:
        """The reader is out of order (clients see SCARD_STATE_UNAVAILABLE), or works again."""
        if isinstance(reader, ServedReader):
            reader.call("set_failing", failing)

    def clients_of(self, pid: int) -> int:
        return self.process.clients_of(pid)

    def let_go(self) -> None:
        """Takes all readers away: a connection that is still open leads nowhere then, and waits for nobody."""
        self.close(self._readers)
        self.process.let_go()
