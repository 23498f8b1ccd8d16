"""Pointing this very process at a service: for pyscard, or any binding of libpcsclite, inside a test run.

libpcsclite reads PCSCLITE_CSOCK_NAME once in the life of a process, at the first SCardEstablishContext, and keeps it.
Setting the variable before that is enough, setting it afterwards does nothing at all; and the library tells nobody
which it is. So where the library is loaded already, it is asked: a context is established, and the service knows
whether this process has just connected to it.

One process has one service, therefore. Its readers and cards can come and go.

From then on Python's garbage collector runs in a thread of its own (`vsc.pcsc.collector`): anywhere else it could
close a forgotten connection in a thread of the service, which would wait for itself for ever.
"""

import atexit
import ctypes
import os
import sys
from pathlib import Path
from weakref import WeakSet

from vsc.pcsc.collector import Collector
from vsc.pcsc.errors import TooLateError
from vsc.pcsc.service import VARIABLE, Service

_SCOPE_SYSTEM = 2


def use_in_this_process(service: Service) -> None:
    """Makes PC/SC in this process, and in those it starts, use this service, which must be running.

    TooLateError when libpcsclite has been used before with another socket; the environment is then left as it was.
    The limit: a copy of libpcsclite that is linked into a program statically is not found, and not asked. Until the
    process ends, garbage is collected in a thread of its own, and `gc.isenabled()` is False. The service is stopped
    then.
    """
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = str(service.socket_path)
    for library in _loaded():
        if not _reaches(service, library):
            _restore(before)
            raise TooLateError(
                f"{library} of this process talks to another PC/SC service already, and does so for ever: "
                "nothing in it may use PC/SC before use_in_this_process, or the first fixture of vsc, is at work"
            )
    _users.add(service)
    if not _collectors:
        _collect_in_a_thread()


_users: WeakSet[Service] = WeakSet()
"""The services that this process has used. More than one: one after the other, at the same path."""

_collectors: list[Collector] = []
"""None or one: that of this process."""


def _collect_in_a_thread() -> None:
    collector, pid = Collector(), os.getpid()
    _collectors.append(collector)
    collector.start()

    def end() -> None:
        if os.getpid() != pid:  # A child made by fork has no such threads, and its connections are its parent's.
            return
        for name in ("last_exc", "last_value", "last_traceback"):  # What pytest keeps of a test that has failed.
            sys.__dict__.pop(name, None)
        services = list(_users)
        for service in services:
            for reader in service.readers:  # A finalizer would wait for the end of another one's transaction in it.
                service.remove_reader(reader)
        collector.stop()
        for service in services:
            service.stop()  # Whatever is finalized later finds nobody, and does not wait for a thread that is no more.

    atexit.register(end)


def _loaded() -> list[Path]:
    """Every libpcsclite in this process: bindings may bring their own."""
    words = (line.split(maxsplit=5) for line in Path("/proc/self/maps").read_text().splitlines())
    paths = {Path(fields[5]) for fields in words if len(fields) == 6}
    return sorted(path for path in paths if path.name.startswith("libpcsclite.so"))


def _reaches(service: Service, library: Path) -> bool:
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
