"""Keys, certificates and files of them, the same in every run as far as their kind allows."""

import datetime
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from vsc.world import SeededEnv

PASSWORD = "pässword".encode()


@cache
def key(seed: str = "filling", bits: int = 1024) -> RSAPrivateKey:
    return SeededEnv(seed).rsa_key(bits).library_key()


@cache
def certificate(
    subject: str = "CN=Ada Lovelace", *, seed: str = "filling", extra_bytes: bytes = b""
) -> x509.Certificate:
    """Self-signed; extra_bytes make it as large as one likes."""
    name = x509.Name.from_rfc4514_string(subject)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key(seed).public_key())
        .serial_number(7)
        .not_valid_before(datetime.datetime(2020, 1, 1))
        .not_valid_after(datetime.datetime(2040, 1, 1))
    )
    if extra_bytes:
        extension = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.1"), extra_bytes)
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(key(seed), SHA256())


def encryption(password: bytes | None = PASSWORD) -> KeySerializationEncryption:
    return BestAvailableEncryption(password) if password else NoEncryption()


def pfx(
    *,
    name: str | None = "Ada's key",
    private: Any = None,
    leaf: x509.Certificate | None = None,
    others: tuple[x509.Certificate, ...] = (),
    password: bytes | None = PASSWORD,
) -> bytes:
    """A PFX with the key and certificate of this file, unless others are said."""
    return pkcs12.serialize_key_and_certificates(
        name.encode() if name is not None else None,
        private or key(),
        leaf or certificate(),
        list(others),
        encryption(password),
    )


def key_file(
    encoding: Encoding = Encoding.PEM,
    form: PrivateFormat = PrivateFormat.PKCS8,
    *,
    private: Any = None,
    password: bytes | None = None,
) -> bytes:
    data: bytes = (private or key()).private_bytes(encoding, form, encryption(password))
    return data
