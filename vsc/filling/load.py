"""A key and its certificate onto a card: all of it or nothing.

What can be checked is checked before the first write. If a write fails all the same, the container is deleted again.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, cast

from cryptography import x509

from vsc.errors import (
    FillingError,
    KeyMismatch,
    LostCardError,
    MaterialError,
    UnsupportedCard,
    UnsupportedKey,
    VscError,
)
from vsc.filling.certificate import Certificate, spki_of
from vsc.filling.kind import article, bits_of, kind_of, listed, title
from vsc.filling.material import Contents, Material, Source, leaf_for, read_certificates
from vsc.host import CardWithKeys, KeyUse
from vsc.host.port import LimitsCertificates, place_of, verify_pin

if TYPE_CHECKING:
    from vsc.host.port import PrivateKey


@dataclass(frozen=True, slots=True)
class Filled:
    """What a container holds now. kind: of its key, as in `rsa:2048`; subject: of its certificate."""

    container: int
    label: str
    key_bits: int
    kind: str
    subject: str | None = None
    place: str = field(default="", compare=False)
    """The container in words, as people call it: `container 0`, `slot 9A`."""


class Takes(Protocol):
    """What a card takes: that part of `HasKeys`."""

    @property
    def kinds(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class Fitting:
    """What of files goes onto a card. remarks: what people should know of the rest, a sentence each."""

    keys: tuple[Material, ...]
    remarks: tuple[str, ...] = ()

    @property
    def contents(self) -> Contents:
        return Contents(self.keys)


def fitting(host: Takes, contents: Contents, *, now: datetime | None = None) -> Fitting:
    """Chooses the keys that the card can take, and says what is left out and why.

    now: with its zone, None for the clock's. UnsupportedKey: it can take none of them; MaterialError: a certificate is
    too large.
    """
    keys = tuple(one for one in contents.keys if one.kind in host.kinds)
    if not keys:
        what = " and ".join(dict.fromkeys(article(one.kind) for one in contents.keys))
        raise UnsupportedKey(f"{what}: the card takes {listed(host.kinds)}")
    remarks = [
        f"left out: {article(one.kind)}{f' ({one.label})' if one.label else ''}: the card takes {listed(host.kinds)}"
        for one in contents.keys
        if one.kind not in host.kinds
    ]
    for one in keys:
        _check_size(host, one.certificate)
        problem = one.certificate and one.certificate.problem(now or datetime.now(UTC))
        remarks += [f"warning: {problem}"] if problem else []
    if contents.authorities:
        count = len(contents.authorities)
        others = f"{count} other certificate{'s' if count > 1 else ''}"
        remarks.append(f"{others} left out: a card has room for one beside each key")
    return Fitting(keys, (*contents.remarks, *remarks))


def load(
    host: CardWithKeys,
    contents: Contents | Material,
    *,
    pin: bytes | None = None,
    container: int | None = None,
    label: str | None = None,
    use: KeyUse = KeyUse.EXCHANGE,
) -> tuple[Filled, ...]:
    """Imports every key that the card can take, and writes its certificate; all of them or nothing.

    pin: None if it is verified already. container: its number, which must be free; None: the first free one. label:
    None for the one of the material. Both are for one key. Raises VscError before anything is written, FillingError
    afterwards.
    """
    chosen = fitting(host, Contents((contents,)) if isinstance(contents, Material) else contents)
    check_place(host, chosen, container, label)
    if pin is not None:
        verify_pin(host, pin)
    with all_or_nothing(host):
        return tuple(_loaded(host, one, container, label, use) for one in chosen.keys)


def check_place(
    host: CardWithKeys, chosen: Fitting, container: int | None, label: str | None, *, most: int | None = None
) -> None:
    """VscError if the card has no place of that number or label, or there are more keys than it, or `most`, is for."""
    count = len(chosen.keys)
    if count > 1 and most == 1:
        raise VscError(f"there are {count} keys for the card: load_keys loads them all")
    if count > 1 and (container is not None or label is not None):
        raise VscError(f"there are {count} keys for the card: a container and a label are for one alone")
    container_name(host, container, label, "")


def _loaded(host: CardWithKeys, material: Material, container: int | None, label: str | None, use: KeyUse) -> Filled:
    name = container_name(host, container, label, material.label or f"{title(material.kind)} key")
    number = host.import_key(cast("PrivateKey", material.key), number=container, name=name, use=use)
    if material.der is not None:
        host.write_certificate(number, material.der)
    subject = None if material.certificate is None else material.certificate.subject
    return Filled(number, name, bits_of(material.key), material.kind, subject, place_of(host, number))


def put_certificate(
    host: CardWithKeys,
    container: int,
    certificate: Source | x509.Certificate,
    *,
    pin: bytes | None = None,
    now: datetime | None = None,
) -> Certificate:
    """Writes or replaces the certificate of a container; of a chain, the one that is the key's.

    MaterialError and KeyMismatch before anything is written; VscError if there is no such container.
    """
    leaf, _ = certificate_for(host, container, read_certificates(certificate), now=now)
    if pin is not None:
        verify_pin(host, pin)
    host.write_certificate(container, leaf.der)
    return leaf


def certificate_for(
    host: CardWithKeys, container: int, certificates: tuple[Certificate, ...], *, now: datetime | None = None
) -> tuple[Certificate, tuple[str, ...]]:
    """Chooses the certificate of the key that is in a container; returns it and what is to be said of the choice."""
    try:
        key = host.public_key(container)
    except UnsupportedCard as error:
        return _unproved(host, container, certificates, str(error))
    leaf, remarks = leaf_for(spki_of(key), certificates, now=now)
    _check_size(host, leaf)
    return leaf, remarks


def _unproved(
    host: CardWithKeys, container: int, certificates: tuple[Certificate, ...], why: str
) -> tuple[Certificate, tuple[str, ...]]:
    """The certificate for a key that the card does not show: of one key of that kind, taken on trust."""
    kind = next((slot.kind for slot in host.slots() if slot.number == container), None)
    found = [one for one in certificates if kind_of(one.library().public_key()) == kind]
    if len(found) != 1:
        raise KeyMismatch(f"{why}, and there is not exactly one certificate for {article(kind or 'other')}")
    _check_size(host, found[0])
    return found[0], (f"{why}: that the certificate is that key's is taken on trust",)


def _check_size(host: Takes, certificate: Certificate | None) -> None:
    if certificate is None or not isinstance(host, LimitsCertificates):
        return
    problem = host.certificate_problem(certificate.der)
    if problem:
        raise MaterialError(f"the certificate is too large: {problem}")


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
            gone = "key is" if len(new) == 1 else "keys are"
            raise FillingError(f"{_reason(error)}; the new {gone} deleted again", undone=True) from error
        raise


def _reason(error: BaseException) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)
