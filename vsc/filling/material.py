"""What goes onto a card: private keys, their certificates, and what the people who made them called them.

Read from PKCS#12 (PFX), or from keys and certificates in PEM, DER or OpenSSH's format. Each key is put together with
its certificate here; which of them a card can take, `load` asks the host.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from vsc.errors import KeyMismatch, MaterialError, UnsupportedFeature
from vsc.filling import key_file, pfx
from vsc.filling.certificate import FILE as CERTIFICATE_FILE
from vsc.filling.certificate import Certificate, spki_of
from vsc.filling.key_file import PrivateKey
from vsc.filling.kind import kind_of

MAX_FILE_BYTES = 1 << 20
"""Nothing that is meant for a card comes near it: a larger file is a mistake."""

Source = bytes | str | PathLike[str]
"""The content of a file, or its path."""
_CERTIFICATES = ("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE")


@dataclass(frozen=True, slots=True)
class Material:
    """A key and its certificate, which fit. label: its friendly name or the certificate's."""

    key: PrivateKeyTypes = field(repr=False)
    certificate: Certificate | None = None
    label: str | None = None

    @property
    def kind(self) -> str:
        """The kind of the key: `rsa:2048`."""
        return kind_of(self.key)

    @property
    def der(self) -> bytes | None:
        """The certificate as it goes onto the card."""
        return None if self.certificate is None else self.certificate.der


