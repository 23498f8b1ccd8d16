"""Which machine is meant where nobody says: `current`.

In a `with use(machine)` block it is that one, for the code of the block and what it calls or starts in its context
(`contextvars`: asyncio tasks and watchers have it, a bare `threading.Thread` has not). Otherwise it is the one that
`use_everywhere` named, and failing that the machine around this process: the service of a surrounding `vsc run` or
`vsc serve`, if VSC_SOCKET says that there is one, else this process itself. That one is made when it is first needed.
Whatever machine is left open is closed when the process ends.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from vsc.machine.in_process import InProcessMachine
from vsc.machine.port import Machine
from vsc.machine.served import ServedMachine
from vsc.serving.control import VARIABLE

_used: ContextVar[Machine | None] = ContextVar("vsc_machine", default=None)
_lock = threading.Lock()
_everywhere: Machine | None = None
_around: dict[str, Machine] = {}
"""The machines around this process, by what VSC_SOCKET said: one, unless it was changed."""


def current() -> Machine:
    """Returns the machine that is meant here."""
    return _used.get() or _everywhere or _machine_around()


@contextmanager
def use(machine: Machine) -> Iterator[Machine]:
    """Makes `current` that machine in the block; does not close it."""
    token = _used.set(machine)
    try:
        yield machine
    finally:
        _used.reset(token)


def use_everywhere(machine: Machine | None) -> None:
    """Makes `current` that machine in every thread that has none of its own; None: the one around, again."""
    global _everywhere  # noqa: PLW0603 - it is the one of the process
    _everywhere = machine


def _machine_around() -> Machine:
    socket = os.environ.get(VARIABLE, "")
    with _lock:
        if socket not in _around:
            _around[socket] = ServedMachine() if socket else InProcessMachine()
        return _around[socket]


def _forget_parent() -> None:
    """In a child made by fork: the parent's threads are not here, and its cards are not ours."""
    global _everywhere, _lock  # noqa: PLW0603
    _lock = threading.Lock()
    _everywhere = None
    _around.clear()


os.register_at_fork(after_in_child=_forget_parent)
