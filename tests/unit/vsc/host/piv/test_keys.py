"""vsc.host.piv: keys and certificates in slots, of cards that keep to NIST and of YubiKeys."""

import hashlib
import uuid

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from tests.unit.vsc.host.piv.cards import NEW, NIST, OLD, PIN, administered, certificate, host
from vsc.errors import AuthenticationRequired, FillingError, NoApplication, UnsupportedCard, VscError
from vsc.host import KeyUse
from vsc.host.piv.host import PIN as USER
from vsc.host.piv.host import PivHost
from vsc.host.piv.objects import certificate_object, read_certificate
from vsc.testing import SoftCard
from vsc.testing.player import is_signed, key_of

KINDS = ("ec:p256", "ec:p384", "rsa:2048")


@pytest.mark.parametrize("profile", [NIST, NEW])
@pytest.mark.parametrize("kind", KINDS)
def test_made_shown_and_used(profile: str, kind: str) -> None:
    card = SoftCard.make(profile, seed=1)
    piv = administered(card)
    number = piv.generate(kind)
    assert number == 0x9A
    slot = next(one for one in piv.slots() if one.number == number)
    assert (slot.kind, slot.use, slot.is_free, slot.is_fixed) == (kind, KeyUse.AUTHENTICATION, False, True)
    with pytest.raises(AuthenticationRequired, match="PIN"):
        piv.sign(number, b"data")
    piv.verify(USER, PIN)
    assert is_signed(piv.public_key(number), b"data", piv.sign(number, b"data"))


@pytest.mark.parametrize("profile", [OLD, NEW])
@pytest.mark.parametrize("kind", KINDS)
def test_imported_with_its_certificate(profile: str, kind: str) -> None:
    card, key = SoftCard.make(profile), key_of(kind)
    piv = administered(card)
    number = piv.import_key(key, number=0x82)
    der = certificate(key)
    piv.write_certificate(number, der)
    fresh = host(card)
    assert fresh.read_certificate(number) == der
    assert fresh.public_key(number).public_numbers() == key.public_key().public_numbers()
    with pytest.raises(VscError, match="slot 82 is not free"):
        administered(card).import_key(key, number=0x82)


def test_a_card_that_keeps_to_nist_takes_no_key_from_outside() -> None:
    with pytest.raises(UnsupportedCard, match="PIV has no command for that"):
        administered(SoftCard.make(NIST)).import_key(key_of("ec:p256"))


def test_kinds_that_a_card_has_not() -> None:
    piv = administered(SoftCard.make(NIST))
    with pytest.raises(UnsupportedCard, match="rsa:4096"):
        piv.generate("rsa:4096")
    with pytest.raises(UnsupportedCard, match="not ec:p521"):
        piv.generate("ec:p521")
    with pytest.raises(UnsupportedCard, match="P-256 and P-384"):
        administered(SoftCard.make(NEW)).import_key(ec.derive_private_key(5, ec.SECP521R1()))


def test_a_public_key_that_only_the_certificate_shows() -> None:
    card = SoftCard.make(NIST, seed=1)
    administered(card).generate("ec:p384")
    piv = host(card)
    with pytest.raises(UnsupportedCard, match="does not show the public key of slot 9A"):
        piv.public_key(0x9A)
    assert [one.kind for one in piv.slots()][:2] == ["ec:p384", None]


@pytest.mark.parametrize("profile", [NIST, NEW])
def test_the_signature_key_wants_the_pin_each_time(profile: str) -> None:
    card = SoftCard.make(profile, seed=1)
    assert administered(card).generate("ec:p256", use=KeyUse.SIGNATURE) == 0x9C
    piv = host(card)
    assert piv.wants_pin_each_time(0x9C)
    assert not piv.wants_pin_each_time(0x9A)
    piv.verify(USER, PIN)
    piv.sign(0x9C, b"data")
    with pytest.raises(AuthenticationRequired, match="just before"):
        piv.sign(0x9C, b"data")


def test_where_keys_go_if_nobody_says() -> None:
    piv = administered(SoftCard.make(NEW, seed=1))
    assert [piv.generate("ec:p256") for _ in range(5)] == [0x9A, 0x9D, 0x9C, 0x82, 0x83]
    assert piv.generate("ec:p256", number=0x9E) == 0x9E
    with pytest.raises(VscError, match="no slot 07"):
        piv.generate("ec:p256", number=7)


