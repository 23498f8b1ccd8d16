"""What goes onto a card: a private key, its certificate, and what the people who made them called it.

Read from PKCS#12 (PFX), or from a key and a certificate in PEM or DER. Everything is checked here, so that whatever
holds a `Material` can be loaded: the key is one that hosts can use on a GIDS card, the certificate is the key's and
fits into the card's file for it.
"""

import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from os import PathLike
from pathlib import Path
from typing import cast

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from card_os.apps.gids.minidriver import MAX_CERTIFICATE_BYTES
from card_os.apps.gids.wire import MAX_OBJECT_BYTES
from card_os.rsa import KEY_BITS
from vsc.errors import KeyMismatch, MaterialError, UnsupportedKey, WrongPassword
from vsc.filling.bounds import check_file, validated

MAX_FILE_BYTES = 1 << 20
"""Nothing that is meant for a card comes near it: a larger file is a mistake."""
_CERTIFICATE_HEADER_BYTES = 4
_PFX_VERSION = bytes.fromhex("020103")

Source = bytes | str | PathLike[str]
"""The content of a file, or its path."""


@dataclass(frozen=True, slots=True)
class Material:
    """A key and its certificate, which fit. label: its friendly name or the certificate's; authorities: what else came.

    A card has no place for the authorities' certificates.
    """

    key: RSAPrivateKey = field(repr=False)
    certificate: x509.Certificate | None = None
    label: str | None = None
    authorities: tuple[x509.Certificate, ...] = ()

    @property
    def der(self) -> bytes | None:
        """The certificate as it goes onto the card."""
        return None if self.certificate is None else self.certificate.public_bytes(Encoding.DER)


def read_material(
    *,
    material: Material | None = None,
    pfx: Source | None = None,
    key: Source | RSAPrivateKey | None = None,
    certificate: Source | x509.Certificate | None = None,
    password: bytes | None = None,
) -> Material:
    """Reads a PFX, or a key with or without its certificate; or returns what has been read. TypeError otherwise."""
    if [material, pfx, key].count(None) != 2 or (key is None and certificate is not None):
        raise TypeError("either a pfx, or a key with or without its certificate")
    if key is not None:
        return read_key_and_certificate(key, certificate, password)
    return read_pfx(pfx, password) if pfx is not None else cast("Material", material)


def read_pfx(source: Source, password: bytes | None = None) -> Material:
    """Reads PKCS#12. password: UTF-8; None and empty are the same.

    MaterialError: not PKCS#12, no private key in it; WrongPassword, KeyMismatch, UnsupportedKey.
    """
    raw = read_file(source, what="PFX file")
    # The library tells "not PKCS#12" from "wrong password" in words only.
    if raw[:1] != b"\x30" or _PFX_VERSION not in raw[2:10]:
        raise MaterialError("that is not a PFX file (PKCS#12)")
    check_file(raw, what="PFX file")
    if password and b"\x00" in password:
        # The library would panic: it hands the password on as a C string.
        raise _password_error("PFX file", password)
    try:
        with _quiet():
            found = pkcs12.load_pkcs12(raw, password)
    except (ValueError, TypeError):
        raise _password_error("PFX file", password) from None
    except UnsupportedAlgorithm:
        raise MaterialError("the PFX file is encrypted in a way that is not supported") from None
    if found.key is None:
        raise MaterialError("there is no private key in the PFX file")
    others = [one.certificate for one in found.additional_certs]
    key, name = supported(found.key), None
    if found.cert is not None:
        others.insert(0, found.cert.certificate)
        name = found.cert.friendly_name
    certificate, authorities = _pick(key, others)
    label = name.decode(errors="replace") if name else None
    return Material(key, certificate, label or common_name(certificate), authorities)


def read_key_and_certificate(
    key: Source | RSAPrivateKey, certificate: Source | x509.Certificate | None = None, password: bytes | None = None
) -> Material:
    """Reads a private key and its certificate, each PEM or DER; a PEM file of certificates may hold the chain, too.

    MaterialError: not what it should be; WrongPassword, KeyMismatch, UnsupportedKey.
    """
    private = supported(key) if isinstance(key, RSAPrivateKey) else read_key(key, password)
    if certificate is None:
        return Material(private)
    several = (certificate,) if isinstance(certificate, x509.Certificate) else read_certificates(certificate)
    leaf, authorities = _pick(private, several)
    return Material(private, leaf, common_name(leaf), authorities)


def _decrypted(load: Callable[[bytes, bytes | None], PrivateKeyTypes], raw: bytes, password: bytes) -> RSAPrivateKey:
    """With a wrong password about one file in 256 decrypts to rubbish with good padding, which then is no key."""
    try:
        return validated(supported(load(raw, password)), what="key file")
    except ValueError:
        raise _password_error("key file", password) from None


