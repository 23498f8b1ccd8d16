"""What a program with pyscard does over the real libpcsclite, under `vsc run`: the card "work" comes and goes.

pyscard_client.py READER... The first reader has the card. Ends with 0 when all is as it should be.
"""

import os
import queue
import subprocess
import sys
import threading
from typing import Any

from smartcard.CardConnection import CardConnection  # type: ignore[import-untyped]
from smartcard.CardMonitoring import CardMonitor, CardObserver  # type: ignore[import-untyped]
from smartcard.CardRequest import CardRequest  # type: ignore[import-untyped]
from smartcard.CardType import AnyCardType, ATRCardType  # type: ignore[import-untyped]
from smartcard.Exceptions import (  # type: ignore[import-untyped]
    CardConnectionException,
    CardRequestTimeoutException,
    NoCardException,
)
from smartcard.ExclusiveConnectCardConnection import ExclusiveConnectCardConnection  # type: ignore[import-untyped]
from smartcard.ExclusiveTransmitCardConnection import ExclusiveTransmitCardConnection  # type: ignore[import-untyped]
from smartcard.scard import SCARD_E_SHARING_VIOLATION  # type: ignore[import-untyped]
from smartcard.System import readers  # type: ignore[import-untyped]

ATR = list(bytes.fromhex("3B8D0180FBA000000397425446590201C9"))
SELECT = list(bytes.fromhex("00A404000BA00000039742544659020100"))
LONG_S = 30


class Observer(CardObserver):  # type: ignore[misc]
    """Keeps account of the readers with a card by what it is told."""

    def __init__(self) -> None:
        self._told: queue.Queue[tuple[list[Any], list[Any]]] = queue.Queue()
        self._present: set[str] = set()

    def update(self, _: object, change: tuple[list[Any], list[Any]]) -> None:
        self._told.put(change)

    def hears(self, *expected: str) -> None:
        """Returns when it has been told of cards in these readers and no others; raises queue.Empty if it never is."""
        # A new observer is told at once of the cards that the monitor knows, which may be none yet.
        while True:  # Until it has heard, or queue.Empty.
            added, removed = self._told.get(timeout=LONG_S)
            self._present |= {str(card.reader) for card in added}
            self._present -= {str(card.reader) for card in removed}
            if self._present == set(expected):
                return


def vsc(verb: str) -> None:
    subprocess.run(["vsc", verb, "work"], check=True, stdout=subprocess.DEVNULL)


def works(connection: Any) -> bool:
    answer: tuple[list[int], int, int] = connection.transmit(SELECT)
    return answer[1:] == (0x90, 0x00)


def connecting(connection: Any) -> int:
    """The error that a refused connect gives."""
    try:
        connection.connect()
    except CardConnectionException as refused:
        return int(refused.hresult)
    raise AssertionError("connected")


def connections(reader: Any) -> None:
    first, second = reader.createConnection(), reader.createConnection()
    first.connect()
    assert first.getATR() == ATR
    assert first.getProtocol() == CardConnection.T1_protocol
    second.connect()  # shared with the first
    assert works(first)
    assert works(second)
    second.disconnect()
    first.disconnect()

    sole = ExclusiveConnectCardConnection(reader.createConnection())
    sole.connect()
    second = reader.createConnection()
    assert connecting(second) == SCARD_E_SHARING_VIOLATION
    assert works(sole)
    sole.disconnect()
    second.connect()
    assert works(second)
    second.disconnect()


def transactions(reader: Any) -> None:
    """Another connection's APDU, sent while a transaction is on, is answered only after its end."""
    first, second = ExclusiveTransmitCardConnection(reader.createConnection()), reader.createConnection()
    first.connect()
    second.connect()
    answered: list[str] = []
    sending = threading.Event()

    def intrude() -> None:
        sending.set()
        assert works(second)
        answered.append("second")

    first.lock()
    intruder = threading.Thread(target=intrude, daemon=True)
    intruder.start()
    assert sending.wait(LONG_S)
    for _ in range(200):
        assert works(first)
        answered.append("first")
    first.unlock()
    intruder.join(LONG_S)
    assert answered == ["first"] * 200 + ["second"], answered
    second.disconnect()
    first.disconnect()


def requests(name: str) -> None:
    service = CardRequest(timeout=LONG_S, cardType=ATRCardType(ATR)).waitforcard()
    service.connection.connect()
    assert service.connection.getReader() == name
    assert works(service.connection)
    service.connection.disconnect()
    vsc("eject")
    try:
        CardRequest(timeout=0, cardType=AnyCardType()).waitforcard()
    except CardRequestTimeoutException:
        pass
    else:
        raise AssertionError("a card was found where none is")
    insert = threading.Thread(target=vsc, args=["insert"])
    insert.start()
    service = CardRequest(timeout=LONG_S, cardType=AnyCardType(), newcardonly=False).waitforcard()
    insert.join()
    service.connection.connect()
    assert works(service.connection)
    service.connection.disconnect()


def monitor(name: str, reader: Any) -> None:
    """The observer hears of the card that is there, of its removal and of its insertion."""
    monitor, observer = CardMonitor(), Observer()
    monitor.addObserver(observer)
    observer.hears(name)
    connection = reader.createConnection()
    connection.connect()
    for verb, expected in (("eject", ()), ("insert", (name,)), ("eject", ())):
        vsc(verb)
        observer.hears(*expected)
    try:
        connection.transmit(SELECT)
    except CardConnectionException:
        pass
    else:
        raise AssertionError("a card that is gone has answered")
    try:
        reader.createConnection().connect()
    except NoCardException:
        pass
    else:
        raise AssertionError("connected to no card")
    vsc("insert")
    observer.hears(name)
    monitor.deleteObserver(observer)


def main(*names: str) -> None:
    assert os.getuid() != 0
    found = readers()
    assert [str(reader) for reader in found] == list(names), found
    connections(found[0])
    transactions(found[0])
    requests(names[0])
    monitor(names[0], found[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
    sys.stdout.write("all as it should be\n")
