"""vsc.api.session: one connection, whose turn it is, and what the card is to forget."""

import threading
from collections.abc import Iterator

import pytest

from tests.unit.vsc import samples
from vsc.api.place import Spot
from vsc.api.session import GivenKey, Session, Turn, checked_length, octets
from vsc.errors import CardRemoved, UnsupportedCard, VscError, WrongPin
from vsc.host import HasKeys
from vsc.machine.own import OwnReader
from vsc.reader import Reader
from vsc.testing import SoftCard

PIN = samples.PIN
READ_PRIVATE = bytes.fromhex("00CB3FFF045C02DF24")
STATUS = bytes.fromhex(samples.PIN_STATUS)


@pytest.fixture
def slot() -> Reader:
    slot = Reader("Ours")
    slot.insert(SoftCard.make(pin=PIN.decode(), admin_key=samples.ADMIN_KEY))
    return slot


@pytest.fixture
def session(slot: Reader) -> Iterator[Session]:
    session = Session(Spot(OwnReader(slot, card_name="work"), is_ours=True))
    yield session
    session.close()


def is_verified(session: Session) -> bool:
    assert session.host, "selected"
    return session.connection.transmit(STATUS) == b"\x90\x00"


def test_it_connects_when_it_is_needed_and_once(session: Session) -> None:
    assert session._connection is None
    assert session.connection is session.connection
    assert session.host is session.host


def test_what_is_verified_is_known_until_it_is_logged_out(session: Session) -> None:
    session.verify_pin(PIN)
    assert (session.is_pin_verified, is_verified(session)) == (True, True)
    session.log_out()
    assert (session.is_pin_verified, is_verified(session)) == (False, False)


def test_a_wrong_pin_verifies_nothing_and_is_logged_out_all_the_same(session: Session) -> None:
    session.verify_pin(PIN)
    with pytest.raises(WrongPin):
        session.verify_pin(b"00000000")
    assert not session.is_pin_verified
    assert session.has_proved


def test_who_has_proved_nothing_tells_the_card_nothing(session: Session, slot: Reader) -> None:
    assert session.host
    sent: list[bytes] = []
    slot.tap(lambda exchange: sent.append(exchange.command))
    session.log_out()
    assert sent == []
    session.has_proved = True
    session.log_out()
    assert sent != []


def test_a_changed_pin_is_verified_and_a_reset_one_is_not(session: Session) -> None:
    session.change_pin(old=PIN, new=b"87654321")
    assert session.is_pin_verified
    session.unblock_pin(PIN, GivenKey(samples.ADMIN_KEY, "admin_key"))
    assert not session.is_pin_verified


def test_a_lost_card_is_forgotten_and_met_anew(session: Session, slot: Reader) -> None:
    first = session.connection
    card = slot.eject()
    with pytest.raises(CardRemoved), session.transaction():
        session.connection.transmit(STATUS)
    assert session._connection is None
    slot.insert(card)
    assert session.connection is not first


def test_another_command_may_have_selected_something_else(session: Session) -> None:
    before = session.host
    session.transmit(bytes.fromhex("00A4000C023F00"))
    assert session.host is not before


def test_what_a_kind_of_card_has_not_is_said(session: Session) -> None:
    class Never:
        pass

    with pytest.raises(UnsupportedCard, match="cards of this kind have no wings"):
        session.has(Never, "wings")
    assert isinstance(session.has(HasKeys, "keys"), type(session.host))


def test_keys_of_another_length_are_named() -> None:
    assert checked_length(GivenKey(bytes(24), "new"), [16, 24]) == bytes(24)
    with pytest.raises(ValueError, match="new: 16 or 24 bytes are expected, not 3"):
        checked_length(GivenKey(b"abc", "new"), [16, 24])
    assert "61" not in repr(GivenKey(b"aaa", "new"))
    assert octets(bytearray(b"ab"), "key") == b"ab"
    with pytest.raises(TypeError, match="key: bytes are expected, not str"):
        octets("ab", "key")


class TestTurn:
    def test_it_is_one_thread_at_a_time(self) -> None:
        turn, order = Turn(), []
        began = threading.Event()

        def other() -> None:
            began.set()
            with turn.taken():
                order.append("other")

        thread = threading.Thread(target=other)
        with turn.taken():
            thread.start()
            began.wait()
            order.append("first")
        thread.join()
        assert order == ["first", "other"]

    def test_a_thread_does_not_wait_for_itself(self) -> None:
        turn = Turn()
        with (
            turn.taken(),
            pytest.raises(VscError, match="busy with another operation of this thread"),
            turn.taken(),
        ):
            pass
        with turn.taken():
            pass
