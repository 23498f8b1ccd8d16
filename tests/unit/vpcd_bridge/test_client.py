"""vpcd_bridge.client (and stop, dial, wire beneath it), against a vpcd of ours on real sockets."""

import errno
import os
import queue
import signal
import socket
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from vpcd_bridge import Bridge, Event, EventKind, ProtocolError, Stop, VpcdUnavailable, client
from vpcd_bridge.dial import dial, is_own_echo

ATR = bytes.fromhex("3B8D0180FBA000000397425446590201C9")
SELECT = bytes.fromhex("00A4040000")
PATIENCE_S = 30.0  # How long a test waits for what must come; only a failing test ever waits so long.


class Card:
    """Answers `response` to every APDU, or raises `fault`; remembers how its power was switched."""

    atr = ATR

    def __init__(self) -> None:
        self.power: list[str] = []
        self.response = b"\x90\x00"
        self.fault: Exception | None = None

    def power_on(self) -> bytes:
        self.power.append("on")
        return ATR

    def power_off(self) -> None:
        self.power.append("off")

    def reset(self) -> bytes:
        self.power.append("reset")
        return ATR

    def transmit(self, command: bytes) -> bytes:
        if self.fault is not None:
            raise self.fault
        return self.response


class Call:
    """vpcd's end of one connection."""

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(PATIENCE_S)
        self.sock = sock

    def send(self, body: bytes) -> None:
        self.sock.sendall(len(body).to_bytes(2, "big") + body)

    def ask(self, body: bytes) -> bytes:
        self.send(body)
        return self.answer()

    def answer(self) -> bytes:
        return self._exactly(int.from_bytes(self._exactly(2), "big"))

    def await_end(self) -> None:
        """Returns when the card has hung up."""
        with suppress(ConnectionResetError):  # It hung up with something unread: an end as well.
            assert self.sock.recv(1) == b""

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            piece = self.sock.recv(count - len(data))
            if not piece:
                raise EOFError("the card hung up")
            data += piece
        return data


class Vpcd:
    """Listens like vpcd, and does otherwise what the test says."""

    def __init__(self, port: int = 0, *, backlog: int = 8) -> None:
        self._door = socket.create_server(("127.0.0.1", port), backlog=backlog)
        self._door.settimeout(PATIENCE_S)
        self._calls: list[socket.socket] = []
        self.address: tuple[str, int] = self._door.getsockname()

    def accept(self) -> Call:
        sock, _ = self._door.accept()
        self._calls.append(sock)
        return Call(sock)

    def close(self) -> None:
        for sock in (*self._calls, self._door):
            sock.close()


class Running:
    """A bridge in a thread of its own, and what it has told."""

    def __init__(self, card: Card, address: tuple[str, int], **options: float | bool) -> None:
        self.events: list[Event] = []
        self.stop = Stop()
        self.error: BaseException | None = None
        self._news: queue.Queue[Event] = queue.Queue()
        bridge = Bridge(card, address, on_event=self._hear, **options)  # type: ignore[arg-type]
        self._thread = threading.Thread(target=self._run, args=[bridge])
        self._thread.start()

    def kinds(self) -> list[EventKind]:
        return [event.kind for event in self.events]

    def await_event(self, kind: EventKind) -> Event:
        """The next event of this kind among those not yet awaited."""
        while True:  # Until there is one, or queue.Empty.
            event = self._news.get(timeout=PATIENCE_S)
            if event.kind is kind:
                return event

    def join(self) -> None:
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive(), "the bridge runs on"

    def end(self) -> None:
        self.stop.set()
        self.join()
        self.stop.close()

    def _hear(self, event: Event) -> None:
        self.events.append(event)
        self._news.put(event)

    def _run(self, bridge: Bridge) -> None:
        try:
            bridge.run(self.stop)
        except Exception as error:
            self.error = error


@contextmanager
def running(card: Card, address: tuple[str, int], **options: float | bool) -> Iterator[Running]:
    """A running bridge; ends it, and fails the test on an error that the test did not take."""
    bridge = Running(card, address, **options)
    try:
        yield bridge
    finally:
        bridge.end()
    if bridge.error is not None:
        raise bridge.error


@pytest.fixture
def card() -> Card:
    return Card()


@pytest.fixture
def vpcd() -> Iterator[Vpcd]:
    peer = Vpcd()
    yield peer
    peer.close()