@dataclass(frozen=True, slots=True)
class Contents:
    """What there is in files. authorities: certificates of none of the keys, for which a card has no place.

    remarks: what people should know of the choice that was made, a sentence each.
    """

    keys: tuple[Material, ...]
    authorities: tuple[Certificate, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Named:
    certificate: Certificate
    name: str | None = None


@dataclass(frozen=True, slots=True)
class _NamedKey:
    private: PrivateKey
    name: str | None = None


def read_material(
    *,
    material: Contents | Material | None = None,
    pfx: Source | None = None,
    key: Source | PrivateKeyTypes | None = None,
    certificate: Source | x509.Certificate | None = None,
    password: bytes | None = None,
) -> Contents:
    """Reads a PFX, or keys with or without their certificates; or returns what has been read. TypeError otherwise."""
    if [material, pfx, key].count(None) != 2 or (key is None and certificate is not None):
        raise TypeError("either a pfx, or a key with or without its certificate")
    if key is not None:
        return read_key_and_certificate(key, certificate, password)
    if pfx is not None:
        return read_pfx(pfx, password)
    assert material is not None
    return Contents((material,)) if isinstance(material, Material) else material


def read_pfx(source: Source, password: bytes | None = None, *, now: datetime | None = None) -> Contents:
    """Reads PKCS#12. password: UTF-8; None and empty are the same. now: when certificates are to be valid, with its
    zone; None for the clock's time.

    MaterialError: not PKCS#12, no private key in it; WrongPassword, DamagedFile, UnsupportedFeature, KeyMismatch.
    """
    bags = pfx.open_pfx(read_file(source, what=pfx.FILE), password)
    if not bags.keys:
        raise MaterialError("there is no private key in the PFX file")
    remarks, keys, certificates = [], [], []
    for bag in bags.keys:
        try:
            keys.append(_NamedKey(key_file.read_info(bag.der, pfx.FILE), bag.name))
        except UnsupportedFeature as error:
            remarks.append(f"left out: {error}")
    for bag in bags.certificates:
        certificates.append(_Named(Certificate.parse(bag.der, what=pfx.FILE), bag.name))
    return _together(keys, certificates, now, remarks, what=pfx.FILE)


def read_key_and_certificate(
    key: Source | PrivateKeyTypes,
    certificate: Source | x509.Certificate | None = None,
    password: bytes | None = None,
    *,
    now: datetime | None = None,
) -> Contents:
    """Reads private keys and certificates. A file of either may hold several: each key gets its own certificate.

    MaterialError: not what it should be; WrongPassword, DamagedFile, UnsupportedFeature, KeyMismatch. now: as for a
    PFX.
    """
    remarks, keys = [], []
    for one in _keys(key, password):
        if isinstance(one, UnsupportedFeature):
            remarks.append(f"left out: a key of the key file: {one}")
        else:
            keys.append(_NamedKey(one))
    several = () if certificate is None else read_certificates(certificate)
    return _together(keys, [_Named(one) for one in several], now, remarks, what=key_file.FILE)


def read_certificates(source: Source | x509.Certificate) -> tuple[Certificate, ...]:
    """Reads one certificate in DER, or any number in PEM. MaterialError: there is none; DamagedFile."""
    if isinstance(source, x509.Certificate):
        return (Certificate.of(source),)
    raw = read_file(source, what=CERTIFICATE_FILE)
    blocks = key_file.pem_blocks(raw, CERTIFICATE_FILE)
    ders = [block.der(CERTIFICATE_FILE) for block in blocks if block.label in _CERTIFICATES]
    if not ders and (blocks or raw[:1] != b"\x30" or pfx.is_pfx(raw)):
        raise MaterialError("that is not a certificate in PEM or DER")
    return tuple(Certificate.parse(der) for der in ders or [raw])


def leaf_for(
    spki: bytes, certificates: Sequence[Certificate], *, now: datetime | None = None
) -> tuple[Certificate, tuple[str, ...]]:
    """Chooses the certificate of a public key (SubjectPublicKeyInfo): of several the one that is valid now and ends
    last; returns it and what is to be said of the choice. KeyMismatch: there is none."""
    found = [one for one in certificates if one.spki == spki]
    if not found:
        count = len(certificates)
        which = "certificate does" if count == 1 else f"{count} certificates do"
        raise KeyMismatch(f"key and certificate do not match: the {which} not belong to this key")
    time = now or datetime.now(UTC)
    never = datetime.min.replace(tzinfo=UTC)
    best = max(found, key=lambda one: (one.problem(time) is None, one.not_after or never))
    different = len({one.der for one in found})
    if different == 1:
        return best, ()
    until = f", which ends on {best.not_after:%Y-%m-%d}" if best.not_after else ""
    valid = "valid now and ends last" if best.problem(time) is None else "the last to end: none is valid now"
    return best, (f"{different} certificates for one key: taken is the one that is {valid}{until}",)


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


def _keys(source: Source | PrivateKeyTypes, password: bytes | None) -> Sequence[PrivateKey | UnsupportedFeature]:
    if not isinstance(source, bytes | str | PathLike):
        return (PrivateKey(source),)
    return tuple(key_file.read_keys(read_file(source, what=key_file.FILE), password))


def _together(
    keys: list[_NamedKey], certificates: list[_Named], now: datetime | None, remarks: list[str], *, what: str
) -> Contents:
    """Gives each key its certificate. UnsupportedFeature: there was no key that a library here knows."""
    if not keys:
        raise UnsupportedFeature("; ".join(remarks).removeprefix("left out: ") or f"there is no key in the {what}")
    materials, used = [], set()
    every = [one.certificate for one in certificates]
    for one in keys:
        spki = spki_of(one.private.key.public_key())
        own = [each for each in certificates if each.certificate.spki == spki]
        if not own:
            materials.append(Material(one.private.key, None, one.name))
        else:
            leaf, said = leaf_for(spki, every, now=now)
            remarks += said
            name = next((each.name for each in own if each.certificate is leaf), None)
            materials.append(Material(one.private.key, leaf, name or leaf.common_name or one.name))
            used.add(spki)
        if one.private.is_pss_only or any(each.certificate.is_pss_only for each in own):
            remarks.append("the key is for RSASSA-PSS alone; on a card it is a key for every kind of signature")
    if certificates and not used:
        # Says that it does not match, in the words for one key or for several.
        leaf_for(spki_of(keys[0].private.key.public_key()), every, now=now)
    return Contents(tuple(materials), tuple(one for one in every if one.spki not in used), tuple(remarks))
