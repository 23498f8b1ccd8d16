"""vsc.host.iso: a host half for PINs that are compared as ISO/IEC 7816-4 has it."""

import pytest

from tests.unit.card_os.test_reference_data import Box, new_card
from tests.unit.vsc.host.cards import Double
from vsc.errors import (
    AuthenticationRequired,
    NoApplication,
    PinBlocked,
    PinPolicyViolation,
    RefusedError,
    UnsupportedCard,
    WrongPin,
)
from vsc.host import DirectConnection, HostCard, ReferenceKind, Tries
from vsc.host.iso import IsoHost
from vsc.host.port import Reference

PIN, PUK = Reference("PIN", ReferenceKind.USER), Reference("PUK", ReferenceKind.UNBLOCK)


class BoxHost(IsoHost):
    aid, application = Box.aid, "box"
    qualifiers = {PIN: 0x80, PUK: 0x81}  # noqa: RUF012


class Answers(Double):
    """Selects, and answers all else with one status word."""

    def __init__(self, answer: str) -> None:
        self._answer = bytes.fromhex(answer)

    def transmit(self, command: bytes) -> bytes:
        return b"\x90\x00" if command[1] == 0xA4 else self._answer


@pytest.fixture
def host() -> BoxHost:
    return BoxHost.connect(DirectConnection(new_card()))


def test_it_is_a_host_with_the_references_that_it_names(host: BoxHost) -> None:
    assert isinstance(host, HostCard)
    assert BoxHost.references == (PIN, PUK)
    assert (host.card_id(), host.policy(PIN)) == (None, None)


def test_a_card_without_the_application() -> None:
    class Other(BoxHost):
        aid, application = b"\xf0OTHER", "other"

    with pytest.raises(NoApplication, match=r"no other application on this card \(6A82\)"):
        Other.connect(DirectConnection(new_card()))


def test_the_pin(host: BoxHost) -> None:
    assert host.tries(PIN) == Tries(3, None)
    with pytest.raises(WrongPin, match="wrong PIN, 2 tries left"):
        host.verify(PIN, b"0000")
    host.verify(PIN, b"1234")
    assert host.tries(PIN) is None
    host.change(PIN, old=b"1234", new=b"24680")
    with pytest.raises(WrongPin):
        host.verify(PIN, b"1234")
    host.verify(PIN, b"24680")


def test_a_wrong_old_pin_that_goes_on_in_the_new_one(host: BoxHost) -> None:
    """The card would split the two where its own PIN ends."""
    with pytest.raises(WrongPin):
        host.change(PIN, old=b"12", new=b"345678")
    host.verify(PIN, b"1234")


@pytest.mark.parametrize("new", [b"123", b"1234567", b"", bytes(255)])
def test_a_new_pin_that_cannot_be(host: BoxHost, new: bytes) -> None:
    with pytest.raises(PinPolicyViolation):
        host.change(PIN, old=b"1234", new=new)
    host.verify(PIN, b"1234")


def test_a_blocked_pin(host: BoxHost) -> None:
    for _ in range(3):
        with pytest.raises(WrongPin):
            host.verify(PIN, b"0000")
    assert host.tries(PIN) == Tries(0, None)
    with pytest.raises(PinBlocked):
        host.verify(PIN, b"1234")


def test_what_cannot_be_sent(host: BoxHost) -> None:
    for value in (b"", bytes(256)):
        with pytest.raises(RefusedError, match="1 to 255 bytes"):
            host.verify(PIN, value)


def test_a_secret_that_the_card_has_not(host: BoxHost) -> None:
    with pytest.raises(UnsupportedCard, match=r"no PUK that is compared so \(6A86\)"):
        host.verify(PUK, b"1234")
    with pytest.raises(UnsupportedCard, match="have no admin"):
        host.tries(Reference("admin", ReferenceKind.ADMIN))
    assert host.tries(PUK) is None


def test_logging_out() -> None:
    class OnlyPin(BoxHost):
        qualifiers = {PIN: 0x80}  # noqa: RUF012

    host = OnlyPin.connect(DirectConnection(new_card()))
    host.verify(PIN, b"1234")
    host.log_out()
    assert host.tries(PIN) == Tries(3, None)


def test_what_a_card_asks_for_first() -> None:
    host = BoxHost.connect(DirectConnection(Answers("6982")))
    with pytest.raises(AuthenticationRequired, match="verifying the PIN"):
        host.verify(PIN, b"1234")
