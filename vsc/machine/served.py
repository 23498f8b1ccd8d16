"""The machine inside `vsc run` and `vsc serve`: their service's readers, seen through PC/SC as every program sees them.

Cards are plugged in and unplugged through the control socket ($VSC_SOCKET), which also tells whose card is in which
reader; everything else goes through libpcsclite ($PCSCLITE_CSOCK_NAME) and needs pyscard.
"""

import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from vsc.errors import CardNotFoundError
from vsc.factory import home_store
from vsc.machine.herald import Herald
from vsc.machine.left_open import closes_at_exit
from vsc.machine.pcsc import UNKNOWN, Description
from vsc.machine.pcsc_readers import PcscReaders
from vsc.machine.port import MachineReader, ReaderKind, Watcher
from vsc.serving.control import ControlError, ask, contents
from vsc.store import Store


class ServedMachine:
    """The readers of the service around this process. Without pyscard all calls raise NoPcscError.

    store: where the service finds its cards; None: the one that VSC_HOME names at the time. socket: the service's
    control socket; None: the one that VSC_SOCKET names.
    """

    def __init__(self, store: Store | None = None, *, socket: Path | None = None) -> None:
        self._store = store
        self._socket = socket
        self._lock = threading.RLock()
        self._plugged: set[str] = set()
        """The cards that this object has plugged in."""
        self._herald = Herald(lambda _: self._pcsc.start())
        self._pcsc = PcscReaders(self._herald, describe=self._describe)
        closes_at_exit(self)

    @property
    def store(self) -> Store:
        return self._store if self._store is not None else home_store()

    def readers(self) -> tuple[MachineReader, ...]:
        return self._pcsc.readers()

    def plug(self, card_name: str) -> MachineReader:
        with self._lock:
            name = ask(self._socket, {"do": "plug", "what": card_name})
            self._plugged.add(card_name)
            try:
                return self._pcsc.shown(name)
            except BaseException:
                self.unplug(card_name)
                raise

    def unplug(self, card_name: str) -> None:
        with self._lock:
            ask(self._socket, {"do": "unplug", "what": card_name})
            self._plugged.discard(card_name)
            self._pcsc.look_again()

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        return self._herald.watch(watcher)

    def close(self) -> None:
        # The lock is not held while watchers end: they may ask for it.
        with ExitStack() as undo:
            undo.callback(self._pcsc.close)
            undo.callback(self._herald.close)
            with self._lock:
                for card_name in tuple(self._plugged):
                    self._plugged.discard(card_name)
                    # Somebody else has unplugged it, or the service has gone and taken all with it.
                    with suppress(CardNotFoundError, ControlError):
                        self.unplug(card_name)

    def _describe(self, reader_name: str) -> Description:
        with suppress(ControlError):
            readers = contents(self._socket)
            if reader_name in readers:
                return Description(ReaderKind.VIRTUAL, readers[reader_name])
        return UNKNOWN
