"""Yubico's commands: version, numbers of tries, attestation (YubiKey manual, OpenPGP; openpgp.md section 13)."""

from dataclasses import replace
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from card_os.apdu import CommandApdu
from card_os.apps.openpgp.objects import put_certificate
from card_os.apps.openpgp.session import ADMIN, OPERATIONAL, SIGNER, OpenPgpSession, require_slot, rules_of
from card_os.apps.openpgp.state import Slot
from card_os.apps.openpgp.wire import KEY_WORDS, OCCURRENCES, TIME_BYTES, Key, Origin, Password
from card_os.class_byte import Classes
from card_os.command import Command
from card_os.ec import EcPrivateKey
from card_os.pin import Pin
from card_os.rsa import RsaPrivateKey
from card_os.sw import SW, CardError
from card_os.tlv import Tlv

_ARC: Final = "1.3.6.1.4.1.41482.5."
_OCTET_STRING, _INTEGER = 0x04, 0x02
_SERIAL_BYTES = 16


def _version(session: OpenPgpSession, apdu: CommandApdu) -> bytes:
    """GET VERSION: the firmware, three bytes in BCD."""
    yubico = rules_of(session).yubico
    assert yubico is not None
    return bytes(number // 10 << 4 | number % 10 for number in yubico.version)


def _set_retries(session: OpenPgpSession, apdu: CommandApdu) -> bytes:
    """SET PIN RETRIES: tries of PIN, resetting code and admin PIN. Passwords stay, and have all their tries."""
    if 0 in apdu.data:
        raise CardError(SW.WRONG_DATA, "a password has 1 to 255 tries", subject="SET PIN RETRIES")
    state = session.state

    def limited(pin: Pin, limit: int) -> Pin:
        return Pin(pin.value, limit, limit if pin.value is not None else 0)

    of_pin, of_code, of_admin = apdu.data
    session.commit(
        replace(
            state,
            pin=limited(state.pin, of_pin),
            resetting_code=limited(state.resetting_code, of_code),
            admin=limited(state.admin, of_admin),
        )
    )
    return b""


def _attest(session: OpenPgpSession, apdu: CommandApdu) -> bytes:
    """GET ATTESTATION: certifies that a key was made on the card; the certificate is that key's in 7F21."""
    slot, ca = require_slot(session, apdu.p1), require_slot(session, Key.ATTESTATION)
    if slot.stored is None or slot.stored.origin != Origin.GENERATED:
        raise CardError(SW.CONDITIONS_NOT_SATISFIED, "no key was made on the card", subject=slot.name)
    issuer = _issuer(ca.certificate)
    key = ca.stored.key if ca.stored else None
    if issuer is None or not isinstance(key, RsaPrivateKey | EcPrivateKey):
        raise CardError(SW.CONDITIONS_NOT_SATISFIED, "the card has no attestation key with a certificate")
    if not session.state.signs_many:
        session.volatile.verified.discard(Password.SIGNING)
    deterministic = True if isinstance(key, EcPrivateKey) else None
    signed = _certificate(session, slot, issuer).sign(key.library_key(), SHA256(), ecdsa_deterministic=deterministic)
    session.commit(put_certificate(session, slot.reference, signed.public_bytes(Encoding.DER)))
    return b""


def _issuer(der: bytes) -> x509.Certificate | None:
    try:
        return x509.load_der_x509_certificate(der)
    except (ValueError, UnsupportedAlgorithm):
        return None


def _certificate(session: OpenPgpSession, slot: Slot, issuer: x509.Certificate) -> x509.CertificateBuilder:
    rules, state = rules_of(session), session.state
    assert rules.yubico is not None
    assert slot.stored is not None
    name = f"YubiKey OPGP Attestation {KEY_WORDS[slot.reference][4:]}"
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer.subject)
        .public_key(slot.stored.key.library_key().public_key())
        # Positive, and as long as RFC 5280 allows.
        .serial_number(int.from_bytes(session.env.random_bytes(_SERIAL_BYTES), "big") >> 1 | 1)
        .not_valid_before(issuer.not_valid_before_utc)
        .not_valid_after(issuer.not_valid_after_utc)
    )
    extensions = {
        "1": bytes(Tlv(0x0C, state.holder.name)),
        "2": bytes(Tlv(_OCTET_STRING, slot.fingerprint)),
        "3": bytes(Tlv(_OCTET_STRING, bytes(rules.yubico.version))),
        "4": bytes(Tlv(_INTEGER, slot.stored.origin.to_bytes(1, "big"))),
        "5": bytes(Tlv(_OCTET_STRING, slot.created.to_bytes(TIME_BYTES, "big"))),
        "6": bytes(Tlv(_INTEGER, state.signature_counter.to_bytes(4, "big"))),
        "7": bytes(Tlv(_INTEGER, state.serial.to_bytes(5, "big"))),
        "8": bytes(Tlv(_OCTET_STRING, bytes([slot.touch]))),
    }
    for number, value in extensions.items():
        extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(_ARC + number), value)
        builder = builder.add_extension(extension, critical=False)
    return builder


# --- rows


def _attest_words(apdu: CommandApdu, _: int) -> str:
    return next((KEY_WORDS[key] for key in OCCURRENCES if key == apdu.p1), f"key {apdu.p1:02X}")


_SPEC = "YubiKey manual, OpenPGP"

GET_VERSION = Command(
    "GET VERSION",
    range(1),
    range(1),
    OPERATIONAL,
    _version,
    _SPEC,
    samples=((0, b""),),
)
SET_RETRIES = Command(
    "SET PIN RETRIES",
    range(1),
    range(3, 4),
    ADMIN,
    _set_retries,
    _SPEC,
    changes=True,
    refusals={SW.WRONG_DATA: "a password has 1 to 255 tries"},
    samples=((0, b"\x03\x03\x03"),),
    renews=True,
)
ATTEST = Command(
    "GET ATTESTATION",
    frozenset(key << 8 for key in OCCURRENCES),
    range(1),
    SIGNER,
    _attest,
    _SPEC,
    classes=Classes.PROPRIETARY,
    changes=True,
    refusals={
        SW.CONDITIONS_NOT_SATISFIED: "the key was not made on the card, or the card has no attestation key",
    },
    words=_attest_words,
    samples=tuple((key << 8, b"") for key in OCCURRENCES),
)
