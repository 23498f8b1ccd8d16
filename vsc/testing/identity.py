"""Keys and certificates for tests: an authority that nobody trusts but the test, and keys that are made once.

An RSA key takes a while to make (2048 bits: about 50 ms, 4096: a second), and a test hardly ever cares which one it
has. So a `Stock` keeps what it has made, and tests that use the same stock find the same keys in it.
"""

import threading
from datetime import UTC, datetime, timedelta
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from vsc.filling.request import common
from vsc.host.port import PublicKey

PUBLIC_EXPONENT = 65_537
_AUTHORITY_BITS = 2048
_CLOCK_SKEW = timedelta(minutes=5)
_VALID = timedelta(days=365)


class Authority:
    """Signs certificates for tests. Its own certificate is self-signed, and valid for a year, as are all others."""

    def __init__(self, name: str = "vsc test authority") -> None:
        self._key = generate_private_key(PUBLIC_EXPONENT, _AUTHORITY_BITS)
        self._name = common(name)
        self.certificate = self._sign(self._name, self._key.public_key(), is_authority=True)

    def __repr__(self) -> str:
        return f"<Authority {self._name.rfc4514_string()}>"

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def issue(self, name: str, key: PublicKey, *, server: str | None = None) -> x509.Certificate:
        """Certifies that the key is the one of `name`, the CN. server: a host name, too, for a TLS server."""
        return self._sign(common(name), key, server=server)

    def _sign(
        self, name: x509.Name, key: PublicKey, *, is_authority: bool = False, server: str | None = None
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        own = self._key.public_key()
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _CLOCK_SKEW)
            .not_valid_after(now + _VALID)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(own), critical=False)
        )
        if server is not None:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(server)]), critical=False)
        return builder.sign(self._key, SHA256())


class Stock:
    """Keys and an authority, made when they are first asked for. Safe to use from several threads."""

    def __init__(self) -> None:
        self._keys: dict[int, list[RSAPrivateKey]] = {}
        self._lock = threading.Lock()

    @cached_property
    def authority(self) -> Authority:
        return Authority()

    def key(self, bits: int, number: int) -> RSAPrivateKey:
        """The key of that size and number, counted from 0: always the same one."""
        with self._lock:
            keys = self._keys.setdefault(bits, [])
            while len(keys) <= number:
                keys.append(generate_private_key(PUBLIC_EXPONENT, bits))
            return keys[number]
