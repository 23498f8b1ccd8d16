"""The I/O shell: a Unix socket, a thread for each client, one lock round the engine.

    reader = Reader()
    reader.insert(card)
    with Service([reader]) as env:
        subprocess.run(["opensc-tool", "-l"], env=env)

Why threads: a card's command may take seconds, and whoever has to wait for it is one client, which is one thread
(`docs/pcsc.md` has what the alternatives measured). A client's thread reads its socket, steps the engine with the
lock held, and calls cards with the lock released. It sends only what the kernel takes at once: libpcsclite has at most
one request under way, so its replies always fit in the socket's buffer, and who lets that fill up does not read and
is cut off. Nobody ever waits for a client.
"""

import os
import select
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from vsc.pcsc.connection import Connection
from vsc.pcsc.door import Door
from vsc.pcsc.engine import Engine
from vsc.pcsc.errors import PcscError
from vsc.pcsc.folder import Folder
from vsc.pcsc.messages import HOST_IS_LITTLE_ENDIAN
from vsc.pcsc.todo import CardCall, HoldBack, Todo
from vsc.reader import Reader, ReaderEvent

VARIABLE = "PCSCLITE_CSOCK_NAME"
MAX_CLIENTS = 200
"""At once, as pcscd has it by default."""
_BACKLOG = 128
_RECEIVE_BYTES = 65_536
_SEND_BUFFER_BYTES = 256 * 1024
_STOP_S = 5.0
_RETRY_S = 0.05
_MAX_PIDS = 1000
"""Whose connections are counted: the last ones that have come."""
_UCRED = struct.Struct("3i")  # struct ucred of unix(7): pid, uid, gid


