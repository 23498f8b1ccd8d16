"""Cards for tests with their keys and certificates on them, each made in one call.

make_card = CardFactory()
card = make_card(pin="24681357", key="rsa:2048", certificate="ca", name="Ada Lovelace")
"""

import os
import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypedDict, Unpack

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from card_os.pin import PinPolicy
from vsc.errors import UnsupportedCard, VscError
from vsc.filling.certificate import Certificate
from vsc.filling.keygen import generate, key_bits
from vsc.filling.load import fitting, load
from vsc.filling.material import Contents, Material, Source, read_file, read_key_and_certificate, read_pfx
from vsc.filling.pfx import is_pfx
from vsc.filling.request import common, self_signed
from vsc.host import CardWithKeys
from vsc.host.port import verify_pin
from vsc.host.private_key import private_key
from vsc.testing.card import SoftCard
from vsc.testing.identity import PUBLIC_EXPONENT, Authority, Stock

DEFAULT_NAME = "Ada Lovelace"
SELF_SIGNED = "self-signed"
BY_AUTHORITY = "ca"
_DAYS = 365
_PEM_CERTIFICATE = b"-----BEGIN CERTIFICATE"


class CardOptions(TypedDict, total=False):
    """What a card is made with. Those down to `seed` are the ones of `SoftCard.make`."""

    profile: str
    pin: str
    admin_key: bytes
    policy: PinPolicy | None
    tries: int
    admin_tries: int | None
    admin_pin: str | None
    puk: str | None
    puk_tries: int
    card_id: uuid.UUID | None
    seed: int | str | bytes | None
    key: Source | RSAPrivateKey | None
    """`rsa:2048` and its like: made on the spot; else a private key in PEM, DER or PFX: the content, or its path."""
    certificate: Source | x509.Certificate | None
    """`self-signed`; `ca`: by the test's authority; else the key's certificate in PEM or DER, content or path."""
    name: str
    """The CN of a certificate that is made on the spot."""
    password: str | None
    """Of the key or PFX."""
    fresh_key: bool
    """A key that no test has had. Without it, tests find the keys of other tests on their cards."""


_FILLING = frozenset({"key", "certificate", "name", "password", "fresh_key"})


_KINDS: dict[str, tuple[Any, str]] = {
    "pin": (str, "text, as in pin='24681357'"),
    "admin_key": (bytes, "24 bytes"),
    "policy": (PinPolicy | None, "a vsc.PinPolicy"),
    "tries": (int, "a number"),
    "admin_tries": (int | None, "a number, or None"),
    "admin_pin": (str | None, "text, or None"),
    "puk": (str | None, "text, or None"),
    "puk_tries": (int, "a number"),
    "card_id": (uuid.UUID | None, "a uuid.UUID"),
    "key": (str | bytes | os.PathLike | RSAPrivateKey | None, "'rsa:2048' and its like, or a key or its path"),
    "certificate": (str | bytes | os.PathLike | x509.Certificate | None, "'ca', 'self-signed', or one or its path"),
    "name": (str, "text"),
    "password": (str | None, "text, or None"),
}


def checked_options(options: object) -> CardOptions:
    """VscError for a name that is no option, or a value that is of another kind; the value is not told."""
    assert isinstance(options, dict)
    known = CardOptions.__annotations__
    for name, value in options.items():
        if name not in known:
            raise VscError(f"a card has no option {name!r}; there is: {', '.join(known)}")
        kind, words = _KINDS.get(name, (object, ""))
        if not isinstance(value, kind):
            raise VscError(f"{name}= is {words}, not of type {type(value).__name__}")
    return CardOptions(**options)  # type: ignore[typeddict-item]


def user_options(options: dict[str, Any]) -> dict[str, Any]:
    """Adds what the card of a user has beside what is asked for: a key, and a certificate where the key brings none."""
    options = {"key": "rsa:2048", **options}
    if "certificate" not in options and not _brings_certificate(checked_options({"key": options["key"]})["key"]):
        options["certificate"] = BY_AUTHORITY
    return options


@dataclass(frozen=True, slots=True)
class OnCard:
    """What a key container holds. own, others: its certificate; those that came with a PFX, or the one that signed."""

    card_id: uuid.UUID | None
    container: int
    own: Certificate | None
    others: tuple[Certificate, ...] = ()

    @property
    def certificate(self) -> x509.Certificate | None:
        """MaterialError: one that `cryptography` cannot read."""
        return None if self.own is None else self.own.library()

    @property
    def authorities(self) -> tuple[x509.Certificate, ...]:
        return tuple(one.library() for one in self.others)

    @property
    def name(self) -> str | None:
        """The CN of the certificate."""
        return None if self.own is None else self.own.common_name


