"""A key on the card in the shape of `cryptography`."""

import copy
import datetime

import pytest
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import NoDigestInfo, Prehashed
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.unit.vsc.host.cards import host, new_card
from tests.unit.vsc.samples import PIN, rsa_key, state_with_key
from vsc.errors import AuthenticationRequired, UnsupportedCard
from vsc.host.private_key import CardPrivateKey

NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Ada Lovelace")])


@pytest.fixture
def key() -> CardPrivateKey:
    gids = host(new_card(state_with_key()))
    gids.verify_pin(PIN)
    return gids.private_key(0)


def test_it_signs_a_request(key: CardPrivateKey) -> None:
    request = x509.CertificateSigningRequestBuilder().subject_name(NAME).sign(key, SHA512())
    assert request.is_signature_valid
    assert request.public_key() == rsa_key().library_key().public_key()


def test_it_signs_its_own_certificate(key: CardPrivateKey) -> None:
    builder = x509.CertificateBuilder().subject_name(NAME).issuer_name(NAME).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(datetime.datetime(2020, 1, 1))
    made = builder.not_valid_after(datetime.datetime(2040, 1, 1)).sign(key, SHA256())
    made.verify_directly_issued_by(made)


def test_it_signs_what_is_padded_alone(key: CardPrivateKey) -> None:
    signature = key.sign(b"anything", PKCS1v15(), NoDigestInfo())
    assert signature == rsa_key().library_key().sign(b"anything", PKCS1v15(), NoDigestInfo())
    assert key.key_size == 1024
    assert copy.deepcopy(copy.copy(key)) is key


def test_what_it_does_not_do(key: CardPrivateKey) -> None:
    with pytest.raises(UnsupportedAlgorithm, match="signs with PKCS#1"):
        key.sign(b"", PSS(MGF1(SHA256()), 32), SHA256())
    with pytest.raises(UnsupportedAlgorithm, match="not their digest"):
        key.sign(bytes(32), PKCS1v15(), Prehashed(SHA256()))
    with pytest.raises(UnsupportedAlgorithm):
        key.decrypt(bytes(128), PKCS1v15())
    with pytest.raises(UnsupportedCard, match="does not leave the card"):
        key.private_numbers()
    with pytest.raises(UnsupportedCard, match="does not leave the card"):
        key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def test_without_the_pin_it_says_so() -> None:
    key = host(new_card(state_with_key())).private_key(0)
    with pytest.raises(AuthenticationRequired):
        key.sign(b"text", PKCS1v15(), SHA256())
