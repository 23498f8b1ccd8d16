"""Readers in this process: cards go in and out, and everybody who looks sees the same.

A `Reader` is a slot for one card, with or without power. Every way to a card hangs on one: our own calls, the
connection shaped like pyscard's, the private PC/SC service and the bridge to vpcd.

    reader = Reader()
    reader.insert(card)
    reader.transmit(bytes.fromhex("00A4040000"))
    reader.eject()

Threads. Any method may be called from any thread, at any time, by observers and by a card that is computing, too.
There are two locks. The *state lock* of a reader guards what is in it, the log and the observers; it is held for a few
assignments and never while other code runs. The *turn* of a card makes calls on it come one at a time, wherever the
card is; it is held while the card computes (and is a flag, whose own lock is held as shortly as the state lock and
taken inside it). Whoever needs both waits for the turn first. `eject` and `swap` never wait for
the turn of the card that leaves: a command that runs is let run, its caller gets CardRemovedError in place of the
answer, and who waits for a turn behind it gets CardRemovedError at once. That card is powered off when its command
ends, and whoever inserts it again, here or in another reader, waits until then.

Observers are called with no lock held, one at a time, in the order of the events, by the thread that caused them;
when another thread is calling them already, or an observer causes an event itself, that thread calls them with it
next. So when `insert` returns, the reader has the card and `wait_for` has been woken; observers may be a moment later.

Taps hear of every command and its answer, with the card's turn held, so in the order in which the card answered: they
may keep what they hear, and must not call the card. A `Line` stands in the way of commands, for faults; what one of
those keeps from the card taps hear of without the card's turn.
"""

from vsc.reader.errors import (
    BrokenWireError,
    CardRemovedError,
    NotTransactedError,
    ReaderBusyError,
    ReaderError,
    ServiceGoneError,
    SharedError,
)
from vsc.reader.event import EventKind, ReaderEvent
from vsc.reader.exchange import Exchange, Tap, reason_of
from vsc.reader.line import Line
from vsc.reader.name import DEFAULT_NAME, MAX_NAME_BYTES, free_name
from vsc.reader.reader import MAX_LOG_EVENTS, Reader

__all__ = [
    "DEFAULT_NAME",
    "MAX_LOG_EVENTS",
    "MAX_NAME_BYTES",
    "BrokenWireError",
    "CardRemovedError",
    "EventKind",
    "Exchange",
    "Line",
    "NotTransactedError",
    "Reader",
    "ReaderBusyError",
    "ReaderError",
    "ReaderEvent",
    "ServiceGoneError",
    "SharedError",
    "Tap",
    "free_name",
    "reason_of",
]