class CardFactory:
    """Makes cards. stock: where keys and the authority come from; None: from a stock of its own.

    No two cards of one factory have the same key; two factories with one stock have.
    """

    def __init__(self, stock: Stock | None = None) -> None:
        self._stock = stock or Stock()
        self._used: Counter[int] = Counter()
        self._filled: list[tuple[SoftCard, OnCard]] = []

    @property
    def authority(self) -> Authority:
        """Signs what `certificate="ca"` asks for."""
        return self._stock.authority

    def __call__(self, **options: Unpack[CardOptions]) -> SoftCard:
        """Makes a card, in no reader yet. VscError for what cannot be; ValueError for what is out of range."""
        options = checked_options(options)
        card = SoftCard.make(**{name: value for name, value in options.items() if name not in _FILLING})  # type: ignore[arg-type]
        if options.get("key") is not None or options.get("certificate") is not None:
            self._filled.append((card, self._fill(card, options)))
            card.power_off()  # Nothing is verified any more.
        return card

    def on_card(self, card: SoftCard) -> OnCard | None:
        """What the card was filled with when it was made; None: nothing, or another factory made it."""
        return next((filled for one, filled in self._filled if one is card), None)

    def _fill(self, card: SoftCard, options: CardOptions) -> OnCard:
        key, certificate = options.get("key"), options.get("certificate")
        is_made = isinstance(certificate, str) and certificate in (SELF_SIGNED, BY_AUTHORITY)
        if key is None and not is_made:
            raise VscError("a certificate from a file needs its key: say key=, too")
        host = card.host()
        if not isinstance(host, CardWithKeys):
            raise UnsupportedCard(f"cards of profile {card.profile.name!r} have no keys with certificates")
        verify_pin(host, (card.pin or "").encode())
        if key is None or (isinstance(key, str) and key.startswith("rsa:")):
            if not is_made and certificate is not None:
                raise VscError(
                    f"a key that is made on the spot has no certificate yet: {SELF_SIGNED} or {BY_AUTHORITY}"
                )
            filled = self._make_key(host, key_bits(key or "rsa:2048"), options)
        else:
            filled = _load(host, _read(key, None if is_made else certificate, options.get("password")))
        return self._certify(host, filled.container, str(certificate), _name(options)) if is_made else filled

    def _make_key(self, host: CardWithKeys, bits: int, options: CardOptions) -> OnCard:
        if options.get("seed") is not None:  # Then the key follows from it, too.
            return OnCard(host.card_id(), generate(host, bits, label=_name(options)).container, None)
        if options.get("fresh_key"):
            key = generate_private_key(PUBLIC_EXPONENT, bits)
        else:
            key = self._stock.key(bits, self._used[bits])
            self._used[bits] += 1
        return _load(host, Contents((Material(key, label=_name(options)),)))

    def _certify(self, host: CardWithKeys, container: int, by: str, name: str) -> OnCard:
        if by == BY_AUTHORITY:
            certificate = Certificate.of(self.authority.issue(name, host.public_key(container)))
            authorities: tuple[Certificate, ...] = (Certificate.of(self.authority.certificate),)
        else:
            now = datetime.now(UTC)
            der = self_signed(private_key(host, container), common(name), now=now, days=_DAYS)
            certificate, authorities = Certificate.parse(der), ()
        host.write_certificate(container, certificate.der)
        return OnCard(host.card_id(), container, certificate, authorities)


def _name(options: CardOptions) -> str:
    return options.get("name", DEFAULT_NAME)


def _load(host: CardWithKeys, contents: Contents) -> OnCard:
    """Loads all keys; what is told of is the first."""
    chosen = fitting(host, contents)
    filled = load(host, chosen.contents)
    return OnCard(host.card_id(), filled[0].container, chosen.keys[0].certificate, contents.authorities)


def _read(key: Source | RSAPrivateKey, certificate: Source | x509.Certificate | None, password: str | None) -> Contents:
    """Reads a PFX, a PEM file that may hold the certificate as well, or a key and its certificate."""
    secret = None if password is None else password.encode()
    if isinstance(key, RSAPrivateKey):
        return read_key_and_certificate(key, _content(certificate))
    raw = read_file(_content(key), what="key file")
    if is_pfx(raw):
        if certificate is not None:
            raise VscError("a PFX brings its certificate: leave certificate= out")
        return read_pfx(raw, secret)
    if certificate is None and _PEM_CERTIFICATE in raw:
        certificate = raw
    return read_key_and_certificate(raw, _content(certificate), secret)


def _brings_certificate(key: Source | RSAPrivateKey | None) -> bool:
    if key is None or isinstance(key, RSAPrivateKey) or (isinstance(key, str) and key.startswith("rsa:")):
        return False
    raw = read_file(_content(key), what="key file")
    return is_pfx(raw) or _PEM_CERTIFICATE in raw


def _content(source: Any) -> Any:
    """PEM in a str is taken for what it is, not for a path."""
    return source.encode() if isinstance(source, str) and "-----BEGIN" in source else source
