"""Pointing this very process at a service: for pyscard, or any binding of libpcsclite, inside a test run.

libpcsclite reads PCSCLITE_CSOCK_NAME once in the life of a process, at the first SCardEstablishContext, and keeps it.
Setting the variable before that is enough, setting it afterwards does nothing at all; and the library tells nobody
which it is. So where the library is loaded already, it is asked: a context is established, and the service knows
whether this process has just connected to it.

One process has one service, therefore. Its readers and cards can come and go. The service is in another process
(`vsc.serving.owner`): a client in this one may hold the interpreter's lock while it waits for an answer.
"""

import atexit
import ctypes
import gc
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Protocol
from weakref import WeakSet

from vsc.pcsc.errors import PcscError, TooLateError
from vsc.pcsc.service import VARIABLE, Service

_SCOPE_SYSTEM = 2


class OutsideService(Protocol):
    """A service in another process that ends with this one."""

    @property
    def socket_path(self) -> Path: ...

    def clients_of(self, pid: int) -> int:
        """How many connections that process has made so far."""
        ...

    def let_go(self) -> None:
        """This process ends: takes the readers away, so that a connection that is closed now waits for nobody."""
        ...


def use_in_this_process(service: OutsideService) -> None:
    """Makes PC/SC in this process, and in those it starts, use this service, which must be running.

    TooLateError when libpcsclite has been used before with another socket; the environment is then left as it was.
    The limit: a copy of libpcsclite that is linked into a program statically is not found, and not asked. PcscError
    for a `Service`, which is in this process, and is for others.
    """
    if isinstance(service, Service):
        raise PcscError(
            "a Service has its readers in this process, and is for clients in others: those in this one would wait for "
            "it, and it for them. Use vsc.testing.Lab, which has a process of its own for them"
        )
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = str(service.socket_path)
    for library in _loaded():
        if not _reaches(service, library):
            _restore(before)
            raise TooLateError(
                f"{library} of this process talks to another PC/SC service already, and does so for ever: "
                "nothing in it may use PC/SC before use_in_this_process, or the first fixture of vsc, is at work"
            )
    if not _users:
        atexit.register(_end, os.getpid())
    _users.add(service)


_users: WeakSet[OutsideService] = WeakSet()
"""The services that this process has used. More than one: one after the other, at the same path."""


def _end(pid: int) -> None:
    """Has connections that were forgotten closed while the service is there; it ends a moment after this process."""
    if os.getpid() != pid:  # A child made by fork: the connections are its parent's.
        return
    for name in ("last_exc", "last_value", "last_traceback"):  # What pytest keeps of a test that has failed.
        sys.__dict__.pop(name, None)
    for service in list(_users):
        with suppress(PcscError):
            # Else a finalizer would wait for the end of another connection's transaction, which nobody ends.
            service.let_go()
    gc.collect()


def _loaded() -> list[Path]:
    """Every libpcsclite in this process: bindings may bring their own."""
    words = (line.split(maxsplit=5) for line in Path("/proc/self/maps").read_text().splitlines())
    paths = {Path(fields[5]) for fields in words if len(fields) == 6}
    return sorted(path for path in paths if path.name.startswith("libpcsclite.so"))


def _reaches(service: OutsideService, library: Path) -> bool:
    seen = service.clients_of(os.getpid())
    pcsc = ctypes.CDLL(str(library))
    context = ctypes.c_long()
    if pcsc.SCardEstablishContext(ctypes.c_ulong(_SCOPE_SYSTEM), None, None, ctypes.byref(context)) == 0:
        pcsc.SCardReleaseContext(context)
    return service.clients_of(os.getpid()) > seen


def _restore(before: str | None) -> None:
    if before is None:
        del os.environ[VARIABLE]
    else:
        os.environ[VARIABLE] = before
