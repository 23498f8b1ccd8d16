"""vpcd_bridge.session: which message makes which call on the card, and what goes back."""

import traceback

import pytest

from vpcd_bridge.errors import ProtocolError
from vpcd_bridge.session import Session

ATR = bytes.fromhex("3B8D0180FBA000000397425446590201C9")
OFF, ON, RESET, GET_ATR = (bytes.fromhex(f"0001 {code}") for code in ("00", "01", "02", "04"))
SELECT = bytes.fromhex("0005 00A4040000")


class Card:
    """Remembers its calls; answers `response`, or raises `fault` wherever it is touched."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.response = b"\x90\x00"
        self.fault: Exception | None = None

    @property
    def atr(self) -> bytes:
        self._call("atr")
        return ATR

    def power_on(self) -> bytes:
        self._call("on")
        return ATR

    def power_off(self) -> None:
        self._call("off")

    def reset(self) -> bytes:
        self._call("reset")
        return ATR

    def transmit(self, command: bytes) -> bytes:
        self._call(command.hex())
        return self.response

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if self.fault is not None:
            raise self.fault


@pytest.fixture
def card() -> Card:
    return Card()


@pytest.fixture
def session(card: Card) -> Session:
    return Session(card)


def test_get_atr_is_answered_with_the_atr(session: Session, card: Card) -> None:
    assert session.receive(GET_ATR) == b"\x00\x11" + ATR
    assert card.calls == ["atr"]


@pytest.mark.parametrize(("message", "call"), [(OFF, "off"), (ON, "on"), (RESET, "reset")])
def test_power_is_switched_without_an_answer(session: Session, card: Card, message: bytes, call: str) -> None:
    assert session.receive(message) == b""
    assert card.calls == [call]


def test_an_apdu_is_answered_with_the_cards_answer(session: Session, card: Card) -> None:
    assert session.receive(SELECT) == bytes.fromhex("0002 9000")
    assert card.calls == ["00a4040000"]


@pytest.mark.parametrize("apdu", ["00A4", "00A404"])
def test_malformed_apdus_reach_the_card(session: Session, card: Card, apdu: str) -> None:
    session.receive(len(bytes.fromhex(apdu)).to_bytes(2, "big") + bytes.fromhex(apdu))
    assert card.calls == [apdu.lower()]


def test_messages_in_one_piece_are_acted_on_in_order(session: Session, card: Card) -> None:
    assert session.receive(GET_ATR + ON + SELECT) == b"\x00\x11" + ATR + bytes.fromhex("0002 9000")
    assert card.calls == ["atr", "on", "00a4040000"]


def test_ready_means_that_vpcd_has_asked_for_the_atr(session: Session) -> None:
    assert not session.ready
    session.receive(ON)
    assert not session.ready
    session.receive(GET_ATR)
    assert session.ready


def test_close_powers_off_once(session: Session, card: Card) -> None:
    session.receive(GET_ATR + ON)
    session.close()
    session.close()
    assert card.calls == ["atr", "on", "off"]


def test_close_leaves_a_card_alone_that_was_never_in_the_reader(session: Session, card: Card) -> None:
    session.close()
    assert card.calls == []


def test_rubbish_raises_after_what_came_before_it(session: Session, card: Card) -> None:
    with pytest.raises(ProtocolError):
        session.receive(ON + b"\x00\x00")
    assert card.calls == ["on"]


@pytest.mark.parametrize("fault", [ZeroDivisionError("a bug"), OSError("the store failed")])
def test_a_card_that_raises_is_answered_for_and_the_traceback_kept(
    session: Session, card: Card, fault: Exception
) -> None:
    card.fault = fault
    assert session.receive(SELECT) == bytes.fromhex("0002 6F00")
    assert session.has_faults
    (kept,) = session.take_faults()
    assert kept is fault
    assert "in transmit" in "".join(traceback.format_exception(kept))
    assert not session.has_faults


@pytest.mark.parametrize("response", [b"", b"\x90", bytes(0x10000)])
def test_an_answer_that_is_no_r_apdu_is_a_fault(session: Session, card: Card, response: bytes) -> None:
    card.response = response
    assert session.receive(SELECT) == bytes.fromhex("0002 6F00")
    (fault,) = session.take_faults()
    assert f"{len(response)} bytes" in str(fault)


def test_the_longest_r_apdu_passes(session: Session, card: Card) -> None:
    card.response = bytes(0xFFFF)
    assert session.receive(SELECT) == b"\xff\xff" + bytes(0xFFFF)


@pytest.mark.parametrize("message", [OFF, ON, RESET])
def test_a_card_that_raises_on_power_is_reported(session: Session, card: Card, message: bytes) -> None:
    card.fault = ZeroDivisionError()
    assert session.receive(message) == b""
    assert session.take_faults() == (card.fault,)


def test_a_card_without_an_atr_is_reported_and_shown_as_removed(session: Session, card: Card) -> None:
    card.fault = ZeroDivisionError()
    assert session.receive(GET_ATR) == b"\x00\x00"
    assert session.take_faults() == (card.fault,)
    assert not session.ready


def test_close_reports_a_card_that_cannot_be_powered_off(session: Session, card: Card) -> None:
    session.receive(ON)
    card.fault = ZeroDivisionError()
    session.close()
    assert session.take_faults() == (card.fault,)


def test_a_keyboard_interrupt_is_no_fault_of_the_card(session: Session, card: Card) -> None:
    def interrupted(command: bytes) -> bytes:
        raise KeyboardInterrupt

    card.transmit = interrupted  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        session.receive(SELECT)


def test_bytes_of_an_unfinished_message_are_counted(session: Session) -> None:
    session.receive(SELECT[:4])
    assert session.pending_bytes == 4
