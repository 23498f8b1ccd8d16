"""A process of our own that serves PC/SC to this one, and what this one calls it by.

    with ServiceProcess() as process:
        number = process.call("add", "Virtual Smart Card 00 00")

Why another process: a client of PC/SC in this one may hold the interpreter's lock while it waits for the service
(pyscard does when it frees memory, PyKCS11 always), and a service that is a thread of this process could then never
answer. What is called is in `owned_desk`; the process ends with this one, however that ends.
"""

import faulthandler
import itertools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from vsc.errors import VscError
from vsc.pcsc.errors import PcscError
from vsc.pcsc.service import VARIABLE
from vsc.serving.travel import TravelError, packed, unpacked

START_S = 30
SILENT_S = 30
"""After so long the process is taken for dead."""
_LOOK_S = 5.0
_STOP_S = 5.0
_STACKS_S = 0.5
_RECEIVE_BYTES = 1 << 20
_MAX_WHOLE = 50
_BOOT = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from vsc.serving.process import main
main(int(sys.argv[2]))
"""


class ServiceEndedError(PcscError):
    """The process that serves has ended, or was ended because it was silent: no card and no reader of it is left."""


class ServiceProcess:
    """Starts when it is entered, ends when it is left. Safe to use from several threads.

    stderr: where the stacks of both processes go if it is silent; None: standard error.
    """

    def __init__(self, *, stderr: int | None = None) -> None:
        self._stderr = stderr
        self._process: subprocess.Popen[bytes] | None = None
        self._end = -1
        self._pid = 0
        self._path: list[str] = []
        self._free: list[socket.socket] = []
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._why = "it does not run"
        self._card_numbers = itertools.count(1)
        self.forgotten_slots: deque[int] = deque()
        """Numbers that no handle has any more; the desk is told with the next call."""
        self.forgotten_cards: deque[int] = deque()
        self.socket_path = self.control_path = Path()

    # --- start and stop

    def start(self) -> None:
        """PcscError if it cannot be started."""
        self._path, self._pid = list(sys.path), os.getpid()
        command = [sys.executable, "-c", _BOOT, json.dumps(self._path), str(self._pid)]
        its_end, self._end = os.pipe()  # Ours is held by nothing that would warn of it when this process ends.
        try:
            self._process = subprocess.Popen(
                command, stdin=its_end, stdout=subprocess.PIPE, stderr=self._stderr, bufsize=0
            )
        except OSError as error:
            self._close_end()
            raise PcscError(f"the process that serves PC/SC cannot be started: {error.strerror}") from None
        finally:
            os.close(its_end)
        assert self._process.stdout is not None
        told = _first_line(self._process.stdout)
        self._process.stdout.close()
        if not told:
            self.stop()
            raise PcscError("the process that serves PC/SC has ended at once, or said nothing; its reason is above")
        self.socket_path, self.control_path = map(Path, json.loads(told))
        self._over.clear()
        self._why = ""
        threading.Thread(target=self._watch, name="vsc-watchdog", daemon=True).start()

    def stop(self) -> None:
        """Ends it, and waits for that. Harmless if it does not run, and in a child that was forked."""
        process = self._process
        if process is None or self._pid != os.getpid():
            return
        self._process = None
        self._over.set()
        self._why = self._why or "it was stopped"
        self._close_end()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._close_free()

    def let_go(self) -> None:
        """This process ends, and the other one with it: nobody need wait for that."""
        self._over.set()
        self._close_free()
        if self._process is not None:
            self._process.returncode = 0  # Else Popen warns of a process that is still there.

    def _close_end(self) -> None:
        """Closes our end of the pipe: the process ends."""
        if self._end >= 0:
            os.close(self._end)
            self._end = -1

    def _close_free(self) -> None:
        with self._lock:
            for one in self._free:
                one.close()
            self._free.clear()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Of the process that serves. PcscError if it does not run."""
        if self._process is None:
            raise PcscError("the process that serves PC/SC does not run")
        return self._process.pid

    @property
    def environment(self) -> dict[str, str]:
        """A copy of the environment in which programs find the service."""
        return {**os.environ, VARIABLE: str(self.socket_path)}

    @property
    def why_it_ended(self) -> str:
        """A sentence; empty while it runs."""
        process = self._process
        if process is not None and not self._why and process.poll() is not None:
            self._why = f"it ended with status {process.returncode}"
        return f"the process that serves PC/SC is gone: {self._why}" if self._why else ""

    # --- calls

    def call(self, name: str, *args: object, **options: object) -> Any:
        """Calls a method of the desk there. Raises what it raises; TravelError; ServiceEndedError."""
        self._tell_what_is_forgotten()
        if sys.path != self._path:
            self._path = list(sys.path)
            self._call("path", (self._path,), {})
        return self._call(name, args, options)

    def clients_of(self, pid: int) -> int:
        """How many connections to the service that process has made so far."""
        clients: int = self.call("clients_of", pid)
        return clients

    def new_card_number(self) -> int:
        return next(self._card_numbers)

    def _tell_what_is_forgotten(self) -> None:
        slots, cards = _taken(self.forgotten_slots), _taken(self.forgotten_cards)
        if slots or cards:
            self._call("forget", (slots, cards), {})

    def _call(self, name: str, args: tuple[object, ...], options: dict[str, object]) -> Any:
        whole: set[str] = set()
        for _ in range(_MAX_WHOLE):
            answer = self._ask({"do": "call", "work": packed((name, args, options), whole=whole)})
            if "raised" in answer:
                raise unpacked(answer["raised"]).again()
            if "value" in answer:
                return unpacked(answer["value"])
            whole.add(answer["unknown"])
        raise TravelError(
            f"this cannot travel to the process that serves PC/SC: {', '.join(sorted(whole))} are missing"
        )

    def _ask(self, request: dict[str, object], *, limit_s: float | None = None) -> dict[str, str]:
        """limit_s: TimeoutError if it takes longer; time in which nobody runs us does not count."""
        server: socket.socket | None = None
        try:
            server = self._connection()
            server.sendall(json.dumps(request).encode() + b"\n")
            answer = json.loads(_line(server, limit_s))["ok"]
        except TimeoutError:
            raise
        except (OSError, ValueError, KeyError) as error:
            raise ServiceEndedError(self.why_it_ended or f"the process that serves PC/SC is silent: {error}") from None
        else:
            with self._lock:
                self._free.append(server)
                server = None
            return answer if isinstance(answer, dict) else {}
        finally:
            if server is not None:  # An answer may still be on its way.
                server.close()

    def _connection(self) -> socket.socket:
        if self._pid != os.getpid():  # A child that was forked must not mix its questions with its parent's.
            self._free, self._lock, self._pid = [], threading.Lock(), os.getpid()
        if self._why:
            raise ServiceEndedError(self.why_it_ended)
        with self._lock:
            if self._free:
                return self._free.pop()
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            server.connect(str(self.control_path))
        except BaseException:
            server.close()
            raise
        return server

    # --- the watchdog

    def _watch(self) -> None:
        """Ends the process if it is silent: whoever waits for it goes on then, and is told why."""
        while not self._over.wait(_LOOK_S):
            try:
                self._ask({"do": "list"}, limit_s=SILENT_S)
            except TimeoutError:
                if not self._over.is_set():
                    self._bark()
                return
            except VscError:
                return  # It has ended.

    def _bark(self) -> None:
        process = self._process
        if process is None:
            return
        self._why = f"it was silent for {SILENT_S} s, and was ended; the stacks of both processes are on standard error"
        out = 2 if self._stderr is None else self._stderr
        with suppress(OSError):
            os.write(out, b"\nvsc: the process that serves PC/SC is silent; the stacks of this one:\n")
            faulthandler.dump_traceback(out)
            os.write(out, b"\nvsc: its own:\n")
            process.send_signal(signal.SIGABRT)  # Its faulthandler prints them, and it ends.
            process.send_signal(signal.SIGCONT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_STACKS_S)
            process.kill()
            os.write(out, f"\nvsc: {self.why_it_ended}\n".encode())


def _taken(numbers: deque[int]) -> list[int]:
    """Empties it; finalizers may add to it meanwhile."""
    taken = []
    with suppress(IndexError):
        while numbers:
            taken.append(numbers.popleft())
    return taken


def _first_line(pipe: IO[bytes]) -> bytes:
    """What it says first; empty if it ends before, or says nothing for half a minute."""
    poller = select.poll()
    poller.register(pipe, select.POLLIN)
    return pipe.readline() if poller.poll(START_S * 1000) else b""


def _line(server: socket.socket, limit_s: float | None) -> bytes:
    """One answer. OSError if the server hangs up; TimeoutError."""
    received = bytearray()
    left_s = limit_s
    while not received.endswith(b"\n"):
        if left_s is not None:
            server.settimeout(1.0)
        try:
            piece = server.recv(_RECEIVE_BYTES)
        except TimeoutError:
            assert left_s is not None
            left_s -= 1.0
            if left_s <= 0:
                raise
            continue
        finally:
            server.settimeout(None)
        if not piece:
            raise OSError("it has hung up")
        received += piece
    return bytes(received)
