"""vsc.testing.player: a host at a card of any application, which may look inside."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from card_os.atr import Atr
from card_os.pin import Pin
from tests.unit.card_os.test_reference_data import Box, State
from tests.unit.vsc.host.test_iso import BoxHost
from tests.unit.vsc.tiny import TINY
from vsc.errors import UnsupportedCard, VscError, WrongPin
from vsc.host import CanUnblock, HasKeys, HostCard, ReferenceKind
from vsc.profiles import Profile
from vsc.testing import SoftCard
from vsc.testing.operation import wrong
from vsc.testing.player import Player, is_signed, key_of, player
from vsc.world import SeededEnv

BOX = Profile("box", "Box", Atr(), (Box(),), host=BoxHost)


@pytest.fixture
def box() -> Player:
    state = State(Pin(None, 3, 3).with_value(b"1234"), Pin(None, 5, 5).with_value(b"87654321"))
    return player(SoftCard(BOX, BOX.persistent(state), SeededEnv(1)))


def test_it_knows_what_a_gids_card_holds() -> None:
    gids = player(SoftCard.make(pin="24681357", tries=4, admin_tries=6))
    assert (gids.pin, gids.pin_tries) == (b"24681357", (4, 4))
    assert gids.admin_key == gids.card.admin_key
    assert gids.tries(gids.unblocker) == (6, 6)
    assert str(gids.unblocker) == "admin key"
    assert str(player(SoftCard.make(puk="12345678")).unblocker) == "PUK"


def test_what_the_kind_of_card_has_not_is_one_sentence(box: Player) -> None:
    assert box.offers(HostCard)
    assert not box.offers(CanUnblock)
    assert not box.offers(HasKeys)
    assert box.unblocker is None
    for act in (
        lambda: box.reset_pin(new=b"1", key=b"2"),
        lambda: box.authenticate(b"1"),
        lambda: box.change_admin_key(b"1"),
        lambda: box.write(0, b"1"),
        box.generate_key,
        lambda: box.sign(0, b"1"),
    ):
        with pytest.raises(UnsupportedCard, match="cards of this kind have no"):
            act()


def test_a_plain_pin_is_played(box: Player) -> None:
    with pytest.raises(WrongPin):
        box.verify(wrong(b"1234"))
    assert (box.pin, box.pin_tries) == (b"1234", (2, 3))
    box.change(old=b"1234", new=b"4321")
    assert box.pin == b"4321"
    box.use_channel(1)
    box.verify(b"4321")
    box.close_channel()
    assert box.secret(box.reference(ReferenceKind.UNBLOCK)) == b"87654321"


def test_a_profile_without_a_host_half() -> None:
    with pytest.raises(VscError, match="no histories for tiny yet"):
        player(SoftCard(TINY, TINY.persistent(b"\x00\x00"), SeededEnv(1)))


def test_keys_to_import_are_always_the_same() -> None:
    rsa, curve = key_of("rsa:1024"), key_of("ec:p256")
    assert isinstance(rsa, RSAPrivateKey)
    assert isinstance(curve, ec.EllipticCurvePrivateKey)
    assert rsa is key_of("rsa:1024")
    assert is_signed(rsa.public_key(), b"data", rsa.sign(b"data", PKCS1v15(), SHA256()))
    assert is_signed(curve.public_key(), b"data", curve.sign(b"data", ec.ECDSA(SHA256())))
    assert not is_signed(curve.public_key(), b"other", curve.sign(b"data", ec.ECDSA(SHA256())))
    with pytest.raises(UnsupportedCard, match="kind x25519"):
        key_of("x25519")


def test_a_wrong_secret_is_as_long_and_of_digits_if_it_was() -> None:
    for secret in (b"1234", b"0008", b"0009", bytes(24), b"\xff" * 24):
        other = wrong(secret)
        assert len(other) == len(secret)
        assert (other[-1] ^ secret[-1]) & 0xFE
        assert other.isdigit() == secret.isdigit()
