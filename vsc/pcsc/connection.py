"""One client's connection, as the engine sees it: what has arrived, what is under way, what is to be sent."""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

from vsc.pcsc.codes import OLDEST_MINOR, ReturnCode
from vsc.pcsc.errors import HangUp
from vsc.pcsc.messages import Notification
from vsc.pcsc.requests import Request, RequestParser
from vsc.pcsc.todo import Todo

MAX_UNSENT_BYTES = 1 << 20
"""A client that asks on and on and reads nothing is cut off here; one that reads never comes near."""


@dataclass(eq=False, slots=True)
class Connection:
    """SCardEstablishContext makes one connection; SCardCancel makes another, for one request."""

    minor: int = OLDEST_MINOR
    """Of the protocol, as the client said."""
    context: int | None = None
    parser: RequestParser = field(default_factory=RequestParser)
    request: Request | None = None
    task: Generator[Todo, Any, bytes] | None = None
    """The request under way, if it needs the world."""
    unsent: bytearray = field(default_factory=bytearray)
    is_waiting: bool = False
    """Registered for the next change (WAIT_READER_STATE_CHANGE)."""
    awaits_array: bool = False
    """4:6: between WAIT and the array. A notification now would be read as the array's size, so it is kept."""
    kept: Notification | None = None
    announced_entries: int | None = None
    """4:6: what GET_READERS_STATE_SIZE has said; the array that follows has as many."""
    may_go_on: bool = False
    """The request held back has a reason to look again."""
    must_go: bool = False
    """Whoever runs the engine shall hang up on it."""
    is_closed: bool = False

    def send(self, raw: bytes) -> None:
        self.unsent += raw
        if len(self.unsent) > MAX_UNSENT_BYTES:
            raise HangUp("replies are not read")

    def notify(self, rv: ReturnCode) -> None:
        """Ends the wait, once."""
        self.is_waiting = False
        note = Notification(rv=rv)
        if self.awaits_array:
            self.kept = note
        else:
            self.unsent += bytes(note)

    def array_sent(self) -> None:
        """From now on notifications go out; first the one kept."""
        self.awaits_array = False
        if self.kept is not None:
            self.unsent += bytes(self.kept)
            self.kept = None
