"""The faults of one reader: its `Line`, which lets them strike."""

import threading
from collections import Counter
from contextlib import suppress

from vpcd_bridge.port import PoweredCard
from vsc.faults.armed import Armed, claim, release
from vsc.faults.effect import Effect, Place
from vsc.faults.errors import FaultError, UnfiredFaultError
from vsc.faults.fault import Fault
from vsc.faults.move import move
from vsc.faults.pause import Pauses, Wait
from vsc.faults.selection import Selection
from vsc.faults.tearing import PowerCut, check_can_be_torn, cutting
from vsc.reader import (
    BrokenWireError,
    CardRemovedError,
    NotTransactedError,
    Reader,
    ReaderBusyError,
    ServiceGoneError,
    SharedError,
    reason_of,
)
from vsc.trace.decoder import carried_by, command_name

_IN_PLACE = (Effect.SW, Effect.ANSWER, Effect.MUTE)
"""Effects that keep the command from the card."""
_ON_THE_WAY_BACK = (Effect.REMOVE, Effect.LOSE, Effect.CUT, Effect.CLOSE, Effect.GARBLE)
_MOVES = (Effect.REMOVE, Effect.SWAP, Effect.RESET, Effect.STALL)
_REFUSALS = (Effect.SHARE, Effect.GONE)


