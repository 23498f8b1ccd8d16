"""The attestation key of an "attested" card: a key of software, with a certificate that it has signed itself.

It attests nothing. Clients that look for it find one, by the name of its container.
"""

import uuid
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from vsc.api.card import Card
from vsc.errors import UnsupportedCard

KEY_BITS = 2048
PREFIX = "vsc-aik-"
_LIFE = timedelta(days=3650)


def add_attestation_key(card: Card, pin: bytes) -> None:
    """Puts the key into a container of its own."""
    name = f"{PREFIX}{uuid.uuid4().hex[:16]}"
    key = rsa.generate_private_key(65_537, KEY_BITS)
    card.load_key(pin=pin, key=key, certificate=_self_signed(key, name), label=name)


def attestation_name(card: Card) -> str:
    """The name of that container; UnsupportedCard for a card without."""
    for container in card.containers():
        if container.name.startswith(PREFIX):
            return container.name
    raise UnsupportedCard("the card was not created with an attestation key")


def _self_signed(key: rsa.RSAPrivateKey, name: str) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} (software, attests nothing)")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + _LIFE)
        .sign(key, hashes.SHA256())
    )
