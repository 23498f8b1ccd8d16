"""A test file for test_endurance.py, which runs it with the plugin: cards come, are used, meet a fault, and go.

Two clients over real libpcsclite, in this process: one that uses the card, and one that sleeps until the next change.
ROUND_TESTS says how many tests of a hundred rounds there are.
"""

import os
import queue
import threading
from typing import Any

import pytest
from smartcard import scard  # type: ignore[import-untyped]

from vsc.reader import EventKind
from vsc.testing import CardFactory, VirtualReader

ROUNDS = 100
SELECT = list(bytes.fromhex("00A4040009A00000039742544659"))
SELECTED = "61"
FOREVER = 0xFFFFFFFF
COMES_AND_GOES = (EventKind.INSERTED, EventKind.EJECTED)
FAULTS: tuple[tuple[str | None, int, str], ...] = (
    (None, scard.SCARD_S_SUCCESS, SELECTED),
    ("sw 6F00 on SELECT", scard.SCARD_S_SUCCESS, "6F00"),
    ("garble on SELECT", scard.SCARD_S_SUCCESS, "9E"),
    ("mute on SELECT", scard.SCARD_E_NOT_TRANSACTED, ""),
    ("lose on SELECT", scard.SCARD_E_NOT_TRANSACTED, ""),
    ("reset before SELECT", scard.SCARD_W_RESET_CARD, ""),
    ("remove before SELECT", scard.SCARD_W_REMOVED_CARD, ""),
    ("remove on SELECT", scard.SCARD_W_REMOVED_CARD, ""),
    ("remove after SELECT", scard.SCARD_S_SUCCESS, SELECTED),
    ("swap before SELECT", scard.SCARD_W_REMOVED_CARD, ""),
    ("share before SELECT", scard.SCARD_S_SUCCESS, SELECTED),  # libpcsclite tries again by itself.
    ("close on SELECT", scard.SCARD_F_COMM_ERROR, ""),
)
"""What strikes, and what the client gets: its return code, and how the answer begins."""


def good(result: Any) -> Any:
    """The values of a call that must succeed."""
    assert result[0] == scard.SCARD_S_SUCCESS, scard.SCardGetErrorMessage(result[0])
    return result[1:]


def new_context() -> Any:
    return good(scard.SCardEstablishContext(scard.SCARD_SCOPE_SYSTEM))[0]


class Watcher:
    """A client that sleeps in SCardGetStatusChange, and tells what has woken it: state, counter and ATR.

    It alone asks for states: libpcsclite keeps one list of them for all threads of a process, and no lock for it.
    """

    def __init__(self, reader: str) -> None:
        self._reader = reader
        self._seen: queue.SimpleQueue[tuple[int, bytes]] = queue.SimpleQueue()
        self._is_over = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self.first = self.last = self.until(scard.SCARD_STATE_EMPTY)[0] >> 16

    def _run(self) -> None:
        context, state = new_context(), scard.SCARD_STATE_UNAWARE
        while not self._is_over:
            ((_, state, atr),) = good(scard.SCardGetStatusChange(context, FOREVER, [(self._reader, state)]))[0]
            self._seen.put((state, bytes(atr)))
        good((scard.SCardReleaseContext(context),))

    def until(self, flag: int) -> tuple[int, bytes]:
        """State and ATR, as soon as the state has that flag."""
        while True:  # As long as there are states; whoever runs this has a time limit.
            state, atr = self._seen.get()
            if state & flag:
                self.last = state >> 16
                return state, atr

    def end_with_next(self) -> None:
        """It ends with whatever it sees next."""
        self._is_over = True

    def join(self) -> None:
        self._thread.join()


@pytest.mark.parametrize("number", range(int(os.environ.get("ROUND_TESTS", "0"))))
def test_rounds(virtual_reader: VirtualReader, card_factory: CardFactory, number: int) -> None:
    reader, card, watcher = virtual_reader, card_factory(), Watcher(virtual_reader.name)
    context = new_context()
    for turn in range(ROUNDS):
        fault, code, beginning = FAULTS[(number + turn) % len(FAULTS)]
        reader.insert(card)
        assert watcher.until(scard.SCARD_STATE_PRESENT)[1] == card.atr
        handle, _ = good(scard.SCardConnect(context, reader.name, scard.SCARD_SHARE_SHARED, scard.SCARD_PROTOCOL_ANY))
        if fault is not None:
            reader.inject(fault)
        got, answer = scard.SCardTransmit(handle, scard.SCARD_PCI_T1, SELECT)
        assert got == code, f"{fault}: {scard.SCardGetErrorMessage(got)}"
        if got == scard.SCARD_S_SUCCESS:
            assert bytes(answer).hex().upper().startswith(beginning), fault
        if reader.plan is not None:
            reader.plan.check()
            reader.plan.clear()
        if code == scard.SCARD_F_COMM_ERROR:
            context = new_context()
        else:
            good((scard.SCardDisconnect(handle, scard.SCARD_LEAVE_CARD),))
        if reader.card is not None:
            reader.eject()
        watcher.until(scard.SCARD_STATE_EMPTY)
    assert watcher.last - watcher.first == sum(event.kind in COMES_AND_GOES for event in reader.events)
    watcher.end_with_next()
    reader.insert(card)
    watcher.join()
    good((scard.SCardReleaseContext(context),))
