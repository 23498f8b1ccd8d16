"""The resource manager: what pcscd does between its sockets and its readers, without either.

Bytes of a client go into `receive`, replies appear in `Connection.unsent`. A request that needs the card, or must wait
for another client, comes out as a `Todo`; whoever runs the engine does it and calls `resume`. `take_news` says which
connections have something to send, may go on, or are closed: not only the one at hand, for one client's request
wakes others. So the engine never waits, never calls a card and knows neither threads nor sockets; one lock round
every call is all that several threads need.

Semantics are pcscd's (pcsc-lite 1.9.9 and 2.5.1: `winscard.c`, `winscard_svc.c`, `readerfactory.c`), except where
`docs/pcsc.md` lists a difference.
"""

import secrets
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from vsc.pcsc.codes import MAX_HANDLE, MAX_READERS_OLD, ReturnCode
from vsc.pcsc.commands import COMMANDS
from vsc.pcsc.connection import Connection
from vsc.pcsc.contexts import release_all
from vsc.pcsc.errors import HangUp, PcscError, Refused
from vsc.pcsc.messages import FREE_PLACE
from vsc.pcsc.requests import Request
from vsc.pcsc.slot import Handle, Slot
from vsc.pcsc.todo import HoldBack, Todo
from vsc.reader import Reader

MAX_READER_EVENTS = 0x7FFF
MAX_FAULTS = 100


