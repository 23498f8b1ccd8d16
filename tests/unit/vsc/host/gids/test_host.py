"""vsc.host.gids.host: GIDS through the ports, where it is not the same as `Gids` in its own words."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from tests.unit.vsc import samples
from tests.unit.vsc.host.cards import host, new_card
from vsc.errors import UnsupportedCard, VscError, WrongPin
from vsc.host import AdminKeyResponder, Gids, KeyUse
from vsc.host.gids.host import ADMIN_KEY, PIN, PUK
from vsc.testing import SoftCard
from vsc.testing.player import imported_key

PUK_VALUE = "87654321"


def logged_in() -> Gids:
    gids = host(new_card())
    gids.verify(PIN, samples.PIN)
    return gids


@pytest.fixture
def with_puk() -> Gids:
    return SoftCard.make(puk=PUK_VALUE).gids()


def test_who_unblocks_the_pin(with_puk: Gids) -> None:
    assert with_puk.unblocked_by(PIN) == PUK
    assert host(new_card()).unblocked_by(PIN) == ADMIN_KEY
    assert with_puk.unblocked_by(PUK) is None


def test_unblocking_by_each(with_puk: Gids) -> None:
    with_puk.unblock(PIN, new=b"13572468", proof=PUK_VALUE.encode())
    with_puk.verify(PIN, b"13572468")
    card = SoftCard.make()
    gids = card.gids()
    assert card.admin_key is not None
    gids.unblock(PIN, new=b"13572468", proof=AdminKeyResponder(card.admin_key))
    gids.verify(PIN, b"13572468")


def test_the_puk_is_verified_by_itself(with_puk: Gids) -> None:
    with pytest.raises(WrongPin, match="wrong PUK"):
        with_puk.verify(PUK, b"00000000")
    with_puk.verify(PUK, PUK_VALUE.encode())
    with pytest.raises(UnsupportedCard, match="no PUK"):
        host(new_card()).verify(PUK, b"00000000")


def test_what_is_not_done_with_the_other_secrets() -> None:
    gids = host(new_card())
    with pytest.raises(UnsupportedCard, match="admin key of a GIDS card is proved by its challenge"):
        gids.verify(ADMIN_KEY, b"x")
    with pytest.raises(UnsupportedCard, match="PUK of a GIDS card is changed by an administrator"):
        gids.change(PUK, old=b"x", new=b"y")
    with pytest.raises(UnsupportedCard, match="not unblocked"):
        gids.unblock(PUK, new=b"x", proof=b"y")
    assert (gids.tries(ADMIN_KEY), gids.policy(PUK)) == (None, None)


def test_kinds_of_keys() -> None:
    gids = logged_in()
    assert gids.kinds == ("rsa:1024", "rsa:2048", "rsa:3072", "rsa:4096")
    with pytest.raises(UnsupportedCard, match="not ec:p256"):
        gids.generate("ec:p256")
    with pytest.raises(UnsupportedCard, match="takes RSA keys"):
        gids.import_key(generate_private_key(SECP256R1()))
    with pytest.raises(UnsupportedCard, match="not for authentication"):
        gids.generate("rsa:1024", use=KeyUse.AUTHENTICATION)
    with pytest.raises(UnsupportedCard, match="agree"):
        gids.agree(0, generate_private_key(SECP256R1()).public_key())


def test_a_key_deciphers_what_was_encrypted_for_it() -> None:
    gids = logged_in()
    number = gids.import_key(imported_key(), name=gids.label(None, "Ada"))
    cryptogram = imported_key().public_key().encrypt(b"secret", PKCS1v15())
    assert gids.decipher(number, cryptogram) == b"secret"
    with pytest.raises(ValueError, match="deciphers 128 bytes"):
        gids.decipher(number, cryptogram[1:])


def test_a_key_that_signs_only_does_not_decipher() -> None:
    gids = logged_in()
    number = gids.import_key(imported_key(), use=KeyUse.SIGNATURE)
    with pytest.raises(UnsupportedCard, match="signs, and does not decrypt"):
        gids.decipher(number, bytes(128))


def test_labels_are_checked_or_made_to_fit() -> None:
    gids = logged_in()
    gids.import_key(imported_key(), name="Ada")
    assert (gids.label(None, "Ada"), gids.label("Bob", "Ada")) == ("Ada 2", "Bob")
    with pytest.raises(VscError, match="already"):
        gids.label("Ada", "")


@pytest.mark.parametrize("private", [False, True])
def test_objects_are_where_the_pin_may_write(private: bool) -> None:
    gids = logged_in()
    place = gids.places(private=private)[0]
    assert gids.read_object(place) is None
    gids.write_object(place, b"hello")
    assert gids.read_object(place) == b"hello"
    gids.delete_object(place)
    assert gids.read_object(place) is None
