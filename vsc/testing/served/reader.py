"""A reader there, as a reader here."""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any
from weakref import finalize

from vpcd_bridge.port import PoweredCard
from vsc.faults import Plan
from vsc.pinpad import PinPad
from vsc.profiles import PROFILES
from vsc.reader import CardRemovedError, Reader, ReaderEvent
from vsc.reader.exchange import Tap
from vsc.reader.name import checked_name
from vsc.serving.owner import ServiceEndedError, ServiceProcess
from vsc.serving.travel import TravelError
from vsc.testing.reader import VirtualReader
from vsc.testing.served.card import Cards, ServedCard
from vsc.testing.served.listeners import Listeners
from vsc.testing.served.plan import ServedPlan, ServedTrace

if TYPE_CHECKING:
    from vsc.serving.owned_desk import Situation

_POLL_S = 1.0


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
        self._lock = threading.Lock()
        self._listeners = Listeners(self)
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

    def saw(self, number: int, card: PoweredCard) -> None:
        """A card that may be in it one day."""
        self._seen[number] = card

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
        with self._lock:
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

    def watch_transactions(self, is_in_one: Callable[[], bool]) -> Callable[[], None]:
        raise TravelError("the reader is in another process, whose clients alone begin transactions in it")

    def used(self) -> None:
        self._do("used")

    @property
    def idle_s(self) -> float | None:
        idle_s: float | None = self.call("idle_s")
        return idle_s

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
        self.call("give_pad", None if pad is None else pad._ask, dict(os.environ))
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
        with suppress(ServiceEndedError):
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
