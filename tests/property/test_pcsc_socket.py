"""Rogue clients on the real socket: the service stays up, another client is served all the while, nothing is kept."""

import gc
import itertools
import os
import socket
import threading
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.property.test_pcsc_engine import chunks, streams
from tests.unit.vsc.pcsc.peer import ANY, Card, raw_request
from vsc.pcsc import Service
from vsc.pcsc import messages as m
from vsc.pcsc.codes import Command, ShareMode
from vsc.pcsc.connection import Connection
from vsc.reader import Reader

DEADLINE_S = 20.0
KEPT_BYTES = 96 * 1024
"""What the service's own code may hold more at the end: one buffer for the next request, 64 KiB, and small caches."""
GROWTH_BYTES = 16 * 1024 * 1024
"""Of the whole process: half of what it would keep if it kept the requests."""


class Victim:
    """A client that behaves, on a reader that the streams do not name."""

    def __init__(self, service: Service) -> None:
        self.sock = connected(service)
        self._ask(Command.VERSION, m.Version(4, 4))
        context = m.EstablishContext.parse(self._ask(Command.ESTABLISH_CONTEXT, m.EstablishContext(2))).context
        body = m.Connect(context, m.padded_name(b"Victim"), ShareMode.EXCLUSIVE, ANY)
        card = m.Connect.parse(self._ask(Command.CONNECT, body)).card
        self._transmit = m.Transmit(card, 2, 16, 4, 2, 16, 100)

    def is_served(self) -> bool:
        reply = self._ask(Command.TRANSMIT, self._transmit, bytes(4), more=2)
        return reply[m.Transmit.SIZE :] == b"\x90\x00"

    def close(self) -> None:
        self.sock.close()

    def _ask(self, command: Command, body: m.Message, payload: bytes = b"", *, more: int = 0) -> bytes:
        self.sock.sendall(raw_request(command, bytes(body), payload))
        return self.sock.recv(len(bytes(body)) + more, socket.MSG_WAITALL)


def connected(service: Service) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(str(service.socket_path))
    sock.settimeout(DEADLINE_S)  # Not before: without blocking, connect() fails when many have yet to be let in.
    return sock


def attack(service: Service, victim: Victim, pieces: Sequence[bytes], *, reads: bool) -> None:
    """Sends all, unless it is hung up on first. reads: takes its replies to the last, else leaves them there."""
    with connected(service) as rogue:
        for piece in pieces:
            with suppress(BrokenPipeError, ConnectionResetError):
                rogue.sendall(piece)
            assert victim.is_served()
        if reads:
            with suppress(OSError):
                rogue.shutdown(socket.SHUT_WR)
            with suppress(ConnectionResetError):
                while rogue.recv(65_536):
                    pass


def end(service: Service, before: set[threading.Thread]) -> None:
    """Waits for the threads of clients that have left. Clients come in one by one, so when the last is in, all are."""
    with connected(service) as last:
        last.sendall(raw_request(Command.VERSION, bytes(m.Version(4, 4))))
        assert last.recv(m.Version.SIZE, socket.MSG_WAITALL)
    for thread in set(threading.enumerate()) - before:
        thread.join(DEADLINE_S)
        assert not thread.is_alive()


def held() -> tuple[int, int]:
    """File descriptors and threads of this process."""
    return len(os.listdir("/proc/self/fd")), threading.active_count()


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def service_bytes() -> int:
    """What code in vsc/pcsc has allocated and not given back. Readers have a log, which grows by design."""
    gc.collect()
    snapshot = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, "*/vsc/pcsc/*")])
    return sum(one.size for one in snapshot.statistics("filename"))


def connections_alive() -> int:
    gc.collect()
    return sum(isinstance(one, Connection) for one in gc.get_objects())


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setattr("vsc.pcsc.service._own_process", lambda: 0)  # Its clients are sockets of this very process.
    readers = [Reader(name) for name in ("R", "S", "Victim")]
    for reader in (readers[0], readers[2]):
        reader.insert(Card())
    service = Service(readers)
    with service:
        yield service
    assert service.faults == ()


@pytest.fixture
def victim(service: Service) -> Iterator[Victim]:
    with closing(Victim(service)) as victim:
        yield victim


def test_the_service_outlives_whatever_clients_send(service: Service, victim: Victim) -> None:
    numbers = itertools.count(2)
    service._engine._random_below = lambda _: next(numbers)  # Handles and contexts that streams can know.
    threads = set(threading.enumerate())

    @given(st.one_of(streams(), st.binary(max_size=400)), st.lists(st.integers(0, 5000), max_size=4), st.booleans())
    def fuzz(raw: bytes, cuts: list[int], reads: bool) -> None:
        nonlocal numbers
        numbers = itertools.count(2)
        attack(service, victim, chunks(raw, cuts), reads=reads)
        end(service, threads)

    tracemalloc.start()
    try:
        attack(service, victim, [b"\xff" * 100], reads=True)
        end(service, threads)
        before, bytes_before, alive_before = held(), service_bytes(), connections_alive()
        fuzz()
        assert held() == before
        assert service_bytes() - bytes_before < KEPT_BYTES
        assert connections_alive() <= alive_before
    finally:
        tracemalloc.stop()
    assert len(service._links) == len(service._engine.connections) == 1


def test_requests_cut_short_are_not_kept(service: Service, victim: Victim) -> None:
    """500 clients, one after the other, that announce 64 KiB and leave before the last byte: 32 MB, were it kept."""
    threads = set(threading.enumerate())
    request = raw_request(Command.TRANSMIT, bytes(m.Transmit(1, 2, 16, 65_548, 2, 16, 65_548)), bytes(65_548))

    def leave_early(times: int) -> None:
        for _ in range(times):
            attack(service, victim, [request[:-1]], reads=False)
        end(service, threads)

    leave_early(20)
    before, resident_before = held(), resident_bytes()
    leave_early(500)
    assert held() == before
    assert resident_bytes() - resident_before < GROWTH_BYTES