class Plan:
    """The faults that wait in a reader. Safe to use from several threads.

    wait: waits so many seconds for `delay`; None: a wait that ends early when the card is taken out or the plan
    cleared. At one command each fault strikes that is due, but only one of them can be the answer: the first that was
    injected; another one waits for the next command.
    """

    def __init__(self, reader: Reader, *, wait: Wait | None = None) -> None:
        self._reader = reader
        self.wait = wait
        self._lock = threading.RLock()
        self._armed: list[Armed] = []
        self._selection = Selection()
        self._selection.reset(reader.card)
        self._seen: Counter[str] = Counter()
        self._returning: list[PoweredCard] = []
        self._pauses = Pauses()

    def __repr__(self) -> str:
        return f"<Plan for {self._reader.name!r}: {', '.join(map(str, self.faults)) or 'no faults'}>"

    @property
    def faults(self) -> tuple[Fault, ...]:
        """All of them, in the order in which they were injected."""
        with self._lock:
            return tuple(one.fault for one in self._armed)

    @property
    def fired(self) -> tuple[Fault, ...]:
        """Those that have struck, once or more."""
        with self._lock:
            return tuple(one.fault for one in self._armed if one.fired)

    @property
    def unfired(self) -> tuple[Fault, ...]:
        """Those that have not, without the optional ones."""
        with self._lock:
            return tuple(one.fault for one in self._armed if not one.fired and not one.fault.optional)

    def add(self, *faults: Fault | str) -> None:
        """Arms more faults. FaultSyntaxError; FaultError for a torn commit of a card in the reader that has none."""
        parsed = [_fault(one) for one in faults]
        card = self._reader.card
        if card is not None:
            check_can_be_torn(parsed, card, self._reader.name)
        with self._lock:
            self._armed += map(Armed, parsed)

    def check(self) -> None:
        """UnfiredFaultError if a fault has not struck that should have."""
        unfired = self.unfired
        if unfired:
            with self._lock:
                came = tuple(f"{name} ({count} times)" if count > 1 else name for name, count in self._seen.items())
            raise UnfiredFaultError(self._reader.name, tuple(map(str, unfired)), came)

    def clear(self) -> None:
        """Forgets all faults and what was counted, and ends delays under way."""
        with self._lock:
            self._armed.clear()
            self._seen.clear()
            self._pauses.end_all()

    # --- a Line

    def entering(self, reader: Reader, card: PoweredCard) -> None:
        """FaultError for a card without commits, if one of them is to be torn."""
        check_can_be_torn(self.faults, card, reader.name)

    def before(self, reader: Reader, command: bytes) -> str:
        """Strikes before the card's turn; returns what was done, in words. SharedError, ServiceGoneError."""
        with self._lock:
            self._seen[command_name(command, carried_by(self._reader.card))] += 1
            due = [*self._due(Place.BEFORE, command), *self._due(Place.BETWEEN, command)]
            moves = [one for one in due if one.fault.effect in _MOVES]
            refusals = [one for one in due if one.fault.effect in _REFUSALS][:1]
            claim(moves, refusals)
        try:
            done = [_reason(one.fault) for one in moves if self._move(reader, one)]
            for one in refusals:
                self._fire(one)
                if one.fault.effect is Effect.SHARE:
                    raise SharedError(_reason(one.fault))
                raise ServiceGoneError(_reason(one.fault), comes_back=one.fault.back)
            return "; ".join(done)
        finally:
            self._release(moves, refusals)

    def transmit(self, reader: Reader, command: bytes, card: PoweredCard) -> tuple[bytes, str]:
        """Gets the card's answer, or what the faults make of it."""
        with self._lock:
            due = self._due(Place.ON, command)
            delays = [one for one in due if one.fault.effect is Effect.DELAY]
            in_place = [one for one in due if one.fault.effect in _IN_PLACE][:1]
            on_the_way = [] if in_place else [one for one in due if one.fault.effect in _ON_THE_WAY_BACK][:1]
            claim(delays, in_place, on_the_way)
            ends = self._pauses.ends
        try:
            said = [self._delay(reader, one, ends) for one in delays]
            for one in in_place:
                return self._instead(one), _reason(one.fault)
            response = self._answer(reader, command, card)
            for one in on_the_way:
                return self._spoilt(reader, card, response, one), _reason(one.fault)
            return response, "; ".join(filter(None, [*said, reason_of(card) if said else ""]))
        finally:
            self._release(delays, in_place, on_the_way)

    def after(self, reader: Reader, command: bytes, response: bytes) -> None:
        """Strikes when the card has answered, and puts back what shall come back at once."""
        with self._lock:
            returning, self._returning = self._returning, []
            due = self._due(Place.AFTER, command) if response else []
            claim(due)
            for one in self._armed if response else ():
                one.is_answered(command)
        try:
            for card in returning:
                with suppress(ReaderBusyError):  # Somebody has put in another one meanwhile.
                    reader.insert(card)
            for one in due:
                self._move(reader, one)
        finally:
            self._release(due)

    def atr(self, reader: Reader, atr: bytes) -> bytes:
        """The ATR, or what a fault makes of it."""
        with self._lock:
            self._selection.reset(reader.card)
            due = [one for one in self._armed if one.fault.place is Place.RESET and one.counts()]
            if not due:
                return atr
            self._fire(due[0])
            value = due[0].fault.value
            return value if isinstance(value, bytes) else b""

    # --- striking

    def _due(self, place: Place, command: bytes) -> list[Armed]:
        """With the lock: the faults that strike at this command, of those that strike there."""
        application = self._selection.application(command)
        waiting = [one for one in self._armed if one.fault.place is place and not one.fault.effect.is_tear]
        waiting = [one for one in waiting if one.fault.effect is not Effect.STALL or self._has_stalled(one.fault)]
        return [one for one in waiting if one.is_due(command, application)]

    def _has_stalled(self, fault: Fault) -> bool:
        """Whether some host holds the card in a transaction, and has done nothing with it for so long."""
        idle_s = self._reader.idle_s
        assert isinstance(fault.value, int)
        return idle_s is not None and idle_s * 1000 >= fault.value

    def _fire(self, one: Armed) -> None:
        with self._lock:
            one.fired += 1

    def _release(self, *claimed: list[Armed]) -> None:
        with self._lock:
            release(*claimed)

    def _move(self, reader: Reader, one: Armed) -> bool:
        """Whether the fault has struck: without a card it waits for the next time."""
        is_done = move(one.fault, reader)
        if is_done:
            self._fire(one)
        return is_done

    def _delay(self, reader: Reader, one: Armed, ends: int) -> str:
        """CardRemovedError if the card was taken out meanwhile: it had not begun."""
        self._fire(one)
        assert isinstance(one.fault.value, int)
        if not self._pauses.wait(reader, one.fault.value / 1000, self.wait, ends):
            raise CardRemovedError(f"the card was taken out of {reader.name!r} before it began; {_reason(one.fault)}")
        return _reason(one.fault)

    def _instead(self, one: Armed) -> bytes:
        """What comes in place of the card's answer."""
        self._fire(one)
        if one.fault.effect is Effect.MUTE:
            raise NotTransactedError(_reason(one.fault))
        assert isinstance(one.fault.value, bytes)
        return one.fault.value

    def _answer(self, reader: Reader, command: bytes, card: PoweredCard) -> bytes:
        """The card's own answer, unless its power is cut. CardRemovedError then: a card without power is out."""
        with self._lock:
            application = self._selection.application(command)
            torn = [one for one in self._armed if one.fault.effect.is_tear and one.sees(command, application)]
        try:
            with cutting(card, torn, self._lock):
                response = card.transmit(command)
        except PowerCut as cut:
            fault = cut.args[0]
            self._take_out(reader, card, goes_back=fault.back)
            raise CardRemovedError(_reason(fault)) from None
        with self._lock:
            self._selection.note(command, response)
        return response

    def _take_out(self, reader: Reader, card: PoweredCard, *, goes_back: bool) -> None:
        """Ejects the card in the middle of its turn; it is powered off when that ends, and can come back then."""
        with suppress(CardRemovedError):
            if reader.card is not card:
                return  # Somebody else was faster.
            reader.eject()
            if goes_back:
                with self._lock:
                    self._returning.append(card)

    def _spoilt(self, reader: Reader, card: PoweredCard, response: bytes, one: Armed) -> bytes:
        """What becomes of an answer on its way back."""
        self._fire(one)
        fault = one.fault
        match fault.effect:
            case Effect.GARBLE:
                return bytes(byte ^ 0xFF for byte in response)
            case Effect.REMOVE:
                self._take_out(reader, card, goes_back=fault.back)
                raise CardRemovedError(_reason(fault))
            case Effect.LOSE:
                raise NotTransactedError(_reason(fault))
            case _:
                raise BrokenWireError(_reason(fault), cut_answer=response if fault.effect is Effect.CUT else b"")


def inject(reader: Reader, *faults: Fault | str, wait: Wait | None = None) -> Plan:
    """Has faults strike in a reader, beside those that wait there already; returns all of them.

    wait: see `Plan`; None: as it was. FaultSyntaxError; FaultError if something else stands in the reader's line, or
    a commit is to be torn of a card that has none.
    """
    with _injecting:
        plan = reader.line
        if plan is None:
            plan = Plan(reader)
        elif not isinstance(plan, Plan):
            raise FaultError(f"something else stands in the line of {reader.name!r}: there is no room for faults")
        plan.add(*faults)
        if wait is not None:
            plan.wait = wait
        reader.line = plan
        return plan


_injecting = threading.Lock()


def _fault(one: object) -> Fault:
    if isinstance(one, Fault):
        return one
    if isinstance(one, str):
        return Fault.parse(one)
    raise FaultError(f"a fault is a text, 'sw 6F00 on VERIFY' say, or a Fault, not {type(one).__name__}")


def _reason(fault: Fault) -> str:
    return f"fault: {fault}"
