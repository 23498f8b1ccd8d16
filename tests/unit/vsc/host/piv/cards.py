"""PIV cards for the tests of the host's half, and what they are made with."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from vsc.host.piv import PivHost
from vsc.profiles.options import DEFAULT_ADMIN_KEY
from vsc.testing import SoftCard

PIN, PUK = b"123456", b"12345678"
NIST, OLD, NEW = "piv", "yubikey-5.4", "yubikey-5.7"


def host(card: SoftCard) -> PivHost:
    found = card.host()
    assert isinstance(found, PivHost)
    return found


def administered(card: SoftCard) -> PivHost:
    found = host(card)
    found.authenticate(found.responder(card.admin_key or DEFAULT_ADMIN_KEY))
    return found


def certificate(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, *, more: bytes = b"") -> bytes:
    """A self-signed one, DER; more: bytes in an extension that make it longer."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Ada")])
    now = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=9_000))
    extension = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), more)
    return builder.add_extension(extension, critical=False).sign(key, SHA256()).public_bytes(Encoding.DER)
