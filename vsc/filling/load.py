"""A key and its certificate onto a card: all of it or nothing.

What can be checked is checked before the first write. If a write fails all the same, the container is deleted again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from vsc.errors import FillingError, LostCardError, VscError
from vsc.filling import label as labels
from vsc.filling.material import Material, Source, leaf_for, read_certificates, read_pfx
from vsc.host import Gids, KeyUse


@dataclass(frozen=True, slots=True)
class Filled:
    """What a container holds now. subject: of its certificate."""

    container: int
    label: str
    key_bits: int
    subject: str | None = None


def load(
    gids: Gids,
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
    name = container_name(gids, container, label, material.label or f"RSA {material.key.key_size} key")
    if pin is not None:
        gids.verify_pin(pin)
    with all_or_nothing(gids):
        number = gids.import_key(material.key, number=container, name=name, use=use)
        if material.der is not None:
            gids.write_certificate(number, material.der)
    subject = None if material.certificate is None else material.certificate.subject.rfc4514_string()
    return Filled(number, name, material.key.key_size, subject)


def load_pfx_into(
    gids: Gids,
    pfx: Source,
    *,
    password: bytes | None = None,
    pin: bytes | None = None,
    container: int | None = None,
    label: str | None = None,
) -> Filled:
    """Reads a PFX and loads what is in it: `read_pfx`, then `load`."""
    return load(gids, read_pfx(pfx, password), pin=pin, container=container, label=label)


def put_certificate(
    gids: Gids, container: int, certificate: Source | x509.Certificate, *, pin: bytes | None = None
) -> x509.Certificate:
    """Writes or replaces the certificate of a container; of a chain, the one that is the key's.

    MaterialError and KeyMismatch before anything is written; VscError if there is no such container.
    """
    several = (certificate,) if isinstance(certificate, x509.Certificate) else read_certificates(certificate)
    spki = gids.public_key(container).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    leaf = leaf_for(spki, several)
    if pin is not None:
        gids.verify_pin(pin)
    gids.write_certificate(container, leaf.public_bytes(Encoding.DER))
    return leaf


def container_name(gids: Gids, container: int | None, wanted: str | None, otherwise: str) -> str:
    """Returns the label for a new container; VscError if it, or the container's number, cannot be had."""
    there = gids.containers()
    if container is not None and (container < 0 or any(one.number == container for one in there)):
        raise VscError(f"key container {container} is not free")
    taken = {one.name for one in there}
    return labels.fitted(otherwise, taken) if wanted is None else labels.checked(wanted, taken)


@contextmanager
def all_or_nothing(gids: Gids) -> Iterator[None]:
    """If what is done inside fails, containers that were not there before are deleted; FillingError says so.

    An error before there is a new container passes as it is, and so does a lost card, where nothing can be undone.
    """
    before = {one.number for one in gids.containers()}
    try:
        yield
    except LostCardError:
        raise
    except BaseException as error:
        try:
            new = {one.number for one in gids.containers()} - before
            for number in new:
                gids.delete_container(number)
        except VscError as second:
            message = f"{_reason(error)}; what had been written could not be taken back: {second}"
            raise FillingError(message, undone=False) from error
        if new and isinstance(error, VscError | OSError):
            raise FillingError(f"{_reason(error)}; the new key is deleted again", undone=True) from error
        raise


def _reason(error: BaseException) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)
