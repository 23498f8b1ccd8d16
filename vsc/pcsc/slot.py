"""One reader as PC/SC clients see it: its published state, the handles on it, and who may use the card.

The lock belongs to a handle, not to a client, and counts: BEGIN_TRANSACTION adds one, END_TRANSACTION takes one off.
Exclusive use is the same lock with a floor of one. Each handle carries a flag, `event`, that a reset or a removal
sets on all handles of the reader, and that only RECONNECT clears.
"""

import weakref
from collections.abc import Callable
from dataclasses import dataclass, field

from vsc.pcsc.codes import (
    CARD_MUTE,
    CARD_OFF,
    CARD_UP,
    EMPTY,
    EXCLUSIVE,
    FAILING,
    MAX_ATR_BYTES,
    SHARED_BY_NOBODY,
    Protocol,
    ReaderStateBit,
    ReturnCode,
)
from vsc.pcsc.connection import Connection
from vsc.pcsc.errors import Refused
from vsc.pcsc.messages import ReaderState, padded_name
from vsc.reader import CardRemovedError, EventKind, Reader, ReaderEvent

_RESETS = (EventKind.COLD_RESET, EventKind.WARM_RESET, EventKind.POWERED_OFF)


@dataclass(eq=False, slots=True)
class Handle:
    """What SCardConnect gives: one connection's hold on one reader."""

    number: int
    connection: Connection
    slot: "Slot | None"
    """None: the reader has been unplugged."""
    event: ReturnCode = ReturnCode.SUCCESS
    """SUCCESS, RESET_CARD or REMOVED_CARD."""

    def placed(self) -> "Slot":
        """The reader; Refused (INVALID_VALUE) when it has been unplugged."""
        if self.slot is None:
            raise Refused(ReturnCode.INVALID_VALUE)
        return self.slot

    def check_event(self) -> None:
        if self.event is not ReturnCode.SUCCESS:
            raise Refused(self.event)


