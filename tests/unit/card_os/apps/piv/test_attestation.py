"""card_os.apps.piv.attestation: ATTEST (piv.md section 8)."""

import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from card_os.apps.piv import PivState
from card_os.apps.piv.personalisation import with_attestation
from card_os.apps.piv.state import Origin
from card_os.apps.piv.wire import PinPolicy, TouchPolicy
from card_os.key import PrivateKey
from card_os.key_kind import KeyKind
from tests.unit.card_os.apps.piv.piv_card import YUBIKEY, PivCard, key_of, new_state, slot_of

ARC = "1.3.6.1.4.1.41482.3."


def issuer(key: PrivateKey) -> x509.Certificate:
    own = key.library_key()
    assert isinstance(own, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "An issuer")])
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(own.public_key())
    builder = builder.serial_number(1).not_valid_before(start).not_valid_after(start.replace(year=2040))
    return builder.sign(own, SHA256())


def state_with_ca(key: PrivateKey, **slots: KeyKind) -> PivState:
    state = with_attestation(new_state(), key, issuer(key).public_bytes(Encoding.DER))
    for reference, kind in slots.items():
        state = state.with_slot(slot_of(int(reference[1:], 16), kind, PinPolicy.ALWAYS, TouchPolicy.CACHED))
    return state


def attested(card: PivCard, reference: str) -> x509.Certificate:
    return x509.load_der_x509_certificate(card.read(f"00F9{reference}00"))


@pytest.mark.parametrize("kind", [KeyKind.P256, KeyKind.RSA_2048], ids=str)
@pytest.mark.parametrize("made", [KeyKind.P384, KeyKind.RSA_1024, KeyKind.ED25519, KeyKind.X25519], ids=str)
def test_a_key_that_was_made_on_the_card_is_certified(kind: KeyKind, made: KeyKind) -> None:
    ca = issuer(key_of(kind))
    card = PivCard(state_with_ca(key_of(kind), s9a=made), YUBIKEY)
    certificate = attested(card, "9A")
    certificate.verify_directly_issued_by(ca)
    assert certificate.public_key() == key_of(made).library_key().public_key()
    assert certificate.subject.rfc4514_string() == "CN=YubiKey PIV Attestation 9a"
    extensions = {one.oid.dotted_string: one.value.value for one in certificate.extensions}
    assert extensions == {
        ARC + "3": bytes([5, 7, 1]),
        ARC + "7": bytes.fromhex("020400112233").replace(b"\x02\x04\x00", b"\x02\x03"),
        ARC + "8": bytes([3, 3]),
        ARC + "9": bytes([1]),
    }


def test_two_attestations_have_two_serial_numbers() -> None:
    card = PivCard(state_with_ca(key_of(KeyKind.P256), s9a=KeyKind.P256, s82=KeyKind.ED25519), YUBIKEY)
    one, other = attested(card, "9A"), attested(card, "9A")
    assert one.serial_number != other.serial_number
    assert isinstance(attested(card, "82").public_key(), ed25519.Ed25519PublicKey)


@pytest.mark.parametrize(
    ("command", "answer"),
    [("00F99A00", "6A88"), ("00F9F900", "6A88"), ("00F99B00", "6A88"), ("00F99C00", "6A80"), ("00F99A01", "6A86")],
)
def test_what_was_not_made_on_the_card_is_not_certified(command: str, answer: str) -> None:
    imported = slot_of(0x9C, origin=Origin.IMPORTED)
    assert PivCard(state_with_ca(key_of(KeyKind.P256)).with_slot(imported), YUBIKEY).run(command) == answer


@pytest.mark.parametrize("content", [b"", b"\x70", b"\x70\x01\x30", b"\x71\x00", b"\x70\x82\xff\xff"])
def test_a_card_without_a_usable_ca_certifies_nothing(content: bytes) -> None:
    state = state_with_ca(key_of(KeyKind.P256), s9a=KeyKind.P256)
    broken = state.with_object(0x5FFF01, content) if content else state.without_object(0x5FFF01)
    for one in (broken, state.without_slot(0xF9), state.with_slot(slot_of(0xF9, KeyKind.ED25519))):
        assert PivCard(one, YUBIKEY).run("00F99A00") == "6985"
