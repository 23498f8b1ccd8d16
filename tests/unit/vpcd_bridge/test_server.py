"""vpcd_bridge.server (and mute), against a vpcd of ours that calls, as with DEVICENAME host:port."""

import errno
import os
import queue
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from vpcd_bridge import Event, EventKind, Listener, Stop, VpcdUnavailable

ATR = bytes.fromhex("3B8D0180FBA000000397425446590201C9")
SECOND_ATR = bytes.fromhex("3B80800101")
SELECT = bytes.fromhex("00A4040000")
PATIENCE_S = 30.0  # How long a test waits for what must come; only a failing test ever waits so long.


class Card:
    """Answers 9000 to every APDU, or raises `fault`; remembers how its power was switched."""

    def __init__(self, atr: bytes = ATR) -> None:
        self.atr = atr
        self.power: list[str] = []
        self.fault: Exception | None = None

    def power_on(self) -> bytes:
        self.power.append("on")
        return self.atr

    def power_off(self) -> None:
        self.power.append("off")

    def reset(self) -> bytes:
        self.power.append("reset")
        return self.atr

    def transmit(self, command: bytes) -> bytes:
        if self.fault is not None:
            raise self.fault
        return b"\x90\x00"


class Call:
    """A connection that vpcd made to the card."""

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)

    def ask(self, body: bytes) -> bytes:
        self.sock.sendall(len(body).to_bytes(2, "big") + body)
        return self._exactly(int.from_bytes(self._exactly(2), "big"))

    def await_end(self) -> None:
        """Returns when the card has hung up."""
        with suppress(ConnectionResetError):  # It hung up with something unread: an end as well.
            assert self.sock.recv(1) == b""

    def close(self) -> None:
        self.sock.close()

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            piece = self.sock.recv(count - len(data))
            if not piece:
                raise EOFError("the card hung up")
            data += piece
        return data


class Running:
    """A listener in a thread of its own, what it has told, and the calls made to it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.stop = Stop()
        self.events: list[Event] = []
        self._news: queue.Queue[Event] = queue.Queue()
        self._calls: list[Call] = []

    def hear(self, event: Event) -> None:
        self.events.append(event)
        self._news.put(event)

    def await_event(self, kind: EventKind) -> Event:
        """The next event of this kind among those not yet awaited."""
        while True:  # Until there is one, or queue.Empty.
            event = self._news.get(timeout=PATIENCE_S)
            if event.kind is kind:
                return event

    def call(self, slot: int) -> Call:
        call = Call(self.port + slot)
        self._calls.append(call)
        return call

    def hang_up(self) -> None:
        for call in self._calls:
            call.close()


@contextmanager
def listening(card: Card, *, second: Card | None = None, silent_after_s: float = PATIENCE_S) -> Iterator[Running]:
    """A listener that has begun to listen; ends it."""
    run = Running(free_pair())
    address = ("127.0.0.1", run.port)
    listener = Listener(card, address, second=second, on_event=run.hear, silent_after_s=silent_after_s)
    thread = threading.Thread(target=listener.run, args=[run.stop])
    thread.start()
    try:
        run.await_event(EventKind.LISTENING)
        yield run
    finally:
        run.stop.set()
        thread.join(PATIENCE_S)
        run.hang_up()
    assert not thread.is_alive(), "the listener runs on"
    run.stop.close()


def free_pair() -> int:
    """The first of two neighbouring ports on which nobody listens, below those of outgoing calls."""
    first = 20000 + os.getpid() * 14 % 10000
    for port in range(first, 32766, 2):
        if refused(port) and refused(port + 1):
            return port
    raise AssertionError("no two free ports")


def refused(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED


@pytest.fixture
def card() -> Card:
    return Card()


def test_vpcd_that_calls_gets_the_card(card: Card) -> None:
    with listening(card) as run:
        call = run.call(0)
        assert call.ask(b"\x04") == ATR
        assert call.ask(SELECT) == b"\x90\x00"
        assert run.await_event(EventKind.READY).address == ("127.0.0.1", run.port)
    kinds = [event.kind for event in run.events]
    assert kinds == [EventKind.LISTENING, EventKind.CONNECTED, EventKind.READY]


def test_the_other_slot_is_mute_but_never_hangs_up(card: Card) -> None:
    with listening(card) as run:
        mute = run.call(1)
        for _ in range(3):
            atr = mute.ask(b"\x04")
            assert len(atr) > 33, "a real ATR would let programs connect"
        mute.sock.sendall(bytes.fromhex("000101 000102 000100"))
        assert mute.ask(SELECT) == b"\x6f\x00"
        assert run.call(0).ask(b"\x04") == ATR
        run.await_event(EventKind.READY)
    assert {event.address[1] for event in run.events} == {run.port}, "the mute slot is not worth a word"


def test_two_cards_are_served_at_once(card: Card) -> None:
    with listening(card, second=Card(SECOND_ATR)) as run:
        first, second = run.call(0), run.call(1)
        for _ in range(5):
            assert first.ask(b"\x04") == ATR
            assert second.ask(b"\x04") == SECOND_ATR
        assert run.await_event(EventKind.READY).address != run.await_event(EventKind.READY).address


def test_stop_hangs_up_and_powers_off(card: Card) -> None:
    second = Card(SECOND_ATR)
    with listening(card, second=second) as run:
        calls = [run.call(0), run.call(1)]
        for call in calls:
            call.ask(b"\x04")
        run.stop.set()
        for call in calls:
            call.await_end()
    assert card.power == ["off"]
    assert second.power == ["off"]


def test_vpcd_may_hang_up_and_call_again(card: Card) -> None:
    with listening(card) as run:
        call = run.call(0)
        call.ask(b"\x04")
        call.close()
        run.await_event(EventKind.LOST)
        assert card.power == ["off"]
        assert run.call(0).ask(b"\x04") == ATR


def test_a_caller_that_talks_rubbish_is_hung_up_on(card: Card) -> None:
    with listening(card) as run:
        rubbish = run.call(0)
        rubbish.sock.sendall(b"\x00\x00")
        rubbish.await_end()
        event = run.await_event(EventKind.PROTOCOL_ERROR)
        assert "empty frame" in event.text
        assert run.call(0).ask(b"\x04") == ATR


def test_a_caller_that_says_nothing_is_hung_up_on(card: Card) -> None:
    with listening(card, silent_after_s=0.05) as run:
        run.call(0).await_end()
        run.await_event(EventKind.SILENT)


def test_one_caller_at_a_time(card: Card) -> None:
    with listening(card) as run:
        first = run.call(0)
        first.ask(b"\x04")
        second = run.call(0)
        assert first.ask(SELECT) == b"\x90\x00"
        first.close()
        assert second.ask(b"\x04") == ATR


def test_a_card_that_raises_is_answered_for_and_told(card: Card) -> None:
    with listening(card) as run:
        card.fault = ZeroDivisionError()
        assert run.call(0).ask(SELECT) == b"\x6f\x00"
        assert run.await_event(EventKind.FAULT).error is card.fault


@pytest.mark.parametrize("slot", [0, 1])
def test_a_port_in_use_is_said_and_the_other_given_back(card: Card, slot: int) -> None:
    port = free_pair()
    listener = Listener(card, ("127.0.0.1", port), on_event=lambda event: None)
    with socket.create_server(("127.0.0.1", port + slot)), Stop() as stop:
        with pytest.raises(VpcdUnavailable, match=f"127.0.0.1:{port + slot}"):
            listener.run(stop)
        assert refused(port + 1 - slot)
