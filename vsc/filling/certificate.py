"""A certificate as a card takes it: the bytes as they are, and what has to be known of it.

The library refuses certificates that OpenSSL, OpenSC and every browser take, for a character in a name, say. So only
what is needed is read here: whose key it certifies, from when to when, and the name that people know it by.
"""

import base64
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from vsc.errors import MaterialError
from vsc.filling import name as names
from vsc.filling.ber import Element, Type, first
from vsc.filling.failure import reading

FILE = "certificate file"
_VERSION = 0xA0
_PSS = "1.2.840.113549.1.1.10"


@dataclass(frozen=True, slots=True)
class Certificate:
    """An X.509 certificate. der: as it came; spki: the public key in the form that the library gives it.

    subject: RFC 4514; not_before, not_after: None for a time that cannot be read; is_pss_only: its key is for
    RSASSA-PSS alone.
    """

    der: bytes = field(repr=False)
    spki: bytes = field(repr=False)
    subject: str
    common_name: str | None
    not_before: datetime | None
    not_after: datetime | None
    is_pss_only: bool = False

    @classmethod
    def parse(cls, der: bytes, *, what: str = FILE) -> "Certificate":
        """Reads DER; what follows it is cut off. DamagedFile, UnsupportedFeature."""
        with reading(what):
            whole = first(der)
            fields = list(whole.sequence(3)[0].sequence(6))
            if fields[0].tag == _VERSION:
                fields.pop(0)
            _, _, _, validity, subject, key = fields[:6]
            begin, end = validity.sequence(2)[:2]
            key.sequence(2)
            subject.expect(Type.SEQUENCE)
            text, common_name = _names(subject)
            algorithm = key.sequence(2)[0].sequence(1)[0].oid()
            return cls(
                whole.raw, _normal(key.raw), text, common_name, _time(begin), _time(end), is_pss_only=algorithm == _PSS
            )

    @classmethod
    def of(cls, certificate: x509.Certificate) -> "Certificate":
        return cls.parse(certificate.public_bytes(Encoding.DER))

    def problem(self, now: datetime) -> str | None:
        """Says what is wrong with its time; it goes onto the card all the same. now: with its zone."""
        if self.not_after is None or self.not_before is None:
            return "the certificate does not say when it is valid"
        if now > self.not_after:
            return f"the certificate expired on {self.not_after:%Y-%m-%d}"
        if now < self.not_before:
            return f"the certificate is not valid before {self.not_before:%Y-%m-%d}"
        return None

    def library(self) -> x509.Certificate:
        """The certificate as `cryptography` has it. MaterialError: it cannot read it."""
        try:
            return x509.load_der_x509_certificate(self.der)
        except (ValueError, TypeError, x509.InvalidVersion):
            raise MaterialError("that certificate is one that the library `cryptography` cannot read") from None


def subject_of(der: bytes) -> str:
    """The subject of a certificate that a card holds, for people, whatever it is."""
    try:
        return Certificate.parse(der).subject or "(empty subject)"
    except MaterialError:
        return "(unreadable certificate)"


def pem(der: bytes) -> bytes:
    """Writes a certificate as PEM, without reading it."""
    text = base64.b64encode(der).decode()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""]).encode()


def spki_of(public_key: object) -> bytes:
    """The SubjectPublicKeyInfo of a key of the library."""
    der: bytes = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined]
    return der


def _normal(spki: bytes) -> bytes:
    """Certificates write the same key in several ways; a key that the library does not know stays as it is."""
    try:
        return spki_of(load_der_public_key(spki))
    except (ValueError, UnsupportedAlgorithm):
        return spki


def _names(subject: Element) -> tuple[str, str | None]:
    try:
        read = names.attributes(subject)
    except names.UnreadableName:
        return names.UNREADABLE, None
    return names.rfc4514(read), names.common_name(read)


def _time(element: Element) -> datetime | None:
    """A UTCTime or GeneralizedTime, with its zone; seconds may be missing. None: it cannot be read."""
    text = element.content.decode("ascii", "replace")
    if element.tag == Type.UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text  # RFC 5280, section 4.1.2.5.1.
    match = re.fullmatch(r"(\d{12})(\d\d)?(?:[.,]\d+)?(Z|[+-]\d{4})?", text)
    if match is None:
        return None
    digits, seconds, zone = match.groups()
    try:
        found = datetime.strptime(digits + (seconds or "00"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        if zone not in (None, "Z"):
            minutes = int(zone[1:3]) * 60 + int(zone[3:])
            found -= timedelta(minutes=minutes if zone[0] == "+" else -minutes)
    except (ValueError, OverflowError):
        return None
    return found
