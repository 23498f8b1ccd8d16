"""The trace and the faults of a reader there."""

import threading
from collections.abc import Callable, Iterable

from vsc.faults import Fault, Plan
from vsc.faults.pause import Wait
from vsc.reader import Reader
from vsc.serving.owner import ServiceProcess
from vsc.serving.travel import TravelError
from vsc.testing.served.card import Cards
from vsc.testing.served.port import ReaderThere
from vsc.trace import Entry, Trace


class ServedTrace(Trace):
    """The trace of a reader there."""

    def __init__(self, process: ServiceProcess, slot: int) -> None:
        super().__init__()
        self._process, self._slot = process, slot
        self._known: list[Entry] = []
        self.began_s = process.call("trace_began", slot)
        self._lock = threading.Lock()

    def follow(self, reader: Reader) -> Callable[[], None]:
        raise NotImplementedError("it follows its own reader; Trace() follows others")

    @property
    def entries(self) -> tuple[Entry, ...]:
        with self._lock:
            self._known += self._process.call("entries", self._slot, len(self._known))
            return tuple(self._known)

    def clear(self) -> None:
        with self._lock:
            self._process.call("clear_trace", self._slot)
            self._known.clear()


class ServedPlan(Plan):
    """The faults of a reader there."""

    def __init__(self, reader: ReaderThere, cards: Cards) -> None:
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
        number = self._cards.number_of(fault.card)
        self._served.saw(number, fault.card)
        return number

    @staticmethod
    def _parsed(one: Fault | str) -> Fault:
        from vsc.faults.plan import _fault

        return _fault(one)