def read_key(source: Source, password: bytes | None = None) -> RSAPrivateKey:
    """Reads a private key: PKCS#1 or PKCS#8, PEM or DER. A password that is not needed does no harm."""
    raw = read_file(source, what="key file")
    check_file(raw, what="key file")
    library = load_pem_private_key if b"-----BEGIN" in raw else load_der_private_key
    # Validated once it is known to have a size that a card takes: the library would try any number for a prime.
    load = partial(library, unsafe_skip_rsa_key_validation=True)
    try:
        try:
            return validated(supported(load(raw, None)), what="key file")
        except TypeError:
            # The library's way to say that it is encrypted.
            if password:
                return _decrypted(load, raw, password)
    except UnsupportedAlgorithm:
        raise MaterialError(
            "the key file is encrypted in a way, or holds a kind of key, that is not supported"
        ) from None
    except ValueError as error:
        if "password" not in str(error).lower():
            raise MaterialError("that is not a private key in PEM or DER") from None
    raise _password_error("key file", password)


def read_certificates(source: Source) -> tuple[x509.Certificate, ...]:
    """Reads one certificate in DER, or any number in PEM."""
    raw = read_file(source, what="certificate file")
    try:
        with _quiet():
            if b"-----BEGIN" in raw:
                return tuple(x509.load_pem_x509_certificates(raw))
            return (x509.load_der_x509_certificate(raw),)
    except (ValueError, TypeError, x509.InvalidVersion):
        raise MaterialError("that is not a certificate in PEM or DER") from None


def leaf_for(spki: bytes, certificates: Sequence[x509.Certificate]) -> x509.Certificate:
    """Chooses the certificate of a public key (SubjectPublicKeyInfo). KeyMismatch: none; MaterialError: too large."""
    for certificate in certificates:
        if _spki_of(certificate) == spki:
            _check_size(certificate)
            return certificate
    count = len(certificates)
    which = "certificate does" if count == 1 else f"{count} certificates do"
    raise KeyMismatch(f"key and certificate do not match: the {which} not belong to this key")


def spki(key: RSAPrivateKey) -> bytes:
    """The public half of a key, as certificates hold it."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def supported(key: object) -> RSAPrivateKey:
    """Returns the key if hosts can use it on a GIDS card: RSA of 1024, 2048, 3072 or 4096 bits. UnsupportedKey."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        raise UnsupportedKey("that is an elliptic curve key: no host reads one from a GIDS card, so use an RSA key")
    if not isinstance(key, RSAPrivateKey):
        raise UnsupportedKey("that key is not an RSA key, and a GIDS card has no other")
    if key.key_size not in KEY_BITS:
        known = ", ".join(map(str, KEY_BITS))
        raise UnsupportedKey(f"an RSA key of {key.key_size} bits is not supported: {known} bits are")
    return key


def common_name(certificate: x509.Certificate | None) -> str | None:
    """The name people know a certificate by."""
    if certificate is None:
        return None
    with _quiet():
        try:
            return known_as(certificate.subject)
        except ValueError:
            return None  # A subject that the library cannot read.


def known_as(subject: x509.Name) -> str | None:
    """The CN (the innermost) of a subject, or else the whole of it; None if it is empty."""
    names = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[-1].value) if names else subject.rfc4514_string() or None


def validity_problem(certificate: x509.Certificate, now: datetime) -> str | None:
    """Says what is wrong with a certificate's time. It goes onto the card all the same: people test that.

    now: with its zone.
    """
    with _quiet():
        if now > certificate.not_valid_after_utc:
            return f"the certificate expired on {certificate.not_valid_after_utc:%Y-%m-%d}"
        if now < certificate.not_valid_before_utc:
            return f"the certificate is not valid before {certificate.not_valid_before_utc:%Y-%m-%d}"
    return None


def read_file(source: Source, *, what: str) -> bytes:
    """Returns the content; MaterialError if the file cannot be read or is too large to be meant."""
    if isinstance(source, bytes):
        raw = source
    else:
        try:
            with Path(source).open("rb") as file:
                raw = file.read(MAX_FILE_BYTES + 1)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "no such name"
            raise MaterialError(f"the {what} {str(source)!r} cannot be read: {reason}") from None
    if len(raw) > MAX_FILE_BYTES:
        raise MaterialError(f"the {what} is larger than {MAX_FILE_BYTES} bytes")
    return raw


def _pick(
    key: RSAPrivateKey, certificates: Sequence[x509.Certificate]
) -> tuple[x509.Certificate | None, tuple[x509.Certificate, ...]]:
    if not certificates:
        return None, ()
    leaf = leaf_for(spki(key), certificates)
    return leaf, tuple(one for one in certificates if one is not leaf)


def _spki_of(certificate: x509.Certificate) -> bytes | None:
    try:
        return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm):
        return None  # A kind of key that the library does not know: not ours in any case.


def _check_size(certificate: x509.Certificate) -> None:
    der = certificate.public_bytes(Encoding.DER)
    if len(der) > MAX_CERTIFICATE_BYTES:
        raise MaterialError(f"the certificate is too large: {len(der)} bytes, and a card holds {MAX_CERTIFICATE_BYTES}")
    packed = len(zlib.compress(der)) + _CERTIFICATE_HEADER_BYTES
    if packed > MAX_OBJECT_BYTES:
        raise MaterialError(
            f"the certificate is too large: {packed} bytes when compressed, and a card holds {MAX_OBJECT_BYTES}"
        )


def _password_error(what: str, password: bytes | None) -> WrongPassword:
    return WrongPassword(f"wrong password for the {what}" if password else f"the {what} needs a password")


@contextmanager
def _quiet() -> Iterator[None]:
    """What is odd about somebody's certificate is no news here, and would be printed between the lines."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
