"""A card that has no answer to give: the connection ends, after half a frame or none, and the card comes again."""

import pytest

from tests.unit.vpcd_bridge import test_server
from tests.unit.vpcd_bridge.test_client import ATR, Card, Vpcd, running
from vpcd_bridge import EventKind, NoAnswer
from vpcd_bridge.session import Session

SELECT = bytes.fromhex("00A4040000")
GET_ATR = bytes.fromhex("0001 04")


class Cut(NoAnswer):
    """Half of the answer goes out."""

    cut_answer = b"\x01\x02\x90\x00"


@pytest.fixture
def card() -> Card:
    return Card()


@pytest.mark.parametrize(("error", "sent"), [(NoAnswer("why"), ""), (Cut("why"), "000401")])
def test_the_session_ends_and_what_comes_afterwards_is_not_answered(card: Card, error: NoAnswer, sent: str) -> None:
    session = Session(card)
    card.fault = error
    assert session.receive(GET_ATR + b"\x00\x05" + SELECT + GET_ATR).hex() == f"0011{ATR.hex()}{sent}"
    assert session.end is error
    assert session.take_faults() == ()


def test_the_bridge_hangs_up_says_why_and_calls_again(card: Card) -> None:
    vpcd = Vpcd()
    card.fault = Cut("the answer is lost")
    with running(card, vpcd.address) as bridge:
        call = vpcd.accept()
        assert call.ask(b"\x04") == ATR
        call.send(SELECT)
        assert call.sock.recv(3) == bytes.fromhex("000401")
        call.await_end()
        text = bridge.await_event(EventKind.LOST).text
        assert text.startswith("hung up on 127.0.0.1:")
        assert "the answer is lost; calling again" in text
        assert card.power == ["off"]
        card.fault = None
        assert vpcd.accept().ask(SELECT) == b"\x90\x00"
    assert EventKind.FAULT not in bridge.kinds()
    vpcd.close()


def test_the_listener_hangs_up_and_says_why() -> None:
    card = test_server.Card()
    card.fault = NoAnswer("the card is mute")
    with test_server.listening(card) as run:
        call = run.call(0)
        assert call.ask(b"\x04") == ATR
        call.sock.sendall(b"\x00\x05" + SELECT)
        call.await_end()
        assert run.await_event(EventKind.LOST).text.startswith("the card is mute: hung up on vpcd at 127.0.0.1:")
        card.fault = None
        assert run.call(0).ask(SELECT)[-2:] == b"\x90\x00"