def test_a_key_without_pin() -> None:
    card = SoftCard.make(NIST, seed=1)
    administered(card).generate("ec:p256", number=0x9E)
    digest = hashlib.sha256(b"data").digest()
    assert host(card).sign(0x9E, digest, None)


def test_decipher_and_agree() -> None:
    card = SoftCard.make(NEW, seed=1)
    piv = administered(card)
    assert piv.import_key(key_of("rsa:2048")) == 0x9A
    assert piv.import_key(key_of("ec:p256")) == 0x9D
    piv.verify(USER, PIN)
    public = piv.public_key(0x9A)
    assert isinstance(public, RSAPublicKey)
    assert piv.decipher(0x9A, public.encrypt(b"secret", PKCS1v15())) == b"secret"
    peer = ec.derive_private_key(77, ec.SECP256R1())
    mine = piv.public_key(0x9D)
    assert isinstance(mine, ec.EllipticCurvePublicKey)
    assert piv.agree(0x9D, peer.public_key()) == peer.exchange(ec.ECDH(), mine)
    with pytest.raises(UnsupportedCard, match="does not agree"):
        piv.agree(0x9A, peer.public_key())
    with pytest.raises(UnsupportedCard, match="does not agree"):
        piv.agree(0x9D, public)
    with pytest.raises(UnsupportedCard, match="does not decrypt"):
        piv.decipher(0x9D, bytes(32))
    with pytest.raises(ValueError, match="256 bytes"):
        piv.decipher(0x9A, bytes(5))


def test_deleted_where_there_is_a_command_for_it() -> None:
    card = SoftCard.make(NEW, seed=1)
    piv = administered(card)
    piv.import_key(key_of("ec:p256"))
    piv.write_certificate(0x9A, certificate(key_of("ec:p256")))
    piv.delete_key(0x9A)
    assert all(one.is_free for one in host(card).slots())
    with pytest.raises(VscError, match="no key in slot 9A"):
        piv.delete_key(0x9A)
    old = administered(SoftCard.make(OLD, seed=1))
    old.generate("ec:p256")
    with pytest.raises(UnsupportedCard, match=r"from version 5\.7"):
        old.delete_key(0x9A)


def test_certificates_are_written_compressed_where_they_do_not_fit_else() -> None:
    card, key = SoftCard.make(OLD), key_of("ec:p256")
    piv, long = administered(card), certificate(key, more=bytes(4000))
    piv.write_certificate(0x9A, long)
    assert piv.read_certificate(0x9A) == long
    noise = b"".join(hashlib.sha256(bytes([n])).digest() for n in range(120))
    with pytest.raises(FillingError, match="no room"):
        piv.write_certificate(0x9A, certificate(key, more=noise))
    assert piv.read_certificate(0x9A) == long
    piv.delete_certificate(0x9A)
    assert piv.read_certificate(0x9A) is None
    with pytest.raises(VscError, match="no certificate in slot 9A"):
        piv.delete_certificate(0x9A)


@pytest.mark.parametrize("content", [b"\x00", b"\x70\x05\x30", b"\x71\x01\x00", b"\x70\x02\x30\x00\x71\x01\x01"])
def test_a_certificate_that_cannot_be_read(content: bytes) -> None:
    with pytest.raises(VscError, match="certificate"):
        read_certificate(content)


def test_both_forms_of_a_certificate_object() -> None:
    for compressed in (False, True):
        assert read_certificate(certificate_object(b"\x30\x00", is_compressed=compressed)) == b"\x30\x00"


def test_the_identity_is_the_guid_of_the_chuid() -> None:
    own = uuid.uuid4()
    assert host(SoftCard.make(NIST, card_id=own)).card_id() == own
    assert host(SoftCard.make_blank(NEW)).card_id() is None


def test_slots_by_their_names() -> None:
    assert [PivHost.number_of(name) for name in ("9a", "9E", "82", "95", "81", "96", "x", "")] == [
        *(0x9A, 0x9E, 0x82, 0x95),
        *(None, None, None, None),
    ]
    piv = host(SoftCard.make(NIST))
    assert piv.label(None, "Ada") == "Ada"
    with pytest.raises(VscError, match="no labels"):
        piv.label("mine", "Ada")


def test_a_card_without_piv() -> None:
    with pytest.raises(NoApplication, match="no PIV application"):
        PivHost.connect(SoftCard.make("gids").connection())