class Service:
    """A private PC/SC for other processes: those that have the environment that `with` gives.

    Its readers are in this process, which cannot be its client: whoever here waits for an answer may hold what the
    answer needs, the interpreter's lock say. So a client of this very process is hung up on. `vsc.testing.Lab` is for
    that: its readers are in a process of their own.

    base: a private folder (0700) to make the socket's folder in; None: $XDG_RUNTIME_DIR/vsc, else where temporary
        files are.
    socket_path: where to make the socket instead; its folder must be private, too.
    allow_root: lets root connect to the service of another user.
    """

    def __init__(
        self,
        readers: Iterable[Reader] = (),
        *,
        base: Path | None = None,
        socket_path: Path | None = None,
        allow_root: bool = False,
    ) -> None:
        self._base = base
        self._chosen = socket_path
        self._welcome = {os.geteuid(), 0} if allow_root else {os.geteuid()}
        self._lock = threading.Lock()
        self._engine = Engine()
        self._subscriptions: dict[Reader, Callable[[], None]] = {}
        self._links: dict[Connection, _Link] = {}
        self._clients_by_pid: dict[int, int] = {}
        self._folder: Folder | None = None
        self._made: Folder | None = None
        """The same, also while the service is being stopped."""
        self._door: Door | None = None
        self._pid = 0
        self._thread: threading.Thread | None = None
        self._is_hidden = False
        self._stopping = threading.Event()
        for reader in readers:
            self.add_reader(reader)

    # --- readers

    @property
    def readers(self) -> tuple[Reader, ...]:
        """In the order in which clients list them."""
        with self._lock:
            return tuple(slot.reader for slot in self._engine.places if slot is not None)

    def add_reader(self, reader: Reader) -> None:
        """Plugs a reader in; when it returns, clients can see it. PcscError if its name is taken."""
        self._step(lambda: self._engine.add_reader(reader))
        if self._folder is not None:
            self._subscribe(reader)

    def remove_reader(self, reader: Reader) -> None:
        """Unplugs a reader, with its card; when it returns, clients can see that. PcscError if it is not here."""
        self._step(lambda: self._engine.remove_reader(reader))
        if reader in self._subscriptions:
            self._subscriptions.pop(reader)()

    def settle(self) -> None:
        """Returns when clients can see whatever has happened to the readers before the call.

        `Reader.insert` and its like tell their observers, of which the service is one; when another thread is just
        telling them, they return a moment earlier.
        """
        self._step(self._engine.catch_up_all)

    def go_away(self) -> None:
        """Does what the fault `gone` does: hangs up on all clients, and lets nobody in until `come_back`."""
        self._step(lambda: self._engine.go_away(comes_back=False))

    def come_back(self) -> None:
        """Ends what the fault `gone` began: clients find the service again. Harmless if it is here."""
        self._step(lambda: setattr(self._engine, "is_away", False))

    @property
    def is_away(self) -> bool:
        """Whether a fault has made the service go: its socket is not there, and nobody is let in."""
        return self._engine.is_away

    def set_failing(self, reader: Reader, failing: bool) -> None:
        """The reader is out of order (clients see SCARD_STATE_UNAVAILABLE), or works again."""
        self._step(lambda: self._engine.set_failing(reader, failing))

    # --- start and stop

    @property
    def socket_path(self) -> Path:
        """What PCSCLITE_CSOCK_NAME must say. PcscError while the service does not run."""
        return self._running().socket_path

    @property
    def folder(self) -> Path:
        """The service's private folder; it goes when the service stops."""
        return self._running().path

    @property
    def environment(self) -> dict[str, str]:
        """A copy of the environment in which programs find this service."""
        return {**os.environ, VARIABLE: str(self.socket_path)}

    @property
    def faults(self) -> tuple[Exception, ...]:
        """The last hundred exceptions of cards: bugs, for which clients were given 6F00."""
        return tuple(self._engine.faults)

    def start(self) -> None:
        """Makes the socket; when it returns, clients can connect."""
        if self._folder is not None:
            raise PcscError("the service runs already")
        if not HOST_IS_LITTLE_ENDIAN:
            raise PcscError("the service speaks little-endian only, as x86 and ARM do")
        folder = Folder(self._base, socket_path=self._chosen)
        try:
            door = Door(folder.socket_path, _BACKLOG)
        except OSError as error:
            folder.remove()
            raise PcscError(f"no socket at {folder.socket_path}: {error.strerror}") from error
        self._made = self._folder = folder
        self._door, self._pid = door, os.getpid()
        self._stopping.clear()
        for reader in self.readers:
            self._subscribe(reader)
        self._thread = threading.Thread(target=self._accept, args=(door.listener,), name="vsc-pcsc", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:
            self._thread = None
            door.close()
            folder.remove()
            self._folder = self._door = None
            raise PcscError(f"the service has no thread to run in: {error}") from None

    def stop(self) -> None:
        """Hangs up on all clients and removes the socket. A card that computes is waited for, up to 5 s."""
        if self._folder is None or self._door is None or self._thread is None:
            return
        folder, door, thread = self._folder, self._door, self._thread
        self._folder = self._door = self._thread = None
        if os.getpid() != self._pid:
            self._leave_to_parent(folder, door)
            return
        self._stopping.set()
        with self._lock:
            self._engine.is_away = False
            self._show_socket(door)
        door.wake()
        thread.join()
        door.close()
        with self._lock:
            links = list(self._links.values())
        for link in links:
            link.shut()
        for link in links:
            link.thread.join(_STOP_S)
        for unsubscribe in self._subscriptions.values():
            unsubscribe()
        self._subscriptions.clear()
        folder.remove()

    def _leave_to_parent(self, folder: Folder, door: Door) -> None:
        """In a forked child: the threads are the parent's, which may have held any lock. What is open is closed."""
        door.close()
        folder.remove()
        for link in self._links.values():
            link.close()

    def abandon(self) -> None:
        """Removes the socket and its folder and waits for nobody: for a process that ends at once."""
        if self._made is not None:
            self._made.remove()

    def __enter__(self) -> dict[str, str]:
        self.start()
        return self.environment

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def clients_of(self, pid: int) -> int:
        """How many connections this process has made so far. Of processes that came long ago nothing is known: 0."""
        return self._clients_by_pid.get(pid, 0)

    def _running(self) -> Folder:
        if self._folder is None:
            raise PcscError("the service does not run")
        return self._folder

    def _subscribe(self, reader: Reader) -> None:
        """From now on what happens to the reader is seen; what has happened before, too."""
        with self._lock:
            slot = self._engine.slot_of(reader)

        def catch_up(_: ReaderEvent | None = None) -> None:
            self._step(lambda: self._engine.catch_up(slot))

        self._subscriptions[reader] = reader.subscribe(catch_up)
        catch_up()

    # --- threads

    def _accept(self, listener: socket.socket) -> None:
        while not self._stopping.is_set():
            try:
                sock, _ = listener.accept()
            except OSError:
                self._stopping.wait(_RETRY_S)  # Out of descriptors, say: there may be some again.
                continue
            try:
                self._let_in(sock)
            except Exception as error:  # No thread to be had, say: that client is sent away, and later ones come in.
                self._engine.fault(error)
                sock.close()

    def _let_in(self, sock: socket.socket) -> None:
        pid, uid = _peer(sock)
        is_welcome = uid in self._welcome and pid != _own_process()
        if not is_welcome or len(self._links) >= MAX_CLIENTS or self._engine.is_away:
            sock.close()
            return
        self._clients_by_pid[pid] = self._clients_by_pid.pop(pid, 0) + 1
        if len(self._clients_by_pid) > _MAX_PIDS:
            del self._clients_by_pid[next(iter(self._clients_by_pid))]
        with self._lock:
            connection = self._engine.connect()
            link = self._links[connection] = _Link(self, connection, sock)
        try:
            link.thread.start()
        except RuntimeError:
            with self._lock:
                del self._links[connection]
            self._step(lambda: self._engine.hang_up(connection))
            sock.close()

    def _step(self, step: Callable[[], Any]) -> Any:
        """One step of the engine, and then whatever it has for anybody: nobody else would send it."""
        with self._lock:
            result = step()
            if self._engine.is_away is not self._is_hidden and self._door is not None:
                self._show_socket(self._door)
            news = [self._links[one] for one in self._engine.take_news() if one in self._links]
            for link in news:
                link.take_over()
        for link in news:
            link.flush()
        return result

    def _show_socket(self, door: Door) -> None:
        """With the lock: libpcsclite looks for the socket's name, and takes a service without one for none."""
        if self._engine.is_away:
            door.hide()
        else:
            door.show()
        self._is_hidden = self._engine.is_away


_own_process = os.getpid


def _peer(sock: socket.socket) -> tuple[int, int]:
    """Process and user at the other end, as they were when it connected."""
    pid, uid, _ = _UCRED.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    return pid, uid


class _Link:
    """A connection's socket and its thread."""

    def __init__(self, service: Service, connection: Connection, sock: socket.socket) -> None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        self._service = service
        self._engine = service._engine
        self._connection = connection
        self._sock = sock
        self._sending = threading.Lock()
        self._outgoing: list[bytes] = []
        self._go_on: int | None = None
        self.thread = threading.Thread(target=self._run, name="vsc-pcsc-client", daemon=True)

    def _run(self) -> None:
        engine, connection = self._engine, self._connection
        try:
            while not connection.is_closed:
                data = self._receive()
                if not data:
                    break
                self._do(self._step(lambda data=data: engine.receive(connection, data)))  # type: ignore[misc]
        except Exception as error:  # A bug of ours, or no memory: it costs this client, and is kept.
            engine.fault(error)
        finally:
            self._end()

    def _end(self) -> None:
        try:
            self._do(self._step(lambda: self._engine.hang_up(self._connection)))
        except Exception as error:
            self._engine.fault(error)
        with self._service._lock:
            self._service._links.pop(self._connection, None)
        with self._sending:
            self.close()
        if self._go_on is not None:
            os.close(self._go_on)

    def close(self) -> None:
        self._sock.close()

    def _receive(self) -> bytes:
        try:
            return self._sock.recv(_RECEIVE_BYTES)
        except OSError:
            return b""

    def _step(self, step: Callable[[], Todo | None]) -> Todo | None:
        todo: Todo | None = self._service._step(step)
        return todo

    def _do(self, todo: Todo | None) -> None:
        """Does what the engine asks for until it asks for nothing."""
        while todo is not None:
            todo = self._call(todo) if isinstance(todo, CardCall) else self._hold_back(todo)

    def _call(self, call: CardCall) -> Todo | None:
        try:
            result = call.run()
        except Exception as error:
            return self._step(lambda error=error: self._engine.resume(self._connection, error=error))  # type: ignore[misc]
        return self._step(lambda: self._engine.resume(self._connection, result))

    def _hold_back(self, hold: HoldBack) -> Todo | None:
        """Waits without reading: until the engine says to go on, the client hangs up, or time is up."""
        if self._go_on is None:
            with self._service._lock:
                self._go_on = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
                if self._connection.may_go_on:
                    os.eventfd_write(self._go_on, 1)
        poller = select.poll()
        poller.register(self._go_on, select.POLLIN)
        poller.register(self._sock, select.POLLRDHUP)
        woken = dict(poller.poll(None if hold.limit_s is None else hold.limit_s * 1000))
        if self._sock.fileno() in woken:
            return self._step(lambda: self._engine.hang_up(self._connection))
        if woken:
            os.eventfd_read(self._go_on)
        return self._step(lambda: self._engine.resume(self._connection, not woken))

    # --- called with news, by any thread

    def take_over(self) -> None:
        """Takes what is to be sent, in the order in which the engine made it. The engine's lock is held."""
        connection = self._connection
        if connection.unsent:
            self._outgoing.append(bytes(connection.unsent))
            connection.unsent.clear()
        if connection.may_go_on and self._go_on is not None:
            os.eventfd_write(self._go_on, 1)

    def flush(self) -> None:
        """Sends what has been taken over; hangs up on a client whose buffer is full, or that the engine has closed."""
        with self._sending:
            try:
                while self._outgoing:
                    raw = self._outgoing.pop(0)
                    if self._sock.send(raw, socket.MSG_DONTWAIT) != len(raw):
                        self._shut()
            except OSError:
                self._shut()
            if self._connection.is_closed or self._connection.must_go:
                self._shut()

    def shut(self) -> None:
        """Wakes the thread, which then hangs up."""
        with self._sending:
            self._shut()

    def _shut(self) -> None:
        self._outgoing.clear()
        with suppress(OSError):  # It has been shut, or closed, already.
            self._sock.shutdown(socket.SHUT_RDWR)
