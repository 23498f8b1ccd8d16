"""pcscd with vpcd as a machine: cards of the store in vpcd's slots, served by this process, seen by every program.

A slot of vpcd is a reader of PC/SC whether it holds a card or not, so readers do not come and go here: to plug a card
in is to put it into the first free slot. While it is there the slot is a virtual reader; afterwards it is one among
others again.
"""

import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from queue import Empty, SimpleQueue

from vpcd_bridge import DEFAULT_ADDRESS, Event, EventKind, VpcdError, VpcdUnavailable
from vpcd_bridge.client import SILENT_AFTER_S
from vpcd_bridge.event import name_of
from vpcd_bridge.port import PoweredCard
from vsc.errors import CardInUseError, CardNotFoundError, NoPcscError, ReaderNotFoundError, VscError
from vsc.factory import home_store
from vsc.machine.herald import Herald
from vsc.machine.left_open import closes_at_exit
from vsc.machine.pcsc import UNKNOWN, Description, PcscConnection
from vsc.machine.pcsc_readers import PcscReaders
from vsc.machine.plugged import PluggedCard
from vsc.machine.port import MachineReader, ReaderKind, Watcher
from vsc.machine.winscard import State
from vsc.serving.vpcd import VpcdSlot
from vsc.store import Store

APPEARS_WITHIN_S = 15.0
"""pcscd shows a card 0.4 s after it came, or went; longer on a busy machine."""
MAX_SLOTS = 16
"""pcscd has room for no more readers."""
_PROBE = bytes.fromhex("00CA010000")
"""GET DATA for an object that no card of ours has."""


class VpcdMachine:
    """The readers of PC/SC, and vpcd's slots to plug cards into.

    store: where the cards are; None: the one that VSC_HOME names at the time. host, port: of vpcd's first slot; the
    others follow, a port each. A slot that another program's card holds is passed over, two seconds later.
    """

    def __init__(
        self, store: Store | None = None, *, host: str = DEFAULT_ADDRESS[0], port: int = DEFAULT_ADDRESS[1]
    ) -> None:
        self._store = store
        self._host = host
        self._port = port
        self._lock = threading.RLock()
        self._held: dict[str, _Held] = {}
        """By the names of the slots' readers. Read without the lock."""
        self._is_settled = threading.Event()
        self._is_settled.set()
        self._herald = Herald(lambda _: self._pcsc.start())
        self._pcsc = PcscReaders(self._herald, describe=self._describe, settle=self._settle)
        closes_at_exit(self)

    @property
    def store(self) -> Store:
        return self._store if self._store is not None else home_store()

    def readers(self) -> tuple[MachineReader, ...]:
        return self._pcsc.readers()

    def plug(self, card_name: str) -> MachineReader:
        """As `Machine.plug`. NoPcscError if there is no vpcd, ReaderNotFoundError if it has no free slot."""
        with self._lock, ExitStack() as undo:
            if any(held.card_name == card_name for held in self._held.values()):
                raise CardInUseError(f"card {card_name!r} is plugged in already")
            self._is_settled.clear()
            undo.callback(self._is_settled.set)
            before = self._pcsc.pcsc.states()
            with ExitStack() as failure:
                card = PluggedCard(card_name, store=self.store, reader_name="vpcd", wrap=_Overheard)
                failure.callback(card.give_back)
                held = self._in_free_slot(card)
                failure.callback(held.stop)
                name = self._seen_as(held, before)
                self._held[name] = held
                failure.pop_all()
            undo.close()
            self._pcsc.look_again()
            return self._pcsc.reader(name)

    def unplug(self, card_name: str) -> None:
        with self._lock:
            name = next((name for name, held in self._held.items() if held.card_name == card_name), None)
            if name is None:
                raise CardNotFoundError(f"card {card_name!r} is not plugged in")
            held = self._held[name]
            held.stop()
            with suppress(NoPcscError):  # pcscd has gone before.
                self._pcsc.pcsc.wait_for(lambda states: not _holds_card(states, name), APPEARS_WITHIN_S)
                self._pcsc.look_again()
            del self._held[name]
            held.card.give_back()

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        return self._herald.watch(watcher)

    def close(self) -> None:
        # The lock is not held while watchers end: they may ask for it.
        with ExitStack() as undo:
            undo.callback(self._pcsc.close)
            undo.callback(self._herald.close)
            with self._lock:
                for held in tuple(self._held.values()):
                    self.unplug(held.card_name)

    def _in_free_slot(self, card: PluggedCard) -> "_Held":
        taken = {held.port for held in self._held.values()}
        for port in range(self._port, self._port + MAX_SLOTS):
            if port in taken:
                continue
            held = _Held(card, self._host, port)
            try:
                if held.start():
                    return held
            except VpcdError as error:
                if isinstance(error.__cause__, TimeoutError):
                    continue  # A slot that is taken lets the first caller wait, and has no room for a second one.
                if port == self._port:
                    raise NoPcscError(str(error)) from None
                break
        raise ReaderNotFoundError(f"vpcd at {self._host}:{self._port} has no free slot")

    def _seen_as(self, held: "_Held", before: dict[str, State]) -> str:
        """Waits until PC/SC shows the card; returns the reader's name."""
        found: list[str] = []

        def is_found(states: dict[str, State]) -> bool:
            new = [name for name in states if _holds_card(states, name) and self._is_new(name, states, before)]
            found[:] = [name for name in new if states[name].atr == held.card.reader.atr]
            return any(len(found) == 1 or held.hears(name) for name in found)

        if not self._pcsc.pcsc.wait_for(is_found, APPEARS_WITHIN_S):
            raise VscError(f"PC/SC does not show the card that is in vpcd's slot at {self._host}:{held.port}")
        # More than one: another program plugged in a card of the same kind at the same time.
        return found[0] if len(found) == 1 else next(name for name in found if held.hears(name))

    def _is_new(self, name: str, states: dict[str, State], before: dict[str, State]) -> bool:
        if name in self._held:
            return False
        was = before.get(name)
        return was is None or not was.is_present or was.counter != states[name].counter

    def _describe(self, reader_name: str) -> Description:
        held = self._held.get(reader_name)
        return UNKNOWN if held is None else Description(ReaderKind.VIRTUAL, held.card_name)

    def _settle(self) -> None:
        """While a card is being plugged in, nobody can say which reader is its."""
        self._is_settled.wait()