@dataclass(eq=False)
class Slot:
    """A reader and what has become of it. The engine's lock guards it."""

    reader: Reader
    state: ReaderStateBit = EMPTY
    atr: bytes = b""
    protocol: Protocol = Protocol.UNDEFINED
    sharing: int = SHARED_BY_NOBODY
    event_counter: int = 0
    """Insertions and removals, modulo 65 536."""
    handles: set[Handle] = field(default_factory=set)
    owner: Handle | None = None
    depth: int = 0
    """How many transactions the owner has begun; in exclusive mode one more."""
    queue: list[Connection] = field(default_factory=list)
    """Whose request is held back until the lock is free, first come first."""
    calls: list[Handle] = field(default_factory=list)
    """For whom the card is working just now."""
    is_plugged: bool = True
    insertion: int = 0
    """Which of the reader's cards clients are shown; calls are for that card, or for none."""
    _seen: int = 0
    _unwatched: Callable[[], None] = lambda: None
    _entry: tuple[tuple[object, ...], bytes] | None = None

    def __post_init__(self) -> None:
        self.name = self.reader.name.encode()
        events = self.reader.events
        self._seen = events[-1].number if events else 0
        me = weakref.ref(self)  # A reader may outlive the services that it was in.
        self._unwatched = weakref.finalize(
            self, self.reader.watch_transactions(lambda: (slot := me()) is not None and slot.is_in_transaction)
        )
        self.insertion = self.reader.insertions
        self._card_is_in()
        if self.is_present:
            # It came once. And libpcsclite takes 0 for "not known" (SCardGetStatusChange, 1.9.9 and 2.5.1): a client
            # that waits would not be told when this card is swapped for another.
            self._count()

    # --- what happens to the reader

    def catch_up(self, note: Callable[[], None]) -> None:
        """Takes over what the reader has logged since the last time; calls `note` if clients must hear of it.

        The log is read, not the event that an observer was called with: a reset that a client asked for must have
        had its effects when the client is answered, and observers may be called a moment later, by another thread.
        """
        changed = False
        for event in self._news():
            changed |= self._apply(event)
            self._seen = event.number
        if changed:
            note()

    def _news(self) -> list[ReaderEvent]:
        new: list[ReaderEvent] = []
        for event in reversed(self.reader.events):
            if event.number <= self._seen:
                break
            new.append(event)
        new.reverse()
        return new

    def _apply(self, event: ReaderEvent) -> bool:
        """Returns whether waiting clients must hear of it: of cards that come and go, not of resets."""
        match event.kind:
            case EventKind.INSERTED:
                self._count()
                self.insertion = event.insertion
                self._card_is_in()
            case EventKind.EJECTED:
                self._count()
                self._card_is_out()
            case kind if kind in _RESETS:
                self.protocol = Protocol.UNDEFINED
                self.flag(ReturnCode.RESET_CARD)
                self._card_is_in()
                if kind is EventKind.POWERED_OFF and self.state & ReaderStateBit.PRESENT:
                    self.state = CARD_OFF
                return False
            case _:  # POWERED_ON
                self._card_is_in()
                return False
        return True

    def _count(self) -> None:
        self.event_counter = self.event_counter + 1 & 0xFFFF

    def _card_is_in(self) -> None:
        """A card counts as powered from insertion on: pcscd switches it on at once, we when it is first needed."""
        if self.state is FAILING:
            return
        try:
            atr = self.reader.atr_of(self.insertion)
        except CardRemovedError:
            return  # There is none, or it is gone again and the event that says so comes next.
        self.atr = atr[:MAX_ATR_BYTES]
        self.state = CARD_UP if atr else CARD_MUTE

    def _card_is_out(self) -> None:
        if self.state is not FAILING:
            self.state = EMPTY
        self.atr = b""
        self.protocol = Protocol.UNDEFINED
        self.flag(ReturnCode.REMOVED_CARD)
        self.free()

    def card_is_mute(self) -> None:
        """The card has not answered a reset."""
        self.atr = b""
        self.state = CARD_MUTE

    def fail(self, failing: bool) -> None:
        """The reader itself is out of order, or works again."""
        self.state = FAILING if failing else EMPTY
        self.atr = b""
        self.protocol = Protocol.UNDEFINED
        if not failing:
            self._card_is_in()

    def unplug(self) -> None:
        """The reader is taken away; its handles stay with their owners and lead nowhere."""
        self.is_plugged = False
        for handle in self.handles:
            handle.slot = None
        self.handles.clear()
        self.free()
        self._unwatched()

    def flag(self, event: ReturnCode) -> None:
        """RESET_CARD or REMOVED_CARD, on every handle; the later one counts, as in pcscd."""
        for handle in self.handles:
            handle.event = event

    # --- who may use it

    @property
    def is_present(self) -> bool:
        return bool(self.state & ReaderStateBit.PRESENT)

    def check_working(self) -> None:
        if self.state & ReaderStateBit.UNKNOWN:
            raise Refused(ReturnCode.READER_UNAVAILABLE)

    def check_sharing(self, handle: Handle) -> None:
        if self.owner is not None and self.owner is not handle:
            raise Refused(ReturnCode.SHARING_VIOLATION)

    def is_free_for(self, handle: Handle | None) -> bool:
        """Whether this handle may have the lock now: nobody else has it, or is in the middle of a command."""
        return self.owner in (None, handle) and all(one is handle for one in self.calls)

    @property
    def is_in_transaction(self) -> bool:
        return self.depth > self._least_depth

    @property
    def _least_depth(self) -> int:
        """Without a transaction."""
        return 1 if self.sharing == EXCLUSIVE else 0

    def lock(self, handle: Handle) -> None:
        self.owner = handle
        self.depth += 1
        self.reader.used()

    def unlock(self, handle: Handle) -> None:
        """Ends one transaction. Refused: NOT_TRANSACTED if there is none."""
        self.check_sharing(handle)
        if not self.is_in_transaction:
            raise Refused(ReturnCode.NOT_TRANSACTED)
        self.depth -= 1
        if self.depth == 0:
            self.owner = None

    def free(self) -> None:
        self.owner = None
        self.depth = 0

    # --- what clients read

    def entry(self) -> bytes:
        """READER_STATE, 184 bytes; built anew only when something has changed."""
        values = (self.event_counter, self.state, self.sharing, self.atr, self.protocol)
        if self._entry is None or self._entry[0] != values:
            raw = ReaderState(
                name=padded_name(self.name),
                event_counter=self.event_counter,
                state=int(self.state),
                sharing=self.sharing,
                atr=self.atr.ljust(MAX_ATR_BYTES, b"\0"),
                atr_bytes=len(self.atr),
                protocol=int(self.protocol),
            )
            self._entry = (values, bytes(raw))
        return self._entry[1]