@pytest.fixture
def nobody() -> Iterator[tuple[str, int]]:
    """An address that is taken, but on which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()


def free_port() -> int:
    """A port below those Linux hands out to outgoing calls, so that it stays free while its owner is away."""
    first = 20000 + os.getpid() * 7 % 10000
    for port in range(first, 32768):
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED:
                return port
    raise AssertionError("no free port")


# --- serving -----------------------------------------------------------------------------------------------------


def test_the_card_is_in_the_reader_once_vpcd_asks_for_the_atr(card: Card, vpcd: Vpcd) -> None:
    with running(card, vpcd.address) as bridge:
        call = vpcd.accept()
        assert bridge.await_event(EventKind.CONNECTED).address == vpcd.address
        assert call.ask(b"\x04") == ATR
        bridge.await_event(EventKind.READY)
    assert bridge.kinds() == [EventKind.CONNECTED, EventKind.READY]


def test_polling_for_the_atr_between_apdus(card: Card, vpcd: Vpcd) -> None:
    with running(card, vpcd.address):
        call = vpcd.accept()
        for _ in range(20):
            assert call.ask(b"\x04") == ATR
        call.send(b"\x01")
        assert call.ask(SELECT) == b"\x90\x00"
        assert call.ask(b"\x04") == ATR
    assert card.power == ["on", "off"]


def test_frames_may_be_split_anywhere(card: Card, vpcd: Vpcd) -> None:
    with running(card, vpcd.address):
        call = vpcd.accept()
        call.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in bytes.fromhex("0001 04 0001 01") + b"\x00\x05" + SELECT + b"\x00\x01\x02":
            call.sock.sendall(bytes([byte]))
        assert call.answer() == ATR
        assert call.answer() == b"\x90\x00"
        assert call.ask(b"\x04") == ATR
    assert card.power == ["on", "reset", "off"]


def test_the_longest_messages_pass(card: Card, vpcd: Vpcd) -> None:
    card.response = bytes(0xFFFF)
    with running(card, vpcd.address):
        assert vpcd.accept().ask(bytes(0xFFFF)) == card.response


def test_a_peer_that_does_not_read_gets_every_answer_later(card: Card, vpcd: Vpcd) -> None:
    card.response = os.urandom(0xFFFF)
    with running(card, vpcd.address):
        call = vpcd.accept()
        for _ in range(200):
            call.send(SELECT)
        for _ in range(200):
            assert call.answer() == card.response


@pytest.mark.parametrize("fault", [ZeroDivisionError("a bug"), OSError(errno.ENOSPC, "the store failed")])
def test_a_card_that_raises_is_answered_for_and_goes_on(card: Card, vpcd: Vpcd, fault: Exception) -> None:
    with running(card, vpcd.address) as bridge:
        call = vpcd.accept()
        card.fault = fault
        assert call.ask(SELECT) == b"\x6f\x00"
        event = bridge.await_event(EventKind.FAULT)
        assert event.error is fault
        assert "in transmit" in "".join(traceback.format_exception(fault))
        assert str(fault) not in event.text
        card.fault = None
        assert call.ask(SELECT) == b"\x90\x00"


# --- the end -----------------------------------------------------------------------------------------------------


def test_stop_hangs_up_and_powers_off(card: Card, vpcd: Vpcd) -> None:
    with running(card, vpcd.address) as bridge:
        call = vpcd.accept()
        call.ask(b"\x04")
        call.send(b"\x01")
        call.ask(b"\x04")
        bridge.stop.set()  # The bridge waits without any limit of time: only the stop can wake it.
        call.await_end()
        bridge.join()
    assert card.power == ["on", "off"]


def test_stop_ends_a_bridge_whose_peer_does_not_read(card: Card, vpcd: Vpcd) -> None:
    card.response = bytes(0xFFFF)
    with running(card, vpcd.address) as bridge:
        call = vpcd.accept()
        call.ask(b"\x04")
        for _ in range(200):
            call.send(SELECT)
        bridge.end()


def test_stop_ends_the_wait_between_two_calls(
    card: Card, nobody: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_FIRST_DELAY_S", 3600.0)
    with running(card, nobody) as bridge:
        bridge.await_event(EventKind.WAITING)


def test_stop_ends_a_call_that_is_not_answered(card: Card) -> None:
    with full_vpcd() as address, running(card, address, silent_after_s=3600.0) as bridge:
        pass
    assert bridge.kinds() == []


def test_a_stop_set_before_the_start_ends_it_at_once(card: Card, vpcd: Vpcd) -> None:
    with Stop() as stop:
        stop.set()
        Bridge(card, vpcd.address, on_event=lambda event: None).run(stop)


def test_one_stop_ends_several_bridges(vpcd: Vpcd) -> None:
    with Stop() as stop:
        bridges = [Bridge(Card(), vpcd.address, on_event=lambda event: None) for _ in range(3)]
        threads = [threading.Thread(target=bridge.run, args=[stop]) for bridge in bridges]
        for thread in threads:
            thread.start()
        for _ in threads:
            assert vpcd.accept().ask(b"\x04") == ATR
        stop.set()
        for thread in threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


def test_a_signal_handler_may_set_the_stop(card: Card, vpcd: Vpcd) -> None:
    def peer() -> None:
        vpcd.accept().ask(b"\x04")
        signal.pthread_kill(main, signal.SIGUSR1)

    main = threading.get_ident()
    assert main == threading.main_thread().ident, "signals are handled in the main thread"
    with Stop() as stop:
        before = signal.signal(signal.SIGUSR1, lambda number, frame: stop.set())
        thread = threading.Thread(target=peer)
        thread.start()
        try:
            Bridge(card, vpcd.address, on_event=lambda event: None).run(stop)
        finally:
            signal.signal(signal.SIGUSR1, before)
            thread.join(PATIENCE_S)
        assert stop.is_set()


def test_setting_a_stop_again_and_late_is_harmless() -> None:
    stop = Stop()
    assert not stop.wait(0)
    stop.set()
    stop.set()
    assert stop.wait()
    stop.close()
    stop.close()
    stop.set()
    late = Stop()
    late.close()
    late.set()


# --- trouble -----------------------------------------------------------------------------------------------------


def test_a_restarted_vpcd_gets_the_card_back_and_it_is_told_once(card: Card) -> None:
    port = free_port()
    first = Vpcd(port)
    with running(card, first.address) as bridge:
        call = first.accept()
        call.ask(b"\x04")
        call.send(b"\x01")
        call.ask(b"\x04")
        first.close()
        bridge.await_event(EventKind.LOST)
        second = Vpcd(port)
        try:
            assert second.accept().ask(b"\x04") == ATR
            bridge.await_event(EventKind.READY)
        finally:
            second.close()
        bridge.await_event(EventKind.LOST)
    known, ready, lost = EventKind.CONNECTED, EventKind.READY, EventKind.LOST
    assert bridge.kinds() == [known, ready, lost, known, ready, lost]
    assert card.power == ["on", "off", "off"]


@pytest.mark.parametrize("rubbish", ["0000", "000103", "0001FF", "0001010000"])
def test_rubbish_ends_the_bridge_with_a_typed_error(card: Card, vpcd: Vpcd, rubbish: str) -> None:
    bridge = Running(card, vpcd.address)
    call = vpcd.accept()
    call.ask(b"\x04")
    call.sock.sendall(bytes.fromhex(rubbish))
    call.await_end()
    bridge.join()
    bridge.end()
    assert isinstance(bridge.error, ProtocolError)
    event = bridge.await_event(EventKind.PROTOCOL_ERROR)
    assert event.error is bridge.error
    assert str(bridge.error) in event.text
    assert card.power[-1] == "off"


def test_a_silent_vpcd_is_told_once_and_called_again(card: Card, vpcd: Vpcd) -> None:
    with running(card, vpcd.address, silent_after_s=0.1) as bridge:
        for _ in range(3):
            vpcd.accept().await_end()
        answer_until_ready(vpcd, bridge)
    kinds = bridge.kinds()
    assert kinds[:2] == [EventKind.CONNECTED, EventKind.SILENT]
    assert kinds.count(EventKind.SILENT) == 1
    assert "another card" in bridge.events[1].text


def answer_until_ready(vpcd: Vpcd, bridge: Running) -> None:
    """Asks every caller for its ATR until one answers: on a busy machine one may give up before."""
    while True:  # Until one answers; `accept` has a time limit.
        try:
            assert vpcd.accept().ask(b"\x04") == ATR
        except (EOFError, ConnectionError):
            continue
        bridge.await_event(EventKind.READY)
        return


def test_a_peer_that_never_finishes_a_message_counts_as_silent(card: Card, vpcd: Vpcd) -> None:
    with running(card, vpcd.address, silent_after_s=0.5) as bridge:
        call = vpcd.accept()
        call.sock.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
        assert "is it vpcd" in bridge.await_event(EventKind.SILENT).text
        call.await_end()


def test_nobody_listening_is_told_once_and_tried_again(card: Card) -> None:
    port = free_port()
    with running(card, ("127.0.0.1", port)) as bridge:
        assert f"127.0.0.1:{port}" in bridge.await_event(EventKind.WAITING).text
        vpcd = Vpcd(port)
        try:
            vpcd.accept().ask(b"\x04")
            bridge.await_event(EventKind.READY)
        finally:
            vpcd.close()
        bridge.await_event(EventKind.LOST)
    assert bridge.kinds().count(EventKind.WAITING) == 1


@pytest.mark.parametrize("timeout_s", [0.0, 0.2])
def test_nobody_listening_ends_the_bridge_when_asked_to(card: Card, nobody: tuple[str, int], timeout_s: float) -> None:
    bridge = Bridge(card, nobody, on_event=lambda event: None, connect_timeout_s=timeout_s)
    with Stop() as stop, pytest.raises(VpcdUnavailable, match=f"127.0.0.1:{nobody[1]}"):
        bridge.run(stop)


def test_a_call_that_is_not_answered_ends_the_bridge_when_asked_to(card: Card) -> None:
    with full_vpcd() as address, Stop() as stop, pytest.raises(VpcdUnavailable, match="timed out"):
        Bridge(card, address, on_event=lambda event: None, connect_timeout_s=0.1).run(stop)


def test_once_connected_a_bridge_never_gives_up(card: Card) -> None:
    port = free_port()
    first = Vpcd(port)
    with running(card, first.address, connect_timeout_s=0.0) as bridge:
        first.accept().ask(b"\x04")
        bridge.await_event(EventKind.READY)
        first.close()
        bridge.await_event(EventKind.LOST)
        second = Vpcd(port)
        try:
            second.accept().ask(b"\x04")
            bridge.await_event(EventKind.READY)
        finally:
            second.close()


# --- dialling ----------------------------------------------------------------------------------------------------


@contextmanager
def full_vpcd() -> Iterator[tuple[str, int]]:
    """The address of a listener whose queue is full: the kernel lets further calls ring."""
    door = socket.create_server(("127.0.0.1", 0), backlog=0)
    callers = [socket.socket() for _ in range(3)]
    try:
        for caller in callers:
            caller.setblocking(False)
            caller.connect_ex(door.getsockname())
        yield door.getsockname()
    finally:
        for sock in (*callers, door):
            sock.close()


def test_dial_gives_up_on_a_full_queue() -> None:
    with full_vpcd() as address, Stop() as stop, pytest.raises(TimeoutError):
        dial(address, stop, timeout_s=0.05)


def test_dial_reports_who_does_not_listen(nobody: tuple[str, int]) -> None:
    with Stop() as stop, pytest.raises(ConnectionRefusedError):
        dial(nobody, stop, timeout_s=PATIENCE_S)


def test_a_socket_connected_to_itself_is_told_from_a_peer(vpcd: Vpcd) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.connect(sock.getsockname())
        assert is_own_echo(sock)
    with socket.create_connection(vpcd.address) as sock:
        assert not is_own_echo(sock)


# --- TCP_QUICKACK ------------------------------------------------------------------------------------------------


def two_piece_round_trips_s(vpcd: Vpcd, *, quickack: bool) -> list[float]:
    """15 round trips, quickest first, with a peer that, like vpcd 3.3, sends length and body apart, with Nagle on."""
    with running(Card(), vpcd.address, quickack=quickack):
        call = vpcd.accept()
        # A connection starts out acknowledging at once; only after some exchanges does the delay set in.
        durations = [two_pieces_s(call) for _ in range(30)]
    return sorted(durations[15:])


def two_pieces_s(call: Call) -> float:
    began = time.perf_counter()
    call.sock.sendall(len(SELECT).to_bytes(2, "big"))
    call.sock.sendall(SELECT)
    assert call.answer() == b"\x90\x00"
    return time.perf_counter() - began


@pytest.mark.skipif(not hasattr(socket, "TCP_QUICKACK"), reason="TCP_QUICKACK is Linux's")
def test_quickack_takes_the_delay_out_of_messages_sent_in_two_pieces(vpcd: Vpcd) -> None:
    # Without it most wait for the kernel's timer. With it none does; but a busy machine may make any of them wait.
    without = two_piece_round_trips_s(vpcd, quickack=False)
    with_it = two_piece_round_trips_s(vpcd, quickack=True)
    assert with_it[2] < without[7] / 4, f"round trips in seconds: {with_it}, without TCP_QUICKACK: {without}"
