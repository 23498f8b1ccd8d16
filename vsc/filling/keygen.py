"""A key that is made on the card and never leaves it, with a request for its certificate or a self-signed one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from card_os.rsa import KEY_BITS
from vsc.errors import UnsupportedKey, VscError
from vsc.filling.kind import article, listed, title
from vsc.filling.load import Filled, all_or_nothing, container_name
from vsc.filling.name import common_name_of, shown
from vsc.filling.request import MAX_DAYS, request, self_signed
from vsc.host import CardWithKeys, KeyUse
from vsc.host.port import is_written_by_admin, place_of, verify_pin
from vsc.host.private_key import private_key

_CURVES = ("ec:p256", "ec:p384")


@dataclass(frozen=True, slots=True)
class SelfSigned:
    """Wanted: a certificate that the new key signs for itself. now: with its zone."""

    subject: x509.Name
    now: datetime
    days: int = 365
    names: Sequence[x509.GeneralName] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.days <= MAX_DAYS:
            raise VscError(f"a certificate is valid for 1 to {MAX_DAYS} days")


@dataclass(frozen=True, slots=True)
class Request:
    """Wanted: a request for a certificate. deliver: gets the request in DER; if it raises, the key goes again."""

    subject: x509.Name
    deliver: Callable[[bytes], None]
    names: Sequence[x509.GeneralName] = ()


def key_kind(text: str) -> str:
    """Reads `rsa:2048`, `ec:p256` and their like; UnsupportedKey for anything else. Which of them a card makes, it says
    itself."""
    return text.lower() if text.lower() in _CURVES else f"rsa:{key_bits(text)}"


def key_bits(text: str) -> int:
    """Reads `rsa:2048` and its like; UnsupportedKey for anything else."""
    kind, _, size = text.lower().partition(":")
    if kind == "rsa" and size.isdecimal() and int(size) in KEY_BITS:
        return int(size)
    known = ", ".join(f"rsa:{bits}" for bits in KEY_BITS)
    raise UnsupportedKey(f"{text!r} is not a kind of key that is made on a card: {known}, {', '.join(_CURVES)}")


def generate(
    host: CardWithKeys,
    kind: int | str = 2048,
    *,
    pin: bytes | None = None,
    container: int | None = None,
    label: str | None = None,
    certificate: SelfSigned | None = None,
    csr: Request | None = None,
    use: KeyUse = KeyUse.EXCHANGE,
) -> Filled:
    """Makes a key on the card. kind: `ec:p256` and the like, or how many bits an RSA key has. pin: None: it is verified
    already; on a card that its administrator writes, it is for signatures. Else, and errors, as for `load`."""
    if isinstance(kind, int) and kind not in KEY_BITS:
        raise UnsupportedKey(f"an RSA key of {kind} bits is not supported: {', '.join(map(str, KEY_BITS))} bits are")
    kind = kind if isinstance(kind, str) else f"rsa:{kind}"
    if kind not in host.kinds:
        raise UnsupportedKey(f"{article(kind)}: the card makes {listed(host.kinds)}")
    wanted = certificate or csr
    otherwise = common_name_of(wanted.subject) if wanted else None
    name = container_name(host, container, label, otherwise or f"{title(kind)} key")

    def prove() -> None:
        if pin is not None:
            verify_pin(host, pin)

    by_admin = is_written_by_admin(host)
    if not by_admin:
        prove()
    with all_or_nothing(host):
        number = host.generate(kind, number=container, name=name, use=use)
        key = private_key(host, number, before=prove) if by_admin else private_key(host, number)
        if certificate is not None:
            der = self_signed(key, certificate.subject, certificate.names, now=certificate.now, days=certificate.days)
            host.write_certificate(number, der)
        if csr is not None:
            csr.deliver(request(key, csr.subject, csr.names))
    subject = shown(certificate.subject) if certificate else None
    return Filled(number, name, key.key_size, kind, subject, place_of(host, number))
