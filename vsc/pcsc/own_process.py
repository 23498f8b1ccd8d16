"""Pointing this very process at a service: for pyscard, or any binding of libpcsclite, inside a test run.

libpcsclite reads PCSCLITE_CSOCK_NAME once in the life of a process, at the first SCardEstablishContext, and keeps it.
Setting the variable before that is enough, setting it afterwards does nothing at all; and the library tells nobody
which it is. So where the library is loaded already, it is asked: a context is established, and the service knows
whether this process has just connected to it.

One process has one service, therefore. Its readers and cards can come and go.
"""

import ctypes
import os
from pathlib import Path

from vsc.pcsc.errors import TooLateError
from vsc.pcsc.service import VARIABLE, Service

_SCOPE_SYSTEM = 2


def use_in_this_process(service: Service) -> None:
    """Makes PC/SC in this process, and in those it starts, use this service, which must be running.

    TooLateError when libpcsclite has been used before with another socket; the environment is then left as it was.
    The limit: a copy of libpcsclite that is linked into a program statically is not found, and not asked.
    """
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = str(service.socket_path)
    for library in _loaded():
        if not _reaches(service, library):
            _restore(before)
            raise TooLateError(
                f"{library} of this process talks to another PC/SC service already, and does so for ever: "
                "call use_in_this_process before the first use of PC/SC"
            )


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
