"""Putting ours in the place of pyscard's own, and back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from vsc.pyscard.registry import registry
from vsc.pyscard.request import InProcessCardRequest, InProcessReader
from vsc.pyscard.stand_in import HAS_PYSCARD, pyscard
from vsc.reader import Reader, ReaderError


@contextmanager
def registered(*readers: Reader) -> Iterator[None]:
    """Makes pyscard see these readers, and no PC/SC ones, in this process until the block ends.

    Blocks may be nested or overlap: pyscard sees the readers of all. Two of one name: ValueError. Observers of
    CardMonitor and ReaderMonitor belong inside; they hear that the cards are gone when the block ends.
    ReaderError where pyscard is missing.
    """
    if not HAS_PYSCARD:
        raise ReaderError("pyscard is not installed: pip install virtual-smart-card[pcsc]")
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