class Engine:
    """Readers on one side, connections on the other.

    random_below: for handles and contexts; `secrets.randbelow` unless a test wants to know them.
    """

    def __init__(
        self,
        readers: Iterable[Reader] = (),
        *,
        random_below: Callable[[int], int] = secrets.randbelow,
    ) -> None:
        self._random_below = random_below
        self._news: dict[Connection, None] = {}
        self.places: list[Slot | None] = []
        """The array that clients read. It never shrinks: 4:6 clients cannot follow that."""
        self.contexts: dict[int, Connection] = {}
        self.handles: dict[int, Handle] = {}
        self.connections: set[Connection] = set()
        self.reader_events = 1
        self.is_away = False
        """Whether clients shall find nobody here."""
        self._counters: dict[bytes, int] = {}
        """The event counters of readers that have gone, by name: one of that name that comes later goes on from there.
        Otherwise nobody could tell a card in the new one from the card that was in the old one."""
        self.faults: deque[Exception] = deque(maxlen=MAX_FAULTS)
        """The last that cards have raised; they must not."""
        for reader in readers:
            self._place(reader)

    # --- readers

    def slot_named(self, name: bytes) -> Slot | None:
        return next((slot for slot in self.places if slot is not None and slot.name == name), None)

    def slot_of(self, reader: Reader) -> Slot:
        for slot in self.places:
            if slot is not None and slot.reader is reader:
                return slot
        raise PcscError(f"{reader.name!r} is not on this service")

    def add_reader(self, reader: Reader) -> None:
        """Plugs a reader in. PcscError if there is one of that name."""
        self._place(reader)
        self._readers_changed()

    def remove_reader(self, reader: Reader) -> None:
        """Unplugs a reader; handles on it lead nowhere from now on."""
        slot = self.slot_of(reader)
        self.places[self.places.index(slot)] = None
        self._counters[slot.name] = slot.event_counter
        slot.unplug()
        self.wake(slot)
        self._readers_changed()

    def catch_up(self, slot: Slot) -> None:
        """Takes over what has happened to a reader, and tells who waits for that."""
        if slot.is_plugged:
            slot.catch_up(self.signal)
            self.wake(slot)

    def catch_up_all(self) -> None:
        for slot in self.places:
            if slot is not None:
                self.catch_up(slot)

    def go_away(self, *, comes_back: bool) -> None:
        """All clients must go; new ones are not let in, unless the service comes back at once."""
        self.is_away = not comes_back
        for connection in self.connections:
            connection.must_go = True
            self.news_of(connection)

    def set_failing(self, reader: Reader, failing: bool) -> None:
        """The reader is out of order (READER_UNAVAILABLE, state UNKNOWN), or works again."""
        self.slot_of(reader).fail(failing)
        self.signal()

    def _place(self, reader: Reader) -> None:
        slot = Slot(reader)
        if self.slot_named(slot.name) is not None:
            raise PcscError(f"there is a reader {reader.name!r} already")
        if slot.name in self._counters:
            slot.event_counter = self._counters.pop(slot.name) + 1 & 0xFFFF
        if None in self.places:
            self.places[self.places.index(None)] = slot
        else:
            self.places.append(slot)

    def _readers_changed(self) -> None:
        self.reader_events = self.reader_events % MAX_READER_EVENTS + 1
        self.signal()

    # --- the array that clients read

    @property
    def entries(self) -> int:
        """How many entries a 4:6 client is told: at least what older ones get."""
        return max(MAX_READERS_OLD, len(self.places))

    def array(self, entries: int) -> bytes:
        raw = b"".join(slot.entry() if slot else FREE_PLACE for slot in self.places[:entries])
        return raw + FREE_PLACE * (entries - min(entries, len(self.places)))

    # --- connections

    def connect(self) -> Connection:
        """A client has come."""
        connection = Connection()
        self.connections.add(connection)
        return connection

    def receive(self, connection: Connection, data: bytes) -> Todo | None:
        """Takes what a client sent; returns what must be done before it can go on, None: wait for more bytes."""
        connection.parser.feed(data)
        return self._proceed(connection)

    def resume(self, connection: Connection, result: Any = None, error: BaseException | None = None) -> Todo | None:
        """Goes on with what came of a Todo: a result, or what was raised."""
        return self._proceed(connection, result, error)

    def hang_up(self, connection: Connection) -> Todo | None:
        """The client is gone, or must go: its handles are given back. The Todos that come out must still be done."""
        if connection.is_closed and connection not in self.connections:
            return None
        connection.is_closed = True
        connection.is_waiting = False
        if connection.task is not None:
            connection.task.close()
        self.connections.discard(connection)
        connection.request = None
        connection.task = release_all(self, connection)
        return self._proceed(connection)

    def take_news(self) -> list[Connection]:
        """The connections to look after: with bytes unsent, with leave to go on, or closed."""
        news, self._news = list(self._news), {}
        return news

    # --- what handlers use

    def news_of(self, connection: Connection) -> None:
        self._news[connection] = None

    def signal(self) -> None:
        """Something has changed: tells everybody who waits, and nobody waits any more."""
        for connection in self.connections:
            if connection.is_waiting:
                connection.notify(ReturnCode.SUCCESS)
                self.news_of(connection)

    def wake(self, slot: Slot) -> None:
        """Lets those in the queue for a reader look again."""
        for connection in slot.queue:
            connection.may_go_on = True
            self.news_of(connection)

    def new_number(self, taken: Iterable[int]) -> int:
        """A random number from 1 to 0x7FFFFFFF that is not taken: nobody can guess another client's handle."""
        while True:  # Of 2^31 numbers at most 40 000 are taken.
            number = 1 + self._random_below(MAX_HANDLE)
            if number not in taken:
                return number

    def fault(self, fault: Exception) -> None:
        """Keeps what a card has raised. The client gets an answer all the same."""
        self.faults.append(fault)

    # --- running requests

    def _proceed(self, connection: Connection, result: Any = None, error: BaseException | None = None) -> Todo | None:
        try:
            while True:  # Each turn takes a whole request of what was received.
                if connection.task is not None:
                    todo = self._step(connection, result, error)
                    if todo is not None:
                        return todo
                    result = error = None
                if connection.is_closed:
                    return None
                connection.request = connection.parser.next()
                if connection.request is None:
                    return None
                self._begin(connection, connection.request)
        except HangUp:
            return self.hang_up(connection)
        finally:
            if connection.unsent or connection.is_closed:
                self.news_of(connection)

    def _begin(self, connection: Connection, request: Request) -> None:
        """Runs a handler, or makes a task of it."""
        try:
            answer = COMMANDS[request.command](self, connection, request)
        except Refused as refusal:
            answer = self._refusal(request, refusal)
        if isinstance(answer, bytes):
            connection.send(answer)
        else:
            connection.task = answer

    def _step(self, connection: Connection, result: Any, error: BaseException | None) -> Todo | None:
        """Goes on with the task under way; None when it has been answered."""
        task = connection.task
        assert task is not None
        try:
            todo = task.throw(error) if error is not None else task.send(result)
        except StopIteration as end:
            answer: bytes = end.value
        except Refused as refusal:
            assert connection.request is not None
            answer = self._refusal(connection.request, refusal)
        else:
            if isinstance(todo, HoldBack):
                connection.may_go_on = False
            return todo
        connection.task = None
        if not connection.is_closed:
            connection.send(answer)
        return None

    @staticmethod
    def _refusal(request: Request, refusal: Refused) -> bytes:
        assert request.body is not None
        return bytes(request.body.refused(refusal.rv))
