"""Which I/O model for the PC/SC service? `python -m bench.pcsc_io`: threads, selectors and asyncio, side by side.

All run the same engine. The service as shipped has a thread for each client. The two spikes here have one loop, with
cards called by the loop itself (`inline`) or by a pool of threads (`pool`), so that a slow card does not stop it.

- APDUs a second: one libpcsclite client and a card that does nothing, both on one core, on two, and unpinned.
- Waits in milliseconds, while another client has RSA-4096 keys made all the time: an APDU on another reader, a
  notification (from the request that causes it to its arrival), a cancel. Clients are sockets in this process.

All in turns, so that whatever else the machine does hits all alike; median, lowest and highest of the rounds.
"""

import asyncio
import os
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

from bench.null_card import NullCard
from vsc.pcsc import Service
from vsc.pcsc import messages as m
from vsc.pcsc.codes import Command, ShareMode
from vsc.pcsc.connection import Connection
from vsc.pcsc.engine import Engine
from vsc.pcsc.todo import CardCall, Todo
from vsc.reader import Reader
from vsc.world import SystemEnv

KINDS = ("threads", "selectors, inline", "selectors, pool", "asyncio, inline", "asyncio, pool")
ROUNDS = 5
APDUS = 4000
SAMPLES = 1000
R = TypeVar("R", bound=m.Message)


class BusyCard(NullCard):
    """Makes an RSA-4096 key for each command: what GENERATE ASYMMETRIC KEY PAIR costs, and no more."""

    def transmit(self, command: bytes) -> bytes:
        SystemEnv().rsa_key(4096)
        return b"\x90\x00"


def readers() -> list[Reader]:
    found = [Reader("Null"), Reader("Other"), Reader("Busy")]
    for reader in found:
        reader.insert(BusyCard() if reader.name == "Busy" else NullCard())
    return found


# --- the spikes


class SelectorsSpike:
    """One thread, one selector."""

    def __init__(self, path: str, *, pool: bool) -> None:
        self.engine = Engine(readers())
        self.pool = ThreadPoolExecutor(4) if pool else None
        self.selector = selectors.DefaultSelector()
        self.links: dict[Connection, socket.socket] = {}
        self.done: list[tuple[Connection, Future[Any]]] = []
        self.bell, self.ring = socket.socketpair()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(128)
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.selector.register(self.bell, selectors.EVENT_READ)

    def run(self) -> None:
        while True:  # Until the process is ended.
            for key, _ in self.selector.select():
                if key.fileobj is self.listener:
                    sock, _ = self.listener.accept()
                    connection = self.engine.connect()
                    self.links[connection] = sock
                    self.selector.register(sock, selectors.EVENT_READ, connection)
                elif key.fileobj is self.bell:
                    self.bell.recv(1)
                    connection, future = self.done.pop(0)
                    self.step(connection, self.finish(connection, future))
                else:
                    connection, sock = key.data, self.links[key.data]
                    data = sock.recv(65_536)
                    if data:
                        self.step(connection, self.engine.receive(connection, data))
                    else:
                        self.selector.unregister(sock)
                        self.step(connection, self.engine.hang_up(connection))
                        self.links.pop(connection).close()

    def finish(self, connection: Connection, future: Future[Any]) -> Todo | None:
        return self.engine.resume(connection, future.result())

    def step(self, connection: Connection, todo: Todo | None) -> None:
        while isinstance(todo, CardCall):
            if self.pool is not None:
                future = self.pool.submit(todo.run)
                future.add_done_callback(lambda future: self.tell(connection, future))
                break
            todo = self.engine.resume(connection, todo.run())
        for one in self.engine.take_news():
            if one.unsent and one in self.links:
                self.links[one].sendall(one.unsent)
                one.unsent.clear()

    def tell(self, connection: Connection, future: Future[Any]) -> None:
        self.done.append((connection, future))
        self.ring.send(b"x")


class AsyncioSpike(asyncio.Protocol):
    """One event loop, a Protocol for each client."""

    engine: Engine
    pool: ThreadPoolExecutor | None
    links: dict[Connection, asyncio.Transport]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.connection = self.engine.connect()
        self.links[self.connection] = transport

    def data_received(self, data: bytes) -> None:
        self.step(self.engine.receive(self.connection, data))

    def connection_lost(self, exc: Exception | None) -> None:
        self.step(self.engine.hang_up(self.connection))
        del self.links[self.connection]

    def step(self, todo: Todo | None) -> None:
        while isinstance(todo, CardCall):
            if self.pool is not None:
                future = asyncio.get_running_loop().run_in_executor(self.pool, todo.run)
                future.add_done_callback(lambda done: self.step(self.engine.resume(self.connection, done.result())))
                break
            todo = self.engine.resume(self.connection, todo.run())
        for one in self.engine.take_news():
            if one.unsent and one in self.links:
                self.links[one].write(bytes(one.unsent))
                one.unsent.clear()


async def run_asyncio(path: str, *, pool: bool) -> None:
    AsyncioSpike.engine = Engine(readers())
    AsyncioSpike.pool = ThreadPoolExecutor(4) if pool else None
    AsyncioSpike.links = {}
    server = await asyncio.get_running_loop().create_unix_server(AsyncioSpike, path)
    print(path, flush=True)
    await server.serve_forever()


def serve(kind: str, folder: str) -> None:
    """Ends with SIGTERM."""
    path = f"{folder}/socket"
    if kind == "threads":
        service = Service(readers())
        service.start()
        print(service.socket_path, flush=True)
        sys.stdin.read()
        service.stop()
    elif kind.startswith("selectors"):
        spike = SelectorsSpike(path, pool=kind.endswith("pool"))
        print(path, flush=True)
        spike.run()
    else:
        asyncio.run(run_asyncio(path, pool=kind.endswith("pool")))


