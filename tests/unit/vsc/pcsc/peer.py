"""A client of the engine without a socket: it sends requests, does the engine's errands, and reads replies."""

from collections.abc import Sequence
from typing import Any, TypeVar

from bench.null_card import NullCard
from vsc.pcsc import messages as m
from vsc.pcsc.codes import Command, Disposition, Protocol, ReturnCode, ShareMode
from vsc.pcsc.connection import Connection
from vsc.pcsc.engine import Engine
from vsc.pcsc.todo import CardCall, HoldBack, Todo
from vsc.reader import Reader

Reply = TypeVar("Reply", bound=m.Message)
ANY = Protocol.T0 | Protocol.T1


def raw_request(command: int, body: bytes = b"", payload: bytes = b"", *, size: int | None = None) -> bytes:
    return bytes(m.Header(len(body) if size is None else size, command)) + body + payload


class Card(NullCard):
    """Answers 9000; notes what it was made to do. `broken`: raises instead."""

    def __init__(self, atr: bytes = NullCard.atr) -> None:
        self.atr = atr
        self.log: list[str] = []
        self.answer = b"\x90\x00"
        self.broken: set[str] = set()

    def _note(self, what: str) -> None:
        self.log.append(what)
        if what in self.broken:
            raise RuntimeError(what)

    def power_on(self) -> bytes:
        self._note("on")
        return self.atr

    def power_off(self) -> None:
        self._note("off")

    def reset(self) -> bytes:
        self._note("reset")
        return self.atr

    def transmit(self, command: bytes) -> bytes:
        self._note("transmit")
        return self.answer


class Peer:
    """One connection. `todo` is set while a request of it is held back."""

    def __init__(self, engine: Engine, *, minor: int = 4, context: bool = True) -> None:
        self.engine = engine
        self.connection: Connection = engine.connect()
        self.todo: Todo | None = None
        self.context = 0
        if context:
            assert self.ask(Command.VERSION, m.Version(4, minor)).rv == ReturnCode.SUCCESS
            self.context = self.ask(Command.ESTABLISH_CONTEXT, m.EstablishContext(2)).context

    @property
    def is_closed(self) -> bool:
        return self.connection.is_closed

    @property
    def is_held(self) -> bool:
        return self.todo is not None

    def send(self, raw: bytes) -> None:
        self._run(self.engine.receive(self.connection, raw))

    def read(self) -> bytes:
        """All that has been sent to this client since the last time."""
        raw = bytes(self.connection.unsent)
        self.connection.unsent.clear()
        return raw

    def ask(self, command: Command, body: Reply, payload: bytes = b"") -> Reply:
        self.send(raw_request(command, bytes(body), payload))
        return type(body).parse(self.read())

    def ask_more(self, command: Command, body: Reply, payload: bytes = b"") -> tuple[Reply, bytes]:
        """A reply with what follows it."""
        self.send(raw_request(command, bytes(body), payload))
        raw = self.read()
        return type(body).parse(raw[: body.SIZE]), raw[body.SIZE :]

    def go_on(self, *, timed_out: bool = False) -> None:
        """What the shell does when a held-back request may look again."""
        if self.todo is not None and (timed_out or self.connection.may_go_on):
            self._run(self.engine.resume(self.connection, timed_out))

    def hang_up(self) -> None:
        self._run(self.engine.hang_up(self.connection))

    def _run(self, todo: Todo | None) -> None:
        while isinstance(todo, CardCall):
            try:
                result: Any = todo.run()
            except Exception as error:
                todo = self.engine.resume(self.connection, error=error)
            else:
                todo = self.engine.resume(self.connection, result)
        assert todo is None or isinstance(todo, HoldBack)
        self.todo = todo

    # --- requests

    def connect(
        self, reader: Reader, mode: int = ShareMode.SHARED, protocols: int = ANY, *, context: int | None = None
    ) -> m.Connect:
        name = m.padded_name(reader.name.encode())
        return self.ask(Command.CONNECT, m.Connect(context or self.context, name, mode, protocols))

    def handle(self, reader: Reader, mode: int = ShareMode.SHARED) -> int:
        reply = self.connect(reader, mode, 0 if mode == ShareMode.DIRECT else ANY)
        assert reply.rv == ReturnCode.SUCCESS
        return reply.card

    def reconnect(self, card: int, mode: int = ShareMode.SHARED, protocols: int = ANY, how: int = 0) -> m.Reconnect:
        return self.ask(Command.RECONNECT, m.Reconnect(card, mode, protocols, how))

    def disconnect(self, card: int, how: int = Disposition.LEAVE) -> int:
        return self.ask(Command.DISCONNECT, m.Disconnect(card, how)).rv

    def begin(self, card: int) -> int:
        return self.ask(Command.BEGIN_TRANSACTION, m.BeginTransaction(card)).rv

    def begin_later(self, card: int) -> None:
        self.send(raw_request(Command.BEGIN_TRANSACTION, bytes(m.BeginTransaction(card))))

    def end(self, card: int, how: int = Disposition.LEAVE) -> int:
        return self.ask(Command.END_TRANSACTION, m.EndTransaction(card, how)).rv

    def status(self, card: int) -> int:
        return self.ask(Command.STATUS, m.Status(card)).rv

    def transmit(
        self, card: int, command: bytes = b"\0\0\0\0", *, protocol: int = Protocol.T1, room: int = 65_548
    ) -> tuple[m.Transmit, bytes]:
        body = m.Transmit(card, protocol, 16, len(command), protocol, 16, room)
        return self.ask_more(Command.TRANSMIT, body, command)

    def control(self, card: int, code: int, data: bytes = b"", room: int = 65_548) -> tuple[m.Control, bytes]:
        return self.ask_more(Command.CONTROL, m.Control(card, code, len(data), room), data)

    def attribute(self, card: int, attribute: int) -> m.GetSetAttribute:
        return self.ask(Command.GET_ATTRIB, m.GetSetAttribute(card, attribute))

    def set_attribute(self, card: int, attribute: int) -> m.GetSetAttribute:
        return self.ask(Command.SET_ATTRIB, m.GetSetAttribute(card, attribute))

    def states(self) -> list[m.ReaderState]:
        """The readers, free places left out."""
        self.send(raw_request(Command.GET_READERS_STATE))
        return states_in(self.read())

    def wait(self) -> list[m.ReaderState]:
        self.send(raw_request(Command.WAIT_READER_STATE_CHANGE))
        return states_in(self.read())


def states_in(raw: bytes) -> list[m.ReaderState]:
    size = m.ReaderState.SIZE
    assert len(raw) % size == 0
    entries: Sequence[m.ReaderState] = [m.ReaderState.parse(raw[at : at + size]) for at in range(0, len(raw), size)]
    return [entry for entry in entries if entry.name[0]]
