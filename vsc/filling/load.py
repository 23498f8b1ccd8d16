"""A key and its certificate onto a card: all of it or nothing.

What can be checked is checked before the first write. If a write fails all the same, the container is deleted again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from vsc.errors import FillingError, LostCardError, VscError
from vsc.filling.material import Material, Source, leaf_for, read_certificates, read_pfx
from vsc.host import CardWithKeys, KeyUse
from vsc.host.port import verify_pin


@dataclass(frozen=True, slots=True)
class Filled:
    """What a container holds now. subject: of its certificate."""

    container: int
    label: str
    key_bits: int
    subject: str | None = None


def load(
    host: CardWithKeys,
    material: Material,
    *,
    pin: bytes | None = None,
    container: int | None = None,
    label: str | None = None,
    use: KeyUse = KeyUse.EXCHANGE,
) -> Filled:
    """Imports the key and writes its certificate.

    pin: None if it is verified already. container: its number, which must be free; None: the first free one. label:
    None for the one of the material. Raises VscError before anything is written, FillingError afterwards.
    """
    name = container_name(host, container, label, material.label or f"RSA {material.key.key_size} key")
    if pin is not None:
        verify_pin(host, pin)
    with all_or_nothing(host):
        number = host.import_key(material.key, number=container, name=name, use=use)
        if material.der is not None:
            host.write_certificate(number, material.der)
    subject = None if material.certificate is None else material.certificate.subject.rfc4514_string()
    return Filled(number, name, material.key.key_size, subject)


def load_pfx_into(
    host: CardWithKeys,
    pfx: Source,
    *,
    password: bytes | None = None,
    pin: bytes | None = None,
    container: int | None = None,
    label: str | None = None,
) -> Filled:
    """Reads a PFX and loads what is in it: `read_pfx`, then `load`."""
    return load(host, read_pfx(pfx, password), pin=pin, container=container, label=label)


def put_certificate(
    host: CardWithKeys, container: int, certificate: Source | x509.Certificate, *, pin: bytes | None = None
) -> x509.Certificate:
    """Writes or replaces the certificate of a container; of a chain, the one that is the key's.

    MaterialError and KeyMismatch before anything is written; VscError if there is no such container.
    """
    several = (certificate,) if isinstance(certificate, x509.Certificate) else read_certificates(certificate)
    spki = host.public_key(container).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    leaf = leaf_for(spki, several)
    if pin is not None:
        verify_pin(host, pin)
    host.write_certificate(container, leaf.public_bytes(Encoding.DER))
    return leaf


def container_name(host: CardWithKeys, container: int | None, wanted: str | None, otherwise: str) -> str:
    """Returns the label for a new container; VscError if it, or the container's number, cannot be had."""
    if container is not None and (container < 0 or container in _numbers(host)):
        raise VscError(f"key container {container} is not free")
    return host.label(wanted, otherwise)


def _numbers(host: CardWithKeys) -> set[int]:
    """Of the slots with something in them."""
    return {slot.number for slot in host.slots() if not slot.is_free}


@contextmanager
def all_or_nothing(host: CardWithKeys) -> Iterator[None]:
    """If what is done inside fails, containers that were not there before are deleted; FillingError says so.

    An error before there is a new container passes as it is, and so does a lost card, where nothing can be undone.
    """
    before = _numbers(host)
    try:
        yield
    except LostCardError:
        raise
    except BaseException as error:
        try:
            new = _numbers(host) - before
            for number in new:
                host.delete_key(number)
        except VscError as second:
            message = f"{_reason(error)}; what had been written could not be taken back: {second}"
            raise FillingError(message, undone=False) from error
        if new and isinstance(error, VscError | OSError):
            raise FillingError(f"{_reason(error)}; the new key is deleted again", undone=True) from error
        raise


def _reason(error: BaseException) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)