@contextmanager
def server(kind: str, cores: set[int] | None) -> Iterator[str]:
    """A server in a process of its own, on these cores; yields the path of its socket."""
    with tempfile.TemporaryDirectory(prefix="vsc-bench-") as folder:
        command = [sys.executable, "-m", "bench.pcsc_io", "serve", kind, folder]
        process = subprocess.Popen(pinned(command, cores), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            if kind != "threads":
                process.terminate()
            process.communicate(timeout=30)


def pinned(command: list[str], cores: set[int] | None) -> list[str]:
    return ["taskset", "-c", ",".join(map(str, cores)), *command] if cores else command


# --- what is measured


def apdus_per_second(kind: str, server_cores: set[int] | None, client_cores: set[int] | None) -> float:
    with server(kind, server_cores) as path:
        command = [sys.executable, "-m", "bench.pcsc_client", "Null", "00CA000000", str(APDUS)]
        env = {**os.environ, "PCSCLITE_CSOCK_NAME": path}
        done = subprocess.run(pinned(command, client_cores), env=env, capture_output=True, text=True, check=True)
        return APDUS / float(done.stdout)


class Client:
    """The protocol on a socket."""

    def __init__(self, path: str) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)
        self.ask(Command.VERSION, m.Version(4, 4))
        self.context = self.ask(Command.ESTABLISH_CONTEXT, m.EstablishContext(2)).context

    def send(self, command: Command, body: bytes = b"", payload: bytes = b"") -> None:
        self.sock.sendall(bytes(m.Header(len(body), command)) + body + payload)

    def read(self, count: int) -> bytes:
        raw = b""
        while len(raw) < count:
            raw += self.sock.recv(count - len(raw))
        return raw

    def ask(self, command: Command, body: R, payload: bytes = b"") -> R:
        self.send(command, bytes(body), payload)
        return type(body).parse(self.read(body.SIZE))

    def connect(self, name: str) -> int:
        body = m.Connect(self.context, m.padded_name(name.encode()), ShareMode.SHARED, 3)
        return self.ask(Command.CONNECT, body).card

    def wait(self) -> None:
        self.send(Command.WAIT_READER_STATE_CHANGE)
        self.read(16 * m.ReaderState.SIZE)


def waits_beside_keygen(path: str) -> dict[str, list[float]]:
    """Milliseconds of each, sorted; the busy client always has a key under way."""
    one, waiter, busy = Client(path), Client(path), Client(path)
    null, slow = one.connect("Null"), busy.connect("Busy")
    command = bytes(m.Transmit(slow, 2, 16, 4, 2, 16, 100)), bytes(4)
    busy.send(Command.TRANSMIT, *command)
    busy.sock.setblocking(False)
    took: dict[str, list[float]] = {"APDU": [], "event": [], "cancel": []}

    def timed(what: str, work: Callable[[], object]) -> None:
        started = time.perf_counter()
        work()
        took[what].append((time.perf_counter() - started) * 1000)
        try:
            if busy.sock.recv(1000):
                busy.sock.sendall(bytes(m.Header(m.Transmit.SIZE, Command.TRANSMIT)) + b"".join(command))
        except BlockingIOError:
            pass

    def apdu() -> None:
        one.send(Command.TRANSMIT, bytes(m.Transmit(null, 2, 16, 5, 2, 16, 100)), bytes(5))
        one.read(m.Transmit.SIZE + 2)

    def event() -> None:
        other = one.connect("Other")
        waiter.read(8)
        one.ask(Command.DISCONNECT, m.Disconnect(other, 0))

    def cancel() -> None:
        one.ask(Command.CANCEL, m.Cancel(waiter.context))
        waiter.read(8)

    for _ in range(SAMPLES):
        timed("APDU", apdu)
        waiter.wait()
        timed("event", event)
        waiter.wait()
        timed("cancel", cancel)
        time.sleep(0.002)  # spread over the key generations, which take half a second
    for client in (one, waiter, busy):
        client.sock.close()
    return {what: sorted(times) for what, times in took.items()}


def main() -> None:
    cores = sorted(os.sched_getaffinity(0))
    places: dict[str, tuple[set[int] | None, set[int] | None]] = {"one core": ({cores[0]}, {cores[0]})}
    if len(cores) > 1:
        places["two cores"] = ({cores[0]}, {cores[1]})
    places["unpinned"] = (None, None)
    rates: dict[tuple[str, str], list[float]] = {}
    for _ in range(ROUNDS):
        for place, (server_cores, client_cores) in places.items():
            for kind in KINDS:
                rates.setdefault((kind, place), []).append(apdus_per_second(kind, server_cores, client_cores))
    print(f"{'APDUs a second':<20}" + "".join(f"{place:>28}" for place in places))
    for kind in KINDS:
        figures = [rates[kind, place] for place in places]
        cells = [f"{median(one):,.0f} [{min(one):,.0f}-{max(one):,.0f}]" for one in figures]
        print(f"{kind:<20}" + "".join(f"{cell:>28}" for cell in cells))
    print(f"\n{'beside RSA-4096, ms':<20}{'':<12}{'APDU':>24}{'event':>24}{'cancel':>24}   (median, p99, worst)")
    for place in ("one core", "unpinned"):
        for kind in [kind for kind in KINDS if not kind.endswith("inline")]:
            with server(kind, places[place][0]) as path:
                took = waits_beside_keygen(path)
            cells = [f"{median(t):.2f} {t[int(len(t) * 0.99)]:.2f} {t[-1]:.1f}" for t in took.values()]
            print(f"{kind:<20}{place:<12}" + "".join(f"{cell:>24}" for cell in cells), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(sys.argv[2], str(Path(sys.argv[3])))
    else:
        main()
