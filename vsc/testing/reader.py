"""A reader for tests: what is done to it can be seen by PC/SC clients when the call returns."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from vpcd_bridge.port import PoweredCard
from vsc.reader import DEFAULT_NAME, Reader

if TYPE_CHECKING:
    from vsc.faults import Fault, Plan


class VirtualReader(Reader):
    """A slot for one card, with everything that passes kept as a trace.

    settle: returns when clients see what has happened to the reader so far; by default there are no clients.
    trace: every command and its answer, decoded, PINs masked, since the reader was made.
    """

    def __init__(self, name: str = DEFAULT_NAME, *, settle: Callable[[], None] = lambda: None) -> None:
        from vsc.trace import Trace

        super().__init__(name)
        self._settle = settle
        self.trace = Trace()
        self._end_of_trace = self.trace.follow(self)
        self.plan: Plan | None = None
        """The faults that have been injected; None if there were none."""

    def insert(self, card: PoweredCard) -> None:
        super().insert(card)
        self._settle()

    def eject(self) -> PoweredCard:
        card = super().eject()
        self._settle()
        return card

    def swap(self, card: PoweredCard) -> PoweredCard:
        left = super().swap(card)
        self._settle()
        return left

    def reset(self, *, warm: bool = True, insertion: int | None = None) -> bytes:
        atr = super().reset(warm=warm, insertion=insertion)
        self._settle()
        return atr

    def inject(self, *faults: "Fault | str") -> "Plan":
        """Adds faults, as in `inject("sw 6F00 on VERIFY")`; returns the plan, which says what has fired.

        FaultSyntaxError. `docs/faults.md` has the grammar.
        """
        from vsc.faults import inject

        self.plan = inject(self, *faults)
        return self.plan

    def check(self) -> None:
        """UnfiredFaultError if a fault has not fired that should have."""
        if self.plan is not None:
            self.plan.check()

    def close(self) -> None:
        """Takes the card out, if there is one, and ends the trace and the faults. The trace can still be read."""
        if self.plan is not None:
            self.plan.clear()
        try:
            if self.card is not None:
                self.eject()
        finally:
            self._end_of_trace()