def _holds_card(states: dict[str, State], name: str) -> bool:
    return name in states and states[name].is_present


class _Held:
    """A card in a slot of vpcd, and the thread that serves it."""

    def __init__(self, card: PluggedCard, host: str, port: int) -> None:
        self.card = card
        self.port = port
        self._news: SimpleQueue[Event | Exception] = SimpleQueue()
        # Once connected it never gives up: the card comes back to a pcscd that was restarted.
        self._slot = VpcdSlot(card.reader, (host, port), on_event=self._news.put, connect_timeout_s=SILENT_AFTER_S)
        self._thread = threading.Thread(target=self._run, name=f"vsc-vpcd-{port}", daemon=True)

    @property
    def card_name(self) -> str:
        return self.card.card_name

    def start(self) -> bool:
        """Returns when vpcd has taken the card: True; False if the slot is taken. VpcdError if there is none."""
        self._thread.start()
        while True:  # Until there is news that counts, or none in time.
            try:
                news = self._news.get(timeout=APPEARS_WITHIN_S)
            except Empty:
                news = VscError("vpcd does not take the card")
            if isinstance(news, Event):
                if news.kind is EventKind.READY:
                    return True
                if news.kind is EventKind.WAITING:  # It is refused, and would be again.
                    news = VpcdUnavailable(f"nothing answers at {name_of(news.address)}: is pcscd running, with vpcd?")
                elif news.kind not in (EventKind.SILENT, EventKind.LOST):
                    continue
            self.stop()
            if isinstance(news, Exception):
                raise news
            return False

    def stop(self) -> None:
        """Takes the card out of the slot."""
        self._slot.stop()
        self._thread.join()

    def hears(self, reader_name: str) -> bool:
        """Whether what is said to the card in that reader of PC/SC is heard by ours."""
        card = self.card.reader.card
        assert isinstance(card, _Overheard)
        card.has_heard = False
        with suppress(VscError), PcscConnection(reader_name) as connection:
            connection.transmit(_PROBE)
        return card.has_heard

    def _run(self) -> None:
        try:
            self._slot.run()
        except Exception as error:
            self._news.put(error)


class _Overheard:
    """A card, and whether it has heard the probe."""

    def __init__(self, card: PoweredCard) -> None:
        self._card = card
        self.has_heard = False

    @property
    def atr(self) -> bytes:
        return self._card.atr

    def power_on(self) -> bytes:
        return self._card.power_on()

    def power_off(self) -> None:
        self._card.power_off()

    def reset(self) -> bytes:
        return self._card.reset()

    def transmit(self, command: bytes) -> bytes:
        self.has_heard |= command == _PROBE
        return self._card.transmit(command)
