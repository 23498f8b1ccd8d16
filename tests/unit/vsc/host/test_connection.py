"""DirectConnection: a card in memory, with no reader between."""

import threading

import pytest

from tests.unit.vsc.host.cards import SELECT, new_card
from tests.unit.vsc.samples import VERIFY
from vsc.errors import LostCardError
from vsc.host import Connection, DirectConnection


def test_it_is_a_connection() -> None:
    card = new_card()
    connection: Connection = DirectConnection(card)
    assert connection.atr == card.atr
    with connection, connection.transaction(), connection.transaction():
        assert connection.transmit(bytes.fromhex(SELECT)).endswith(b"\x90\x00")


def test_making_one_resets_the_card() -> None:
    card = new_card()
    card.transmit(bytes.fromhex(VERIFY))
    assert card.transmit(bytes.fromhex("00200080")) == b"\x90\x00"
    DirectConnection(card)
    assert card.transmit(bytes.fromhex("00200080")) == b"\x63\xc3"


def test_closing_leaves_the_card_as_it_is() -> None:
    card = new_card()
    connection = DirectConnection(card)
    connection.transmit(bytes.fromhex(VERIFY))
    connection.close()
    connection.close()
    with pytest.raises(LostCardError, match="closed"):
        connection.transmit(bytes.fromhex(VERIFY))
    assert card.transmit(bytes.fromhex("00200080")) == b"\x90\x00"


def test_a_transaction_keeps_other_threads_out() -> None:
    connection = DirectConnection(new_card())
    order: list[str] = []

    def other() -> None:
        started.set()
        connection.transmit(bytes.fromhex(SELECT))
        order.append("other")

    started = threading.Event()
    thread = threading.Thread(target=other)
    with connection.transaction():
        thread.start()
        started.wait()
        connection.transmit(bytes.fromhex(SELECT))
        order.append("first")
    thread.join()
    assert order == ["first", "other"]
