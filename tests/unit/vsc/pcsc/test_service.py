"""The shell: sockets, threads, who may come in, and that nobody waits for anybody."""

import os
import socket
import stat
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import TypeVar

import pytest

from tests.unit.vsc.pcsc.peer import ANY, Card, raw_request
from vsc.pcsc import PcscError, Service, TooLateError, own_process, use_in_this_process
from vsc.pcsc import messages as m
from vsc.pcsc.codes import Command, ReturnCode, ShareMode
from vsc.pcsc.connection import Connection
from vsc.pcsc.todo import Todo
from vsc.reader import Reader

NAME = "One 00 00"
DEADLINE_S = 20.0


R = TypeVar("R", bound=m.Message)


class Client:
    """A client that speaks the protocol on a real socket."""

    def __init__(self, service: Service, *, context: bool = True) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(DEADLINE_S)
        self.sock.connect(str(service.socket_path))
        if context:
            self.ask(Command.VERSION, m.Version(4, 4))
            self.context = self.ask(Command.ESTABLISH_CONTEXT, m.EstablishContext(2)).context

    def send(self, command: Command, body: bytes = b"", payload: bytes = b"") -> None:
        self.sock.sendall(raw_request(command, body, payload))

    def read(self, count: int) -> bytes:
        raw = b""
        while len(raw) < count:
            part = self.sock.recv(count - len(raw))
            if not part:
                raise EOFError
            raw += part
        return raw

    def ask(self, command: Command, body: R, payload: bytes = b"") -> R:
        self.send(command, bytes(body), payload)
        return type(body).parse(self.read(body.SIZE))

    def connect(self, name: str = NAME) -> int:
        body = m.Connect(self.context, m.padded_name(name.encode()), ShareMode.SHARED, ANY)
        reply = self.ask(Command.CONNECT, body)
        assert reply.rv == ReturnCode.SUCCESS
        return reply.card

    def transmit(self, card: int, command: bytes = bytes(4)) -> bytes:
        reply = self.ask(Command.TRANSMIT, m.Transmit(card, 2, 16, len(command), 2, 16, 65_548), command)
        return self.read(reply.receive_bytes)

    def wait(self) -> bytes:
        self.send(Command.WAIT_READER_STATE_CHANGE)
        return self.read(16 * 184)

    def is_hung_up_on(self) -> bool:
        try:
            return self.sock.recv(1 << 20) == b""
        except (ConnectionResetError, BrokenPipeError):
            return True

    def close(self) -> None:
        self.sock.close()


@pytest.fixture
def service(reader: Reader) -> Iterator[Service]:
    service = Service([reader])
    with service:
        yield service


@pytest.fixture
def client(service: Service) -> Iterator[Client]:
    client = Client(service)
    yield client
    client.close()


def test_a_session(service: Service, reader: Reader, client: Client) -> None:
    card = client.connect()
    assert client.transmit(card) == b"\x90\x00"
    client.wait()
    reader.eject()
    assert client.read(8) == bytes(m.Notification())
    assert client.wait()[132] == 2


