"""The slot itself; `vsc.reader` says what it promises."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from time import monotonic

from card_os.memory import Persistent
from vpcd_bridge.port import PoweredCard
from vsc.errors import CardWasReset
from vsc.reader import part10
from vsc.reader.contents import Contents
from vsc.reader.errors import CardRemovedError, ReaderBusyError
from vsc.reader.event import EventKind, ReaderEvent, Subscription
from vsc.reader.exchange import Exchange, Tap, kept_by, reason_of
from vsc.reader.line import Line
from vsc.reader.name import DEFAULT_NAME, checked_name
from vsc.reader.turn import Insertion, is_owned, turn_of
from vsc.unraisable import report

MAX_LOG_EVENTS = 10_000


class Reader:
    """A slot for one card.

    name: as PC/SC clients see it, 1 to 127 bytes of printable UTF-8; ValueError otherwise.
    """

    def __init__(self, name: str = DEFAULT_NAME) -> None:
        self.name = checked_name(name)
        self.controller: Callable[[int, bytes], bytes | None] | None = None
        """What answers control codes, as a PIN pad does (`vsc.pinpad`); None: the reader is a plain slot."""
        self.line: Line[Reader] | None = None
        """What commands meet on their way to the card; None: nothing."""
        self._taps: tuple[Tap, ...] = ()
        self._changed = threading.Condition(threading.RLock())
        self._identity = object()
        self._inserted: Insertion | None = None
        self._insertions = 0
        self._last_number = 0
        self._log: deque[ReaderEvent] = deque(maxlen=MAX_LOG_EVENTS)
        self._subscriptions: tuple[Subscription, ...] = ()
        self._undelivered: deque[tuple[ReaderEvent, tuple[Subscription, ...]]] = deque()
        self._delivering = False
        self._transactions: tuple[Callable[[], bool], ...] = ()
        self._used_s = monotonic()

    def __repr__(self) -> str:
        return f"<Reader {self.name!r}, {'empty' if self._inserted is None else 'with a card'}>"

    @property
    def card(self) -> PoweredCard | None:
        """The card in the reader, None if it is empty."""
        inserted = self._inserted
        return inserted.turn.card if inserted else None

    @property
    def atr(self) -> bytes | None:
        """The answer to reset that the card gave last, with or without power; None if the reader is empty."""
        inserted = self._inserted
        return inserted.atr if inserted else None

    def atr_of(self, insertion: int | None) -> bytes:
        """The same, if the card of that insertion is in (None: any); CardRemovedError otherwise."""
        return self._present(insertion).atr

    @property
    def is_powered(self) -> bool:
        inserted = self._inserted
        return inserted is not None and inserted.is_powered

    @property
    def is_in_use_here(self) -> bool:
        """Whether this very thread is inside a command of the card, or of one of the locks.

        The second can only be seen by a finalizer that the garbage collector runs there. Neither can wait for a
        turn; whoever may be called by them asks first.
        """
        inserted = self._inserted
        return is_owned(self._changed) or (inserted is not None and inserted.turn.is_taken_here)

    @property
    def insertions(self) -> int:
        """How many times a card has been inserted, swaps included."""
        return self._insertions

    @property
    def resets(self) -> int:
        """How many times the card has been reset or lost power in this stay: what a host that saw less must be told."""
        inserted = self._inserted
        return inserted.resets if inserted else 0

    @property
    def events(self) -> tuple[ReaderEvent, ...]:
        """The log, oldest first: the last 10 000 events. Older ones are gone if the first number is not 1."""
        with self._changed:
            return tuple(self._log)

    def insert(self, card: PoweredCard) -> None:
        """Puts a card in, without power. Waits if the card is still busy with a command from before.

        ReaderBusyError if there is one already; ReaderError if the card is in another reader.
        """
        if self._inserted is not None:
            raise self._busy()
        with self._entering(card) as new, self._changed:
            if self._inserted is not None:
                raise self._busy()
            self._publish(new)
        self._deliver()

    def eject(self) -> PoweredCard:
        """Takes the card out, at once, even while it computes; returns it. CardRemovedError if there is none."""
        with self._changed:
            old = self._present()
            self._inserted = None
            self._record(EventKind.EJECTED)
            is_idle = old.turn.part(old)
        return self._left(old, is_idle=is_idle)

    def swap(self, card: PoweredCard) -> PoweredCard:
        """Takes the card out and puts another in, or the same again; returns the one that left.

        Two events, but nobody finds the reader empty between them. Waits for the card that comes, never for the one
        that leaves. CardRemovedError if there is none; ReaderError if the card that comes is in another reader.
        """
        self._present()
        with self._entering(card, again=True) as new, self._changed:
            old = self._present()
            self._record(EventKind.EJECTED)
            is_idle = old.turn.part(old)
            self._publish(new)
        return self._left(old, is_idle=is_idle)

    def power_on(self, *, only_if_off: bool = False, insertion: int | None = None) -> bytes:
        """Gives the card power; returns the ATR. CardRemovedError.

        On a powered card it is a warm reset, or with only_if_off nothing at all.
        insertion, here and below: only if the card is still the one of that insertion (`insertions` when it was
        met), CardRemovedError otherwise. A host that keeps a handle to a card needs it: the card may be swapped
        between its last look and this call.
        """
        return self._take_turn(self._ensure_power if only_if_off else self._warm_reset, insertion)

    def power_off(self, *, insertion: int | None = None) -> None:
        """Takes power away. Harmless without power, and without a card."""
        with suppress(CardRemovedError):
            self._take_turn(self._unpower, insertion)

    def reset(self, *, warm: bool = True, insertion: int | None = None) -> bytes:
        """Resets the card; returns the ATR. Warm keeps the power, cold takes it away and gives it back.

        On a card without power both are `power_on`. CardRemovedError.
        """
        return self._take_turn(self._warm_reset if warm else self._cold_reset, insertion)

    def announce(self, command: bytes) -> None:
        """A host is about to `transmit` this: lets the `line` act before the host's handle is looked at.

        For those who have handles to look at; all others need not call it. Raises what the line raises.
        """
        if self.line is None:
            return
        reason, started = "", monotonic()
        try:
            reason = self.line.before(self, command)
        except Exception as error:
            reason = str(error)
            raise
        finally:
            if reason and self._taps:
                self._tell(self._insertions, command, b"", reason, started)

    def transmit(
        self, command: bytes, *, insertion: int | None = None, resets: int | None = None, announced: bool = False
    ) -> bytes:
        """Sends one C-APDU; returns the R-APDU, SW included. One at a time: others wait.

        A card without power gets it first, as pcscd would have given it. CardRemovedError; with a `line`, what that
        raises. resets: only if the card has not been reset since (`resets` when it was met), CardWasReset otherwise.
        announced: `announce` has been called.
        """
        if not announced:
            self.announce(command)

        def send(inserted: Insertion) -> bytes:
            if resets is not None and inserted.resets != resets:
                raise CardWasReset(f"the card in {self.name!r} was reset by somebody else")
            self._ensure_power(inserted)
            return self._exchange(inserted, command)

        line, response = self.line, b""
        if line is None:
            return self._take_turn(send, insertion)
        try:
            response = self._take_turn(send, insertion)
        finally:
            line.after(self, command, response)
        return response

    def tap(self, tap: Tap) -> Callable[[], None]:
        """Has `tap` hear of each command and its answer from now on; returns what ends that.

        It is called with the card's turn, so in order, and must not call the card. What it raises goes to
        sys.unraisablehook: who looks on must not change what the host gets.
        """
        mine: Tap = partial(tap)  # An object of its own: the same function may tap twice.
        with self._changed:
            self._taps += (mine,)

        def end() -> None:
            with self._changed:
                self._taps = tuple(one for one in self._taps if one is not mine)

        return end

    def _exchange(self, inserted: Insertion, command: bytes) -> bytes:
        """Has the card answer, with its turn, and tells the taps."""
        card, response, reason, started = inserted.turn.card, b"", "", monotonic()
        kept = kept_by(card) if self._taps else None
        try:
            if self.line is None:
                response = card.transmit(command)
            else:
                response, reason = self.line.transmit(self, command, card)
        except Exception as error:
            reason = str(error)
            raise
        finally:
            self.used()
            if self._taps:
                # Whatever the card has said: of one that was taken out meanwhile the host gets no answer.
                is_out = self._inserted is not inserted
                reason = reason or (f"the card was taken out of {self.name!r}" if is_out else reason_of(card))
                now = None if kept is None else kept_by(card)
                # States are values: what was not committed anew is the same object.
                change = (kept, now) if kept is not None and now is not None and kept is not now else None
                self._tell(inserted.number, command, b"" if is_out else response, reason, started, change)
        return response

    def _tell(
        self,
        insertion: int,
        command: bytes,
        response: bytes,
        reason: str,
        started: float,
        change: tuple[Persistent, Persistent] | None = None,
    ) -> None:
        exchange = Exchange(self.name, insertion, command, response, reason, started, monotonic() - started, change)
        for tap in self._taps:
            try:
                tap(exchange)
            except Exception as error:
                report(error, tap)

    def subscribe(self, observer: Callable[[ReaderEvent], None]) -> Callable[[], None]:
        """Has `observer` called with each event from now on; returns what ends that.

        The same function may be subscribed twice. What it raises goes to sys.unraisablehook, and the others are
        called all the same. A call that runs when the subscription is ended still runs to its end.
        """
        subscription = Subscription(observer)
        with self._changed:
            self._subscriptions += (subscription,)

        def unsubscribe() -> None:
            with self._changed:
                subscription.is_active = False
                self._subscriptions = tuple(one for one in self._subscriptions if one is not subscription)

        return unsubscribe

    def wait_for(self, condition: Callable[["Reader"], bool], timeout_s: float | None = None) -> bool:
        """Waits until `condition(self)` holds: True; False when timeout_s ends first. None: for ever.

        The condition is asked at once and after events, with no lock held. It may miss what lasts shorter than one
        call of it; `insertions` and `events` forget nothing.
        """
        deadline = None if timeout_s is None else monotonic() + timeout_s
        while True:  # Until it is true, or time is up.
            seen = self._last_number
            if condition(self):
                return True
            left_s = None if deadline is None else deadline - monotonic()
            if left_s is not None and left_s <= 0:
                return False
            with self._changed:
                if self._last_number == seen:
                    self._changed.wait(left_s)

    def watch_transactions(self, is_in_one: Callable[[], bool]) -> Callable[[], None]:
        """For whatever lets hosts hold the card in a transaction: `is_in_one` says whether one does just now.

        Returns what ends that. Who begins a transaction calls `used`.
        """
        mine = partial(is_in_one)
        with self._changed:
            self._transactions += (mine,)

        def end() -> None:
            with self._changed:
                self._transactions = tuple(one for one in self._transactions if one is not mine)

        return end

    def used(self) -> None:
        """Something has happened in a transaction, or one was begun."""
        self._used_s = monotonic()

    @property
    def idle_s(self) -> float | None:
        """For how long nothing has happened in the transaction that some host has; None if nobody has one."""
        if not any(is_in_one() for is_in_one in self._transactions):
            return None
        return monotonic() - self._used_s

    def control(self, code: int, data: bytes) -> bytes | None:
        """What the reader itself answers to a control code (SCardControl); None: it does not know the code."""
        answer = None if self.controller is None else self.controller(code, data)
        return part10.control(code) if answer is None else answer

    def as_powered_card(self, *, insertion: int | None = None) -> PoweredCard:
        """Whatever card is in the reader, seen as one card, or with `insertion` only the card of that stay.

        Without it, all but power_off raise CardRemovedError.
        """
        return Contents(self, insertion)

    def _present(self, insertion: int | None = None) -> Insertion:
        inserted = self._inserted
        if inserted is None:
            raise CardRemovedError(f"there is no card in {self.name!r}")
        if insertion is not None and inserted.number != insertion:
            raise CardRemovedError(f"the card was taken out of {self.name!r}, and another put in")
        return inserted

    def _busy(self) -> ReaderBusyError:
        return ReaderBusyError(f"there is a card in {self.name!r} already")

    @contextmanager
    def _entering(self, card: PoweredCard, *, again: bool = False) -> Iterator[Insertion]:
        """Holds the turn of a card on its way in; if it does not get in, the card is as if it had just left."""
        if self.line is not None:
            self.line.entering(self, card)
        new = Insertion(turn_of(card), self.name, self._identity)
        new.turn.enter(new, again=again)
        try:
            card.power_off()  # Whatever it was used for before: it comes without power.
            new.atr = card.atr
            yield new
        except BaseException:
            new.turn.part(new)
            raise
        finally:
            new.turn.end(new)

    def _left(self, old: Insertion, *, is_idle: bool) -> PoweredCard:
        """Ends what is to be ended when a card is out: its power, unless the command that runs does it."""
        try:
            if is_idle:
                old.turn.end(old)
        finally:
            # Ejected by its own command, which has not ended: then the events are delivered when it has.
            if not old.turn.is_taken_here:
                self._deliver()
        return old.turn.card

    def _take_turn(self, work: Callable[[Insertion], bytes], insertion: int | None) -> bytes:
        """Runs `work` with the card to itself; CardRemovedError, whatever came of it, if the card was taken out."""
        inserted = self._present(insertion)
        turn = inserted.turn
        turn.begin(inserted)
        failure: Exception | None = None
        result = b""
        try:
            result = work(inserted)
        except Exception as error:
            failure = error
        finally:
            is_removed = turn.end(inserted)
            if self._undelivered:
                self._deliver()
        if is_removed:
            raise CardRemovedError(f"the card was taken out of {self.name!r}") from failure
        if failure is not None:
            raise failure
        return result

    def _ensure_power(self, inserted: Insertion) -> bytes:
        if inserted.is_powered:
            return inserted.atr
        return self._note(inserted, EventKind.POWERED_ON, atr=inserted.turn.card.power_on())

    def _unpower(self, inserted: Insertion) -> bytes:
        if inserted.is_powered:
            inserted.turn.card.power_off()
            self._note(inserted, EventKind.POWERED_OFF, atr=inserted.atr)
        return b""

    def _warm_reset(self, inserted: Insertion) -> bytes:
        if not inserted.is_powered:
            return self._ensure_power(inserted)
        return self._note(inserted, EventKind.WARM_RESET, atr=inserted.turn.card.reset())

    def _cold_reset(self, inserted: Insertion) -> bytes:
        if not inserted.is_powered:
            return self._ensure_power(inserted)
        inserted.turn.card.power_off()
        return self._note(inserted, EventKind.COLD_RESET, atr=inserted.turn.card.power_on())

    def _note(self, inserted: Insertion, kind: EventKind, *, atr: bytes) -> bytes:
        """Writes down what the card was made to do, unless it has left meanwhile. Returns the ATR."""
        if self.line is not None and kind is not EventKind.POWERED_OFF:
            atr = self.line.atr(self, atr)
        with self._changed:
            if self._inserted is inserted:
                inserted.atr = atr
                inserted.is_powered = kind is not EventKind.POWERED_OFF
                inserted.resets += kind is not EventKind.POWERED_ON
                self._record(kind)
        return atr

    def _publish(self, new: Insertion) -> None:
        """With the state lock: the card is in."""
        self._insertions += 1
        new.number = self._insertions
        self._inserted = new
        self._record(EventKind.INSERTED)

    def _record(self, kind: EventKind) -> None:
        """With the state lock: writes the log, wakes those who wait."""
        event = ReaderEvent(self._last_number + 1, self.name, kind, self._insertions)
        self._last_number = event.number
        self._log.append(event)
        if self._subscriptions:
            self._undelivered.append((event, self._subscriptions))
        self._changed.notify_all()

    def _deliver(self) -> None:
        """Calls the observers with what has happened, unless another thread is at it, or this one further up."""
        while True:  # Until everything is delivered.
            with self._changed:
                if self._delivering or not self._undelivered:
                    return
                self._delivering = True
                event, subscriptions = self._undelivered.popleft()
            try:
                for subscription in subscriptions:
                    subscription.call(event)
            finally:
                with self._changed:
                    self._delivering = False
