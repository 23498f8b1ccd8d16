"""vsc.host.piv.pins: PIN and PUK of cards that keep to NIST, and of YubiKeys."""

import pytest

from tests.unit.vsc.host.piv.cards import NEW, NIST, OLD, PIN, PUK, host
from vsc.errors import PinBlocked, PinPolicyViolation, RefusedError, UnsupportedCard, WrongPin
from vsc.host import Tries
from vsc.host.piv.host import ADMIN_KEY
from vsc.host.piv.host import PIN as USER
from vsc.host.piv.host import PUK as UNBLOCK
from vsc.testing import SoftCard

ALL = pytest.mark.parametrize("profile", [NIST, OLD, NEW])


@ALL
def test_tries_go_down_and_come_back(profile: str) -> None:
    piv = host(SoftCard.make(profile))
    with pytest.raises(WrongPin) as error:
        piv.verify(USER, b"654321")
    assert error.value.tries_left == 2
    tries = piv.tries(USER)
    assert tries is not None
    assert tries.left == 2
    piv.verify(USER, PIN)
    # Who is verified is not told the tries, but by metadata.
    assert piv.tries(USER) == (None if profile == NIST else Tries(3, 3))
    piv.log_out()
    assert piv.tries(USER) == Tries(3, None if profile == NIST else 3)


@ALL
def test_a_blocked_pin_is_reset_by_the_puk(profile: str) -> None:
    piv = host(SoftCard.make(profile))
    for left in (2, 1, 0):
        with pytest.raises(WrongPin, match=f"{left} tr"):
            piv.verify(USER, b"654321")
    with pytest.raises(PinBlocked):
        piv.verify(USER, PIN)
    assert (piv.tries(USER) or Tries(9, 9)).left == 0
    with pytest.raises(WrongPin, match="wrong PUK, 2 tries left"):
        piv.unblock(USER, new=b"246813", proof=b"00000000")
    piv.unblock(USER, new=b"246813", proof=PUK)
    piv.verify(USER, b"246813")


@ALL
def test_a_new_pin_that_cannot_be_one_costs_nothing(profile: str) -> None:
    piv = host(SoftCard.make(profile))
    with pytest.raises(PinPolicyViolation, match="6"):
        piv.change(USER, old=PIN, new=b"123")
    with pytest.raises(PinPolicyViolation, match="8"):
        piv.unblock(USER, new=b"123456789", proof=b"00000000")
    piv.unblock(USER, new=b"135790", proof=PUK)


def test_letters_are_for_yubikeys() -> None:
    with pytest.raises(PinPolicyViolation, match="letters"):
        host(SoftCard.make(NIST)).change(USER, old=PIN, new=b"secret")
    with pytest.raises(RefusedError, match="no PIN of a PIV card"):
        host(SoftCard.make(NIST)).verify(USER, b"secret")
    piv = host(SoftCard.make(NEW))
    piv.change(USER, old=PIN, new=b"secret")
    piv.log_out()
    piv.verify(USER, b"secret")


@ALL
def test_the_puk_is_changed_and_never_verified(profile: str) -> None:
    piv = host(SoftCard.make(profile))
    with pytest.raises(WrongPin, match="PUK"):
        piv.change(UNBLOCK, old=b"00000000", new=b"87654321")
    assert piv.tries(UNBLOCK) == (None if profile == NIST else Tries(2, 3))
    piv.change(UNBLOCK, old=PUK, new=b"87654321")
    piv.unblock(USER, new=b"246813", proof=b"87654321")
    with pytest.raises(UnsupportedCard, match="only resets the PIN"):
        piv.verify(UNBLOCK, PUK)


def test_the_management_key_resets_no_pin() -> None:
    piv = host(SoftCard.make(NIST))
    assert piv.unblocked_by(USER) == UNBLOCK
    with pytest.raises(UnsupportedCard, match="with its PUK"):
        piv.unblock(USER, new=b"246813", proof=piv.responder(bytes(24)))
    with pytest.raises(UnsupportedCard, match="challenge"):
        piv.verify(ADMIN_KEY, bytes(8))


@pytest.mark.parametrize("value", [b"", b"123456789"])
def test_what_cannot_be_sent_is_refused(value: bytes) -> None:
    card = SoftCard.make(NIST)
    before = card.persistent
    with pytest.raises(RefusedError, match="1 to 8 bytes"):
        host(card).verify(USER, value)
    assert card.persistent == before
