"""Machines that nobody has closed are closed when the process ends: their cards are unplugged, their threads ended."""

import atexit
from typing import Protocol
from weakref import WeakSet


class _Closeable(Protocol):
    def close(self) -> None: ...


_open: WeakSet[_Closeable] = WeakSet()


def closes_at_exit(machine: _Closeable) -> None:
    """Has the machine closed at exit, if it still exists then. Closing twice must be harmless."""
    _open.add(machine)


@atexit.register
def _close_all() -> None:
    for machine in tuple(_open):
        machine.close()
