"""Putting ours in the place of pyscard's own, and back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from vsc.pyscard.library import pyscard
from vsc.pyscard.registry import registry
from vsc.pyscard.request import InProcessCardRequest, InProcessReader
from vsc.reader import Reader


@contextmanager
def registered(*readers: Reader) -> Iterator[None]:
    """Makes pyscard see these readers, and no PC/SC ones, in this process until the block ends.

    Blocks may be nested or overlap: pyscard sees the readers of all. Two of one name: ValueError. Observers of
    CardMonitor and ReaderMonitor belong inside; they hear that the cards are gone when the block ends.
    """
    with registry.block(readers, _install):
        yield


def _install() -> Callable[[], None]:
    """Puts ours in the place of pyscard's own: list of readers, card request, monitor. Returns what undoes it."""
    factory, requests = pyscard("reader.ReaderFactory").ReaderFactory, pyscard("CardRequest")
    monitoring = pyscard("CardMonitoring")
    methods, request = list(factory.factorymethods), requests.PCSCCardRequest
    monitor, thread = monitoring.CardMonitor.instance, monitoring.CardMonitoringThread.instance

    factory.factorymethods[:] = [InProcessReader.readers]
    requests.PCSCCardRequest = InProcessCardRequest
    monitoring.CardMonitor.instance = monitoring.CardMonitoringThread.instance = None
    if monitor is not None:
        monitoring.CardMonitor()  # Objects made before look the one monitor up, and must find one.

    def undo() -> None:
        factory.factorymethods[:] = methods
        requests.PCSCCardRequest = request
        monitoring.CardMonitor.instance, monitoring.CardMonitoringThread.instance = monitor, thread

    return undo
