"""The service there, with the readers that were made by this handle."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from vsc.pcsc.engine import MAX_FAULTS
from vsc.pcsc.errors import PcscError
from vsc.serving.owner import ServiceEndedError, ServiceProcess
from vsc.serving.travel import unpacked
from vsc.testing.reader import VirtualReader
from vsc.testing.served.card import Cards
from vsc.testing.served.reader import ServedReader


class ServedService:
    """The PC/SC service there: what `vsc.pcsc.Service` is here. It has the readers that `new_reader` has made."""

    def __init__(self, process: ServiceProcess) -> None:
        self.process = process
        self._cards = Cards(process)
        self._readers: list[ServedReader] = []
        self._bugs: list[tuple[int, Exception]] = []

    @property
    def readers(self) -> tuple[ServedReader, ...]:
        return tuple(self._readers)

    def new_reader(self, name: str) -> ServedReader:
        """Plugs an empty reader in; when it returns, clients can see it. PcscError if its name is taken."""
        reader = ServedReader(name, self.process, self._cards)
        self._readers.append(reader)
        return reader

    def remove_reader(self, reader: VirtualReader) -> None:
        """Unplugs it, with its card. PcscError if it is not here."""
        if not isinstance(reader, ServedReader) or reader not in self._readers:
            raise PcscError(f"{reader.name!r} is not on this service")
        self._readers.remove(reader)
        reader.call("remove")

    def close(self, readers: Iterable[VirtualReader]) -> None:
        """Takes readers away, with their cards and faults: all of them, whatever a card raises at that."""
        served = [reader for reader in readers if isinstance(reader, ServedReader)]
        self._readers = [reader for reader in self._readers if reader not in served]
        try:
            with suppress(ServiceEndedError):  # Then they are gone already.
                self.process.call("close", [reader.slot for reader in served])
        finally:
            for reader in served:
                reader.ended()

    @property
    def faults(self) -> tuple[Exception, ...]:
        """The last exceptions of cards: bugs, for which clients were given 6F00."""
        after = self._bugs[-1][0] if self._bugs else 0
        new = [(number, unpacked(bug).again()) for number, bug in self.process.call("bugs", after)]
        self._bugs = [*self._bugs, *new][-MAX_FAULTS:]
        return tuple(bug for _, bug in self._bugs)

    @property
    def socket_path(self) -> Path:
        return self.process.socket_path

    @property
    def folder(self) -> Path:
        return self.process.socket_path.parent

    @property
    def environment(self) -> dict[str, str]:
        return self.process.environment

    def settle(self) -> None:
        """Returns when clients can see whatever has happened to the readers: there, every call does so."""
        self.process.call("ping")

    def come_back(self) -> None:
        self.process.call("come_back")

    def set_failing(self, reader: VirtualReader, failing: bool) -> None:
        """The reader is out of order (clients see SCARD_STATE_UNAVAILABLE), or works again."""
        if isinstance(reader, ServedReader):
            reader.call("set_failing", failing)

    def clients_of(self, pid: int) -> int:
        return self.process.clients_of(pid)

    def let_go(self) -> None:
        """Takes all readers away: a connection that is still open leads nowhere then, and waits for nobody."""
        self.close(self._readers)
        self.process.let_go()
