"""The process that serves PC/SC to one other process, its owner (`owner.ServiceProcess` starts it).

It ends when its owner ends, however that ends: it watches the owner's process, and a pipe whose other end the owner
has. Then nothing of it is left, no socket, no folder; nor is if a card is computing just then.
"""

import faulthandler
import json
import os
import select
import signal
import sys
import threading
from contextlib import ExitStack
from typing import Any

from vsc.pcsc import Service
from vsc.serving.control import NAME, ControlServer
from vsc.serving.owned_desk import CALLS, OwnedDesk
from vsc.serving.travel import NotImportableError, packed, packed_error, unpacked

SILENT_S = 30
"""What is silent for so long will never answer."""
_END_S = 3.0
_LOOK_S = 5.0
_FROM_THE_KEYBOARD = (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP)


class OwnedServer(ControlServer):
    """The control socket of such a process: it has one verb more, by which the owner's handles call the desk.

    {"do": "call", "work": "<a name, arguments and options, packed>"}

    {"ok": {"value": "<packed>"}}        {"ok": {"raised": "<packed>"}}
    {"ok": {"unknown": "conftest"}}      that module cannot be imported here: nothing has been done
    """

    max_line_bytes = 256 * 1024 * 1024
    client_s = None  # It is the owner, and may be in the middle of something.

    def __init__(self, service: Service, desk: OwnedDesk) -> None:
        super().__init__(service.folder / NAME, desk, service.settle)
        self._owned = desk

    def _do(self, verb: str, request: dict[str, Any]) -> object:
        return self._call(request["work"]) if verb == "call" else super()._do(verb, request)

    def _call(self, work: str) -> dict[str, str]:
        try:
            name, args, options = unpacked(work)
        except NotImportableError as error:
            return {"unknown": error.module}
        except Exception as error:  # Whatever an object raises when it is put together.
            return {"raised": packed_error(error)}
        if name == "path":
            sys.path[:] = args[0]
            return {"value": packed(None)}
        try:
            assert name in CALLS, name
            return {"value": packed(getattr(self._owned, name)(*args, **options))}
        except Exception as error:
            return {"raised": packed_error(error)}


def main(owner: int) -> None:
    """Serves until the owner ends. owner: its process."""
    faulthandler.enable()
    for number in _FROM_THE_KEYBOARD:  # They are for the owner, which ends us in time.
        signal.signal(number, signal.SIG_IGN)
    end_read, end_write = os.pipe()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: os.write(end_write, b"!"))
    watched = _Watched(owner, end_read)
    with ExitStack() as stack:
        service = Service()
        service.start()
        stack.callback(service.stop)
        desk = OwnedDesk(service)
        control = stack.enter_context(OwnedServer(service, desk))
        print(json.dumps([str(service.socket_path), str(control.path)]), flush=True)  # noqa: T201
        os.dup2(2, 1)  # What a card prints must not wait for somebody to read it.
        threading.Thread(target=_watch_ourselves, args=(service,), name="vsc-heart", daemon=True).start()
        watched.wait()
        threading.Timer(_END_S, _give_up, args=(service,)).start()
    os._exit(0)  # There may be threads in which a card still computes.


def _give_up(service: Service) -> None:
    """Ends although a card computes."""
    service.abandon()
    os._exit(0)


class _Watched:
    """Waits for the end of the owner, of the pipe, or of what a signal closes."""

    def __init__(self, owner: int, end: int) -> None:
        self._poller = select.poll()
        self._poller.register(0, select.POLLIN | select.POLLHUP)
        self._poller.register(end, select.POLLIN | select.POLLHUP)
        self._is_late = False
        # A child that the owner has forked has the pipe, too, and may outlive it.
        try:
            self._poller.register(os.pidfd_open(owner), select.POLLIN)
        except ProcessLookupError:
            self._is_late = True
        except OSError:  # Not with this kernel, or not in this sandbox: the pipe must do.
            pass

    def wait(self) -> None:
        if not self._is_late:
            self._poller.poll()


def _watch_ourselves(service: Service) -> None:
    """Ends the process, with all stacks, if its engine does not come back: clients that wait for it go on then.

    Time in which nobody runs us, in a container that is frozen say, does not count.
    """
    while True:  # As long as the process lives.
        came_back = threading.Event()

        def look(came_back: threading.Event = came_back) -> None:
            service.settle()
            came_back.set()

        threading.Thread(target=look, name="vsc-heartbeat", daemon=True).start()
        if not any(came_back.wait(1.0) for _ in range(SILENT_S)):
            faulthandler.dump_traceback()
            print(f"vsc: the PC/SC service was silent for {SILENT_S} s; its stacks are above", file=sys.stderr)  # noqa: T201
            service.abandon()
            os._exit(1)
        threading.Event().wait(_LOOK_S)
