"""The control socket: how `vsc insert`, `eject`, `swap` and `reset` reach a running `vsc run` or `vsc serve`, and how
programs inside plug cards in (`vsc.machine.served`).

A line of JSON each way for a request; a connection may bring several, one after the other:

    {"do": "insert", "what": "work", "reader": null}      {"ok": "Virtual Smart Card 00 00"}
    {"do": "eject", "what": "nobody"}                     {"error": "there is no reader, …"}
    {"do": "plug", "what": "absent"}                      {"error": "there is no card …", "kind": "not found"}
    {"do": "list"}                                        {"ok": {"Virtual Smart Card 00 00": "work"}}

The answer comes when PC/SC clients can see the change. The socket is 0600 in a private folder, and only the same user
is heard. Each client has a thread, so one that is slow, or whose request takes long, keeps nobody out.
"""

import json
import os
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Self

from vsc.errors import CardInUseError, CardNotFoundError, ImageError, RefusedError, VscError
from vsc.pcsc.door import Door
from vsc.pcsc.folder import CONTROL
from vsc.serving.desk import Desk

VARIABLE = "VSC_SOCKET"
NAME = CONTROL
_MAX_LINE_BYTES = 4096
_MAX_ANSWER_BYTES = 1_000_000
_RECEIVE_BYTES = 65_536
_CLIENT_S = 5.0
"""For a line, and for its answer to be taken."""
_ANSWER_S = 60.0
"""For an answer. A card that is taken out may have to finish its command first: a key of 4096 bits takes seconds."""
_MAX_CLIENTS = 100
_STOP_S = 5.0
_RETRY_S = 0.05
_UCRED = struct.Struct("3i")


class ControlError(VscError):
    """The running vsc cannot be reached, or refused."""


_KINDS: dict[str, type[VscError]] = {
    "not found": CardNotFoundError,
    "in use": CardInUseError,
    "bad image": ImageError,
    "refused": RefusedError,
}
"""Refusals that are told apart. All others are a ControlError."""


class ControlServer:
    """Answers on a socket of its own for one desk; `settle` returns when PC/SC clients see what has happened."""

    max_line_bytes = _MAX_LINE_BYTES
    client_s: float | None = _CLIENT_S
    """How long a client may take for a line, and to take its answer; None: as long as it likes."""

    def __init__(self, path: Path, desk: Desk, settle: Callable[[], None]) -> None:
        self.path = path
        self._desk = desk
        self._settle = settle
        self._pid = 0
        self._stopping = threading.Event()
        self._clients: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._pid = os.getpid()
        try:
            self._door = Door(self.path)
        except OSError as error:
            raise ControlError(f"no control socket at {self.path}: {error.strerror or error}") from None
        self._thread = threading.Thread(
            target=self._accept, args=(self._door.listener,), name="vsc-control", daemon=True
        )
        try:
            self._thread.start()
        except RuntimeError as error:
            self._door.close()
            raise ControlError(f"the control socket has no thread to run in: {error}") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if os.getpid() != self._pid:  # A forked child: all is the parent's, and so are the threads.
            self._door.close()
            return
        self._stopping.set()
        self._door.wake()
        self._thread.join()
        self._door.close()
        with self._lock:
            clients = dict(self._clients)
            for client in clients:
                with suppress(OSError):  # It has hung up.
                    client.shutdown(socket.SHUT_RDWR)
        for thread in clients.values():
            thread.join(_STOP_S)

    def _accept(self, listener: socket.socket) -> None:
        while not self._stopping.is_set():
            try:
                client, _ = listener.accept()
            except OSError:  # Out of descriptors, say: there may be some again.
                self._stopping.wait(_RETRY_S)
                continue
            try:
                self._let_in(client)
            except Exception:  # No thread to be had, say: that client is sent away, and later ones come in.
                self._forget(client)

    def _let_in(self, client: socket.socket) -> None:
        thread = threading.Thread(target=self._serve, args=(client,), name="vsc-control-client", daemon=True)
        with self._lock:
            if not _is_ours(client) or len(self._clients) >= _MAX_CLIENTS:
                client.close()
                return
            self._clients[client] = thread
        thread.start()

    def _serve(self, client: socket.socket) -> None:
        """Answers one client until it hangs up, or sends what is no line."""
        try:
            lines = _Lines(client, max_bytes=self.max_line_bytes, limit_s=self.client_s)
            while line := lines.next():
                client.settimeout(self.client_s)
                client.sendall(json.dumps(self._answer(line)).encode() + b"\n")
                if not line.endswith(b"\n"):  # It is too long: what follows begins in the middle of it.
                    break
        except OSError:
            pass  # It has hung up, or is too slow.
        finally:
            self._forget(client)

    def _forget(self, client: socket.socket) -> None:
        with self._lock:
            self._clients.pop(client, None)
            client.close()

    def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            request = json.loads(line)
            done = self._do(request["do"], request)
            self._settle()
        except VscError as error:
            kind = next((kind for kind, one in _KINDS.items() if isinstance(error, one)), None)
            return {"error": str(error), **({"kind": kind} if kind else {})}
        except (ValueError, KeyError, TypeError, RecursionError):
            return {"error": "the request is not understood"}
        except Exception as error:  # Whatever it is, this client has an answer, and the thread goes on.
            return {"error": f"a bug of vsc: {type(error).__name__}"}
        return {"ok": done}

    def _do(self, verb: str, request: dict[str, str]) -> object:
        if verb == "list":
            return self._desk.contents()
        what = request["what"]
        if verb == "insert":
            return self._desk.insert(what, request.get("reader"))
        if verb == "eject":
            return self._desk.eject(what)
        if verb == "swap":
            return self._desk.swap(what, request["card"])
        if verb == "reset":
            return self._desk.reset(what, cold=bool(request.get("cold")))
        if verb == "plug":
            return self._desk.plug(what)
        if verb == "unplug":
            return self._desk.unplug(what)
        raise KeyError(verb)