def test_the_environment_names_the_socket(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VSC_SOMETHING", "else")
    service = Service([reader])
    for _ in range(2):
        with service as env:
            assert env["PCSCLITE_CSOCK_NAME"] == str(service.socket_path)
            assert env["VSC_SOMETHING"] == "else"
            assert stat.S_IMODE(service.socket_path.stat().st_mode) == 0o600
            folder = service.folder
            with pytest.raises(PcscError, match="already"):
                service.start()
        assert not folder.exists()
        service.stop()
        with pytest.raises(PcscError, match="does not run"):
            _ = service.socket_path


def test_a_path_that_is_too_long_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(PcscError, match="107"):
        Service(base=tmp_path / ("d" * 100)).start()


def test_readers_are_added_and_removed_at_any_time(service: Service, reader: Reader, client: Client) -> None:
    second = Reader("Two")
    second.insert(Card())
    client.wait()
    service.add_reader(second)
    assert client.read(8) == bytes(m.Notification())
    assert service.readers == (reader, second)
    assert client.transmit(client.connect("Two")) == b"\x90\x00"
    client.wait()
    service.remove_reader(second)
    assert client.read(8) == bytes(m.Notification())
    second.eject()
    service.set_failing(reader, True)
    assert client.wait()[132] == 1
    stopped = Service()
    stopped.add_reader(second)
    stopped.remove_reader(second)


def test_settle_is_for_who_cannot_wait_for_observers(service: Service, reader: Reader, client: Client) -> None:
    """Another thread delivers an event when this one inserts: then only `settle` says that clients can see it."""
    may_end, is_in = threading.Event(), threading.Event()

    def slow(_: object) -> None:
        is_in.set()
        assert may_end.wait(DEADLINE_S)

    slow_off = reader.subscribe(slow)
    other = threading.Thread(target=reader.eject)
    other.start()
    assert is_in.wait(DEADLINE_S)
    reader.insert(Card())
    service.settle()
    assert client.wait()[128] == 3
    may_end.set()
    other.join()
    slow_off()


def test_a_card_that_computes_holds_up_nobody_else(service: Service, reader: Reader, client: Client) -> None:
    may_end, computes = threading.Event(), threading.Event()

    class Slow(Card):
        def transmit(self, command: bytes) -> bytes:
            computes.set()
            assert may_end.wait(DEADLINE_S)
            return b"\x90\x00"

    slow = Reader("Slow")
    slow.insert(Slow())
    service.add_reader(slow)
    busy = Client(service)
    body = m.Transmit(busy.connect("Slow"), 2, 16, 4, 2, 16, 100)
    busy.send(Command.TRANSMIT, bytes(body), bytes(4))
    assert computes.wait(DEADLINE_S)
    assert client.transmit(client.connect()) == b"\x90\x00"
    client.wait()
    reader.eject()
    client.read(8)
    may_end.set()
    assert busy.read(34)[32:] == b"\x90\x00"
    busy.close()


def test_who_reads_nothing_is_cut_off(service: Service, client: Client) -> None:
    glutton = Client(service)
    requests = raw_request(Command.GET_READERS_STATE) * 100_000  # replies: 294 MB
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        glutton.sock.sendall(requests)
    glutton.close()
    client.wait()


def test_rubbish_is_hung_up_on(service: Service, client: Client) -> None:
    rogue = Client(service)
    rogue.sock.sendall(b"\xff" * 100)
    assert rogue.is_hung_up_on()
    rogue.close()
    client.wait()


def test_a_client_held_back_goes_on_or_is_let_go(service: Service, client: Client) -> None:
    card = client.connect()
    second, third = Client(service), Client(service)
    cards = {one: one.connect() for one in (second, third)}
    client.ask(Command.BEGIN_TRANSACTION, m.BeginTransaction(card))
    slot, deadline = service._engine.places[0], monotonic() + DEADLINE_S
    assert slot is not None
    for number, one in enumerate((second, third), 1):
        one.send(Command.BEGIN_TRANSACTION, bytes(m.BeginTransaction(cards[one])))
        # In this order: were the third first in the queue, it would get the lock, and its end would reset the card.
        while len(slot.queue) < number:
            assert monotonic() < deadline
            os.sched_yield()
    third.close()
    client.ask(Command.END_TRANSACTION, m.EndTransaction(card, 0))
    assert m.BeginTransaction.parse(second.read(8)).rv == ReturnCode.SUCCESS
    second.close()


def test_who_waits_for_a_lock_is_told_after_a_second(
    service: Service, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vsc.pcsc.transactions.HOLD_BACK_S", 0.01)
    second = Client(service)
    theirs, card = second.connect(), client.connect()
    client.ask(Command.BEGIN_TRANSACTION, m.BeginTransaction(card))
    answer = second.ask(Command.BEGIN_TRANSACTION, m.BeginTransaction(theirs))
    assert answer.rv == ReturnCode.SHARING_VIOLATION
    second.close()


def test_only_so_many_clients(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vsc.pcsc.service.MAX_CLIENTS", 2)
    service = Service([reader])
    with service:
        clients = [Client(service), Client(service)]
        extra = Client(service, context=False)
        assert extra.is_hung_up_on()
        for one in (*clients, extra):
            one.close()


@pytest.mark.parametrize(("uid", "allow_root", "welcome"), [(0, False, True), (1, True, False), (77, False, False)])
def test_only_the_same_user_comes_in(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, uid: int, allow_root: bool, welcome: bool
) -> None:
    """uid: what the kernel would say; 0 stands for our own."""
    monkeypatch.setattr("vsc.pcsc.service._peer", lambda sock: (1, os.geteuid() + uid))
    service = Service([reader], allow_root=allow_root)
    with service:
        client = Client(service, context=False)
        with suppress(BrokenPipeError):
            client.send(Command.VERSION, bytes(m.Version(4, 4)))
        assert client.is_hung_up_on() is not welcome
        client.close()


def test_root_comes_in_only_where_allowed(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vsc.pcsc.service._peer", lambda sock: (1, 0))
    monkeypatch.setattr("vsc.pcsc.service.os.geteuid", lambda: os.getuid() + 5)
    monkeypatch.setattr("vsc.pcsc.folder._is_private", lambda path: True)
    for allow_root in (False, True):
        service = Service([reader], allow_root=allow_root)
        with service:
            client = Client(service, context=False)
            with suppress(BrokenPipeError):
                client.send(Command.VERSION, bytes(m.Version(4, 4)))
            assert client.is_hung_up_on() is not allow_root
            client.close()


def test_nothing_is_left_behind(reader: Reader) -> None:
    def held() -> tuple[int, int]:
        return len(os.listdir("/proc/self/fd")), threading.active_count()

    service = Service([reader])
    with service:
        Client(service).close()
    before = held()
    for _ in range(5):
        with service:
            clients = [Client(service) for _ in range(10)]
            cards = [one.connect() for one in clients]
            clients[0].ask(Command.BEGIN_TRANSACTION, m.BeginTransaction(cards[0]))
            clients[1].send(Command.BEGIN_TRANSACTION, bytes(m.BeginTransaction(cards[1])))
            for one in clients[::2]:
                one.close()
        for one in clients:
            one.close()
    assert held() == before
    assert service._links == {}
    assert service._engine.connections == set()


def test_a_client_for_which_there_is_no_thread_is_sent_away(
    service: Service, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that lets clients in died of it, and all later ones waited for ever."""
    real = threading.Thread.start
    refused: list[threading.Thread] = []

    def start(self: threading.Thread) -> None:
        if self.name == "vsc-pcsc-client" and len(refused) < 3:
            refused.append(self)
            raise RuntimeError("can't start new thread")
        real(self)

    monkeypatch.setattr(threading.Thread, "start", start)
    for _ in range(3):
        late = Client(service, context=False)
        assert late.is_hung_up_on()
        late.close()
    later = Client(service)
    assert later.transmit(later.connect()) == b"\x90\x00"
    assert len(service._engine.connections) == 2
    later.close()


def test_nor_does_a_start_without_threads_leave_anything(
    reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        with pytest.raises(PcscError, match="no thread"):
            Service([reader], base=tmp_path / "b").start()
    assert list((tmp_path / "b").iterdir()) == []


def test_a_bug_costs_the_client_that_meets_it_and_no_other(
    service: Service, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlucky = Client(service)
    real = service._engine.receive

    def receive(connection: Connection, data: bytes) -> Todo | None:
        if data.endswith(b"unlucky"):
            raise MemoryError("a bug")
        return real(connection, data)

    monkeypatch.setattr(service._engine, "receive", receive)
    unlucky.sock.sendall(b"unlucky")
    assert unlucky.is_hung_up_on()
    assert client.transmit(client.connect()) == b"\x90\x00"
    assert [str(fault) for fault in service.faults] == ["a bug"]
    unlucky.close()


def test_processes_are_forgotten(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vsc.pcsc.service._MAX_PIDS", 3)
    pids = iter([1, 2, 1, 3, 4])
    monkeypatch.setattr("vsc.pcsc.service._peer", lambda sock: (next(pids), os.geteuid()))
    for _ in range(5):
        Client(service).close()
    assert [service.clients_of(pid) for pid in (1, 2, 3, 4)] == [2, 0, 1, 1]


FORK = """
import os, socket, sys
import vsc.pcsc.service
from vsc.pcsc import Service
from vsc.reader import Reader

service = Service([Reader()])
with service as env:
    if os.fork() == 0:
        sys.exit(7)  # It leaves the block.
    assert os.waitstatus_to_exitcode(os.wait()[1]) == 7
    client = socket.socket(socket.AF_UNIX)
    vsc.pcsc.service._own_process = lambda: 0  # It would not be let in.
    client.connect(env["PCSCLITE_CSOCK_NAME"])
    client.sendall(bytes.fromhex("0c00000011000000040000000400000000000000"))
    print(client.recv(12, socket.MSG_WAITALL).hex(), service.folder.exists())
    folder = service.folder
print(folder.exists())
"""


def test_a_forked_child_that_leaves_the_block_takes_nothing_of_its_parents_away() -> None:
    done = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout, done.stderr) == ("040000000400000000000000 True\nFalse\n", "")


def test_no_change_is_lost(service: Service, reader: Reader, client: Client) -> None:
    for _ in range(1000):
        reader.insert(reader.eject())
    assert struct.unpack("<I", client.wait()[128:132]) == (2001,)


def test_this_process_is_no_client(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may hold the interpreter's lock while it waits."""
    monkeypatch.setattr("vsc.pcsc.service._own_process", os.getpid)
    client = Client(service, context=False)
    assert client.is_hung_up_on()
    client.close()
    with pytest.raises(PcscError, match=r"for clients in others.*vsc\.testing\.Lab"):
        use_in_this_process(service)  # type: ignore[arg-type]


def test_own_process_before_first_use() -> None:
    code = (
        "import sys, ctypes\nfrom vsc.pcsc import use_in_this_process\n"
        "from vsc.serving.owner import ServiceProcess\nfrom vsc.testing.served import ServedService\n"
        "lib = ctypes.CDLL('libpcsclite.so.1') if sys.argv[1] != 'unloaded' else None\n"
        "c = ctypes.c_long()\n"
        "def establish():\n"
        "    return ctypes.CDLL('libpcsclite.so.1').SCardEstablishContext(2, None, None, ctypes.byref(c))\n"
        "with ServiceProcess() as first, ServiceProcess() as second:\n"
        "    one, two = ServedService(first), ServedService(second)\n"
        "    use_in_this_process(one)\n"
        "    assert establish() == 0\n"
        "    use_in_this_process(one)\n"
        "    try: use_in_this_process(two)\n"
        "    except Exception as error: print(type(error).__name__)\n"
        "    assert establish() == 0\n"
    )
    for argument in ("unloaded", "loaded"):
        done = subprocess.run([sys.executable, "-c", code, argument], capture_output=True, text=True, check=False)
        if "libpcsclite.so.1: cannot open" in done.stderr:
            pytest.skip("libpcsclite is not installed")
        assert (done.stdout, done.stderr) == ("TooLateError\n", "")


class Elsewhere:
    """As a service in another process."""

    def __init__(self, service: Service) -> None:
        self.socket_path = service.socket_path
        self.clients_of = service.clients_of

    def let_go(self) -> None:
        pass


def test_own_process_too_late_leaves_the_environment(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_process, "_loaded", lambda: [Path("/lib/libpcsclite.so.1")])
    monkeypatch.setattr(own_process, "_reaches", lambda service, library: False)
    for before in (None, "/elsewhere"):
        if before:
            monkeypatch.setenv("PCSCLITE_CSOCK_NAME", before)
        else:
            monkeypatch.delenv("PCSCLITE_CSOCK_NAME", raising=False)
        with pytest.raises(TooLateError, match=r"libpcsclite\.so\.1"):
            use_in_this_process(Elsewhere(service))
        assert os.environ.get("PCSCLITE_CSOCK_NAME") == before
