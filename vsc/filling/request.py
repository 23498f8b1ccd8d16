"""Certificate requests (PKCS#10) and self-signed certificates for a key, wherever that key is."""

import ipaddress
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from vsc.errors import VscError

Key = RSAPrivateKey | EllipticCurvePrivateKey
_CLOCK_SKEW = timedelta(minutes=5)
MAX_DAYS = 36_500
_CN_CHARACTERS = 64


def common(text: str) -> x509.Name:
    """Returns the name with that CN alone; what is longer than a CN may be is cut."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:_CN_CHARACTERS])])


def alternative_name(text: str) -> x509.GeneralName:
    """Reads `dns:NAME`, `email:ADDRESS`, `ip:ADDRESS` or `uri:URI`; VscError for anything else."""
    kind, _, value = text.partition(":")
    try:
        if kind == "ip":
            return x509.IPAddress(ipaddress.ip_address(value))
        if kind in _ALTERNATIVES and value:
            return _ALTERNATIVES[kind](value)
    except ValueError as error:
        raise VscError(f"{text!r} is not an alternative name{_because(error)}") from None
    raise VscError(f"{text!r} is not an alternative name: dns:NAME, email:ADDRESS, ip:ADDRESS or uri:URI")


_ALTERNATIVES: dict[str, Callable[[str], x509.GeneralName]] = {
    "dns": x509.DNSName,
    "email": x509.RFC822Name,
    "uri": x509.UniformResourceIdentifier,
}


def _because(error: ValueError) -> str:
    return f": {error}" if str(error) else ""


def request(key: Key, subject: x509.Name, names: Sequence[x509.GeneralName] = ()) -> bytes:
    """Returns a request in DER, signed by the key (SHA-256)."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    made = builder.sign(key, SHA256())
    if not made.is_signature_valid:
        raise VscError("the card's signature of the request is wrong")
    return made.public_bytes(Encoding.DER)


def self_signed(
    key: Key, subject: x509.Name, names: Sequence[x509.GeneralName] = (), *, now: datetime, days: int
) -> bytes:
    """Returns a certificate in DER that the key signs for itself (SHA-256): an end entity's, of any use.

    now: with its zone; the certificate is valid from a little earlier, because clocks differ.
    """
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(agrees=isinstance(key, EllipticCurvePrivateKey)), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    made = builder.sign(key, SHA256())
    try:
        made.verify_directly_issued_by(made)
    except InvalidSignature:
        raise VscError("the card's signature of the certificate is wrong") from None
    return made.public_bytes(Encoding.DER)


def _key_usage(*, agrees: bool) -> x509.KeyUsage:
    """What a card's key does: TLS and ssh logins, signed mail; it decrypts (RSA) or agrees on secrets (EC), too."""
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=not agrees,
        data_encipherment=False,
        key_agreement=agrees,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