def _is_ours(client: socket.socket) -> bool:
    """Whether it is the same user at the other end."""
    _, uid, _ = _UCRED.unpack(client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    return bool(uid == os.geteuid())


class _Lines:
    """Cuts what a peer sends into lines of at most so many bytes. limit_s: for each; TimeoutError."""

    def __init__(self, peer: socket.socket, *, max_bytes: int, limit_s: float | None) -> None:
        self._peer = peer
        self._max_bytes = max_bytes
        self._limit_s = limit_s
        self._received = bytearray()

    def next(self) -> bytes:
        """The next line, or what there is of one when the peer hangs up; empty: there is no more."""
        deadline = None if self._limit_s is None else monotonic() + self._limit_s
        looked_at = 0
        while (end := self._received.find(b"\n", looked_at)) < 0 and len(self._received) < self._max_bytes:
            looked_at = len(self._received)
            if deadline is not None:
                self._peer.settimeout(max(0.001, deadline - monotonic()))
            piece = self._peer.recv(_RECEIVE_BYTES)
            if not piece:
                break
            self._received += piece
        size = end + 1 if end >= 0 else len(self._received)
        line = bytes(self._received[:size])
        del self._received[:size]
        return line


def ask(path: Path | None, request: dict[str, object]) -> str:
    """Sends one request to the control socket at `path` (None: the one that VSC_SOCKET names); returns the answer.

    ControlError if nobody answers there; that, or an error of the card or the store, with the reason of a refusal.
    """
    return str(_ask(path, request))


def contents(path: Path | None = None) -> dict[str, str | None]:
    """Asks for the readers' names, each with the name of the card of the store that is in it. ControlError."""
    answer = _ask(path, {"do": "list"})
    if not isinstance(answer, dict):
        raise ControlError("the running vsc is too old: it does not list its readers")
    return {str(reader): None if card is None else str(card) for reader, card in answer.items()}


def _ask(path: Path | None, request: dict[str, object]) -> object:
    path = _found(path)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
            server.settimeout(_ANSWER_S)
            server.connect(str(path))
            server.sendall(json.dumps(request).encode() + b"\n")
            answer = json.loads(_Lines(server, max_bytes=_MAX_ANSWER_BYTES, limit_s=_ANSWER_S).next() or b"{}")
    except (TimeoutError, BlockingIOError):
        raise ControlError(f"the vsc at {path} has not answered for {_ANSWER_S:g} seconds") from None
    except (OSError, ValueError, RecursionError):
        raise ControlError(f"no vsc answers at {path}") from None
    if not isinstance(answer, dict):
        raise ControlError(f"what answers at {path} is no vsc")
    if "ok" not in answer:
        kind = _KINDS.get(str(answer.get("kind")), ControlError)
        raise kind(str(answer.get("error", f"no vsc answers at {path}")))
    return answer["ok"]


def _found(path: Path | None) -> Path:
    if path is None:
        named = os.environ.get(VARIABLE)
        if not named:
            raise ControlError(f"which vsc? {VARIABLE} is not set: say --socket, or run inside 'vsc run'")
        path = Path(named)
    if path.is_dir() or path.name != NAME:
        path = (path if path.is_dir() else path.parent) / NAME
    return path
