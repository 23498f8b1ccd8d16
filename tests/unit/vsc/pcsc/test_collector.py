"""The garbage collector in a thread of its own."""

import gc
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator

import pytest

from tests.interop.need import require_module
from vsc.pcsc.collector import Collector


@pytest.fixture(autouse=True)
def _enabled() -> Iterator[None]:
    """As Python has it, whatever was used in this process before."""
    before = gc.isenabled()
    gc.enable()
    yield
    if before:
        gc.enable()
    else:
        gc.disable()


class Cycle:
    def __init__(self) -> None:
        self.me = self


def test_the_collector_collects_in_its_own_thread() -> None:
    collector, where = Collector(), []
    collected = threading.Event()

    def note(_: object) -> None:
        where.append(threading.current_thread().name)
        collected.set()

    assert gc.isenabled()
    collector.start()
    try:
        assert not gc.isenabled()
        garbage = Cycle()
        ref = weakref.ref(garbage, note)
        del garbage
        kept = [[] for _ in range(2 * gc.get_threshold()[0])]  # type: ignore[var-annotated]
        assert collected.wait(60)
    finally:
        collector.stop()
    assert (where, ref(), len(kept) > 0) == (["vsc-collector"], None, True)
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        collector = Collector()
        collector.start()
        collector.stop()
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_threshold_of_0_means_never() -> None:
    collector, before = Collector(), gc.get_threshold()
    starts: list[str] = []
    looked = threading.Event()

    def note(phase: str, _: object) -> None:
        starts.append(phase)

    class Wait(threading.Event):
        """Lets the collector look three times."""

        looks = 0

        def wait(self, timeout: float | None = None) -> bool:
            self.looks += 1
            if self.looks > 3:
                looked.set()
                return super().wait()
            return False

    collector._over = Wait()
    gc.set_threshold(0)
    gc.callbacks.append(note)
    try:
        collector.start()
        kept = [[] for _ in range(100)]  # type: ignore[var-annotated]
        assert looked.wait(60)
        assert (starts, len(kept)) == ([], 100)
    finally:
        gc.callbacks.remove(note)
        gc.set_threshold(*before)
        collector.stop()


def test_a_child_made_by_fork_collects_as_python_does() -> None:
    code = (
        "import gc, os\n"
        "from vsc.pcsc.collector import Collector\n"
        "collector = Collector()\n"
        "collector.start()\n"
        "if (child := os.fork()) == 0:\n"
        "    os._exit(gc.isenabled())\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), gc.isenabled())\n"
        "collector.stop()\n"
        "print(gc.isenabled())\n"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "False", "True"]


BEGIN = """
import faulthandler, gc
from vsc.pcsc import Service, use_in_this_process
from vsc.reader import Reader
from vsc.testing import SoftCard

faulthandler.dump_traceback_later(60, exit=True)
reader, service = Reader(), Service()
service.start()
use_in_this_process(service)
service.add_reader(reader)
reader.insert(SoftCard.make())
from smartcard.System import readers


def connect():
    connection = readers()[0].createConnection()
    connection.connect(disposition=0)
    return connection
"""
FORGET = """
gc.set_threshold(50)
for _ in range(200):
    connection = connect()
    connection.transmit([0, 0xA4, 4, 0, 0])
    cycle = [connection]
    cycle.append(cycle)
    reader.insert(reader.eject())
print(gc.isenabled())
"""
FORGET_BESIDE_A_TRANSACTION = """
from smartcard.scard import SCardBeginTransaction

first = connect()
cycle = [connect()]
cycle.append(cycle)
SCardBeginTransaction(first.component.hcard)
del cycle
print(gc.isenabled())
"""


@pytest.mark.parametrize(
    ("code", "is_silent"),
    [(FORGET + "del connection, cycle\n", True), (FORGET, False), (FORGET_BESIDE_A_TRANSACTION, False)],
    ids=["all", "but one", "beside a transaction"],
)
def test_connections_that_nobody_closed_without_a_lab(code: str, is_silent: bool) -> None:
    """They would be closed in a thread of the service, or with the interpreter when its threads are no more: both wait
    for ever. pyscard complains of those that it closes when the service has ended."""
    require_module("smartcard")
    done = subprocess.run([sys.executable, "-c", BEGIN + code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "False\n")
    assert not is_silent or done.stderr == ""
