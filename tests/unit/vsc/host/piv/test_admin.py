"""vsc.host.piv.admin: the management key, of each cipher."""

import pytest

from tests.unit.vsc.host.piv.cards import NEW, NIST, OLD, administered, certificate, host
from vsc.errors import AuthenticationRequired, UnsupportedCard, VscError, WrongAdminResponse
from vsc.host.piv.admin import ManagementKeyResponder
from vsc.testing import SoftCard
from vsc.testing.player import key_of

KEY = bytes(range(32))


@pytest.mark.parametrize("profile", [NIST, OLD, NEW])
@pytest.mark.parametrize("size", [16, 24, 32])
def test_a_key_of_each_length_is_proved(profile: str, size: int) -> None:
    piv = host(SoftCard.make(profile, admin_key=KEY[:size]))
    with pytest.raises(WrongAdminResponse):
        piv.authenticate(piv.responder(bytes(size)))
    piv.authenticate(piv.responder(KEY[:size]))
    piv.write_certificate(0x9A, certificate(key_of("ec:p256")))


def test_a_key_for_another_cipher_is_wrong() -> None:
    piv = host(SoftCard.make(NIST))
    with pytest.raises(WrongAdminResponse):
        piv.authenticate(piv.responder(KEY[:16]))
    with pytest.raises(ValueError, match="16, 24 or 32"):
        piv.responder(bytes(8))


@pytest.mark.parametrize("size", [16, 24, 32])
def test_a_yubikeys_key_is_changed(size: int) -> None:
    card = SoftCard.make(NEW)
    administered(card).change_key(KEY[:size])
    piv = host(card)
    piv.authenticate(piv.responder(KEY[:size]))
    with pytest.raises(ValueError, match="16, 24 or 32"):
        piv.change_key(bytes(20))


def test_piv_itself_changes_no_management_key() -> None:
    with pytest.raises(UnsupportedCard, match="no command to change the management key"):
        administered(SoftCard.make(NIST)).change_key(KEY[:24])


@pytest.mark.parametrize("profile", [NIST, NEW])
def test_nothing_is_written_by_strangers_nor_after_the_end(profile: str) -> None:
    card, der = SoftCard.make(profile), certificate(key_of("ec:p256"))
    piv = administered(card)
    piv.log_out()
    before = card.persistent
    for work in (
        lambda: piv.write_certificate(0x9A, der),
        lambda: piv.generate("ec:p256"),
    ):
        with pytest.raises(AuthenticationRequired, match="needs the management key first"):
            work()
    assert card.persistent == before


def test_a_challenge_takes_one_response() -> None:
    piv = host(SoftCard.make(NIST))
    challenge = piv.challenge()
    piv.respond(piv.responder(bytes.fromhex("0102030405060708" * 3))(challenge))
    with pytest.raises(VscError, match="no challenge"):
        piv.respond(challenge)
    piv.challenge()
    with pytest.raises(WrongAdminResponse):
        piv.respond(bytes(65))


def test_no_key_in_the_repr() -> None:
    assert "41" not in repr(ManagementKeyResponder(b"A" * 24))
