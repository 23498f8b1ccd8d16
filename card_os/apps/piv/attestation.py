"""Attestation: the card's own CA certifies that a key was made on the card (Yubico's INS F9; piv.md section 8).

The CA is the key F9 and the certificate in 5FFF01; both come with the card and survive a reset. Numbers of the
extensions are Yubico's, under 1.3.6.1.4.1.41482.3.
"""

from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from card_os.apdu import CommandApdu
from card_os.apps.piv.containers import ATTESTATION_CERTIFICATE
from card_os.apps.piv.session import PivSession, rules_of
from card_os.apps.piv.state import Origin, Slot
from card_os.apps.piv.wire import Key, key_words
from card_os.command import ANYBODY, Command
from card_os.ec import EcPrivateKey
from card_os.rsa import RsaPrivateKey
from card_os.sw import SW, CardError
from card_os.tlv import Tlv, parse_all
from card_os.wire import WireError

_ARC: Final = "1.3.6.1.4.1.41482.3."
_CERTIFICATE = 0x70
_SERIAL_BYTES = 16


def _attest(session: PivSession, apdu: CommandApdu) -> bytes:
    """ATTEST: the certificate of a key that was made on the card, in DER."""
    state, reference = session.state, apdu.p1
    slot = state.slot(reference)
    if slot is None or reference == Key.ATTESTATION:
        raise CardError(SW.REFERENCE_NOT_FOUND, "there is no key", subject=key_words(reference))
    if slot.origin != Origin.GENERATED:
        raise CardError(SW.WRONG_DATA, "the key was not made on the card", subject=key_words(reference))
    ca = state.slot(Key.ATTESTATION)
    issuer = _issuer(state.object(ATTESTATION_CERTIFICATE) or b"")
    if ca is None or issuer is None or not isinstance(ca.key, RsaPrivateKey | EcPrivateKey):
        raise CardError(SW.CONDITIONS_NOT_SATISFIED, "the card has no attestation key with a certificate")
    return (
        _certificate(session, slot, issuer)
        .sign(ca.key.library_key(), SHA256(), ecdsa_deterministic=True if isinstance(ca.key, EcPrivateKey) else None)
        .public_bytes(Encoding.DER)
    )


def _issuer(content: bytes) -> x509.Certificate | None:
    try:
        der = next(one.value for one in parse_all(content) if one.tag == _CERTIFICATE)
        return x509.load_der_x509_certificate(der)
    except (WireError, StopIteration, ValueError, UnsupportedAlgorithm):
        return None


def _certificate(session: PivSession, slot: Slot, issuer: x509.Certificate) -> x509.CertificateBuilder:
    yubico = rules_of(session).yubico
    assert yubico is not None
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"YubiKey PIV Attestation {slot.reference:02x}")])
    serial = session.state.serial
    public = slot.key.library_key().public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject)
        .public_key(public)
        # Positive, and as long as RFC 5280 allows.
        .serial_number(int.from_bytes(session.env.random_bytes(_SERIAL_BYTES), "big") >> 1 | 1)
        .not_valid_before(issuer.not_valid_before_utc)
        .not_valid_after(issuer.not_valid_after_utc)
    )
    extensions = {
        "3": bytes(yubico.version),
        "7": bytes(Tlv(0x02, serial.to_bytes(serial.bit_length() // 8 + 1, "big"))),
        "8": bytes([slot.pin_policy, slot.touch_policy]),
        "9": bytes([yubico.form_factor]),
    }
    for number, value in extensions.items():
        extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(_ARC + number), value)
        builder = builder.add_extension(extension, critical=False)
    return builder


def _words(apdu: CommandApdu, _: int) -> str:
    return key_words(apdu.p1)


ATTEST = Command(
    "ATTEST",
    frozenset(p1 << 8 for p1 in range(0x100)),
    range(1),
    ANYBODY,
    _attest,
    "YubiKey manual, PIV: create attestation statement",
    refusals={
        SW.REFERENCE_NOT_FOUND: "there is no key in the slot",
        SW.WRONG_DATA: "the key was imported",
        SW.CONDITIONS_NOT_SATISFIED: "the card has no attestation key, or no certificate of it",
    },
    words=_words,
    samples=((0x9A00, b""), (0xF900, b"")),
)
