"""The ports of the host's half: what there is to ask of a card, whatever application it has.

A host half is a class for one application. It has what the application has: `HostCard` always, the other ports where
`isinstance(host, HasKeys)` and the like say so. What it has, its methods may still refuse with UnsupportedCard: a card
may lack what others of its kind have. Each method raises what the connection does (LostCardError and its kinds),
AuthenticationRequired where something is to be proved first, and UnexpectedStatus for a refusal without a meaning of
its own. Nothing but values passes: bytes, numbers, and the few types below.
"""

import secrets
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar, Protocol, Self, TypeVar, cast, runtime_checkable

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import HashAlgorithm

from card_os.pin import PinPolicy
from vsc.errors import UnsupportedCard
from vsc.host.challenge import Responder
from vsc.host.connection import Connection

P = TypeVar("P")

PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey
PublicKey = RSAPublicKey | EllipticCurvePublicKey
Proof = bytes | Responder
"""What allows a PIN to be unblocked: the secret of the reference that does it, or who answers the card's challenge."""


class ReferenceKind(Enum):
    """Whose secret it is, and what for."""

    USER = "user"
    UNBLOCK = "unblock"
    """Gives a blocked one its tries back, and does nothing else: a PUK, a resetting code."""
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Reference:
    """A secret that the card compares. name: for people, and the name of its fact (`Application.facts`)."""

    name: str
    kind: ReferenceKind

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Tries:
    """How often a secret can still be tried. limit: what a right one gives back, None if the card does not say."""

    left: int
    limit: int | None


class KeyUse(Enum):
    """What a key is for."""

    EXCHANGE = "key exchange"
    """Decrypts (or agrees) and signs."""
    SIGNATURE = "signature"
    """Signs only."""
    AUTHENTICATION = "authentication"
    """Signs challenges."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for a key. number: as the host half counts; name: for people.

    kind: of the key in it, `rsa:2048`, `ec:p256`, as `HasKeys.kinds` has them; None: there is no key. is_fixed: the
    place is there without a key, too. certificate: DER, None if there is none that can be read.
    """

    number: int
    name: str
    is_default: bool
    use: KeyUse
    kind: str | None
    certificate: bytes | None = field(default=None, repr=False)
    key: PublicKey | None = field(default=None, repr=False, compare=False)
    is_fixed: bool = False

    @property
    def is_free(self) -> bool:
        """Whether nothing is in it."""
        return self.kind is None and self.certificate is None

    @property
    def key_bits(self) -> int:
        """Size of the key as its kind says; 0 without one."""
        return int("".join(filter(str.isdigit, (self.kind or "").partition(":")[2])) or 0)

    def public_key(self) -> PublicKey | None:
        """The public key; None if there is none that can be read."""
        return self.key


@runtime_checkable
class HostCard(Protocol):
    """A card's application, selected."""

    @classmethod
    def connect(cls, connection: Connection, *, random: Callable[[int], bytes] = secrets.token_bytes) -> Self:
        """Selects the application; NoApplication if the card has it not. random: for what the host has to draw."""
        ...

    @property
    def connection(self) -> Connection: ...

    def card_id(self) -> uuid.UUID | None:
        """The identity of the card, by which middleware knows it again; None if it has none."""
        ...

    references: ClassVar[Sequence[Reference]]
    """The secrets that cards of this kind can have; the first of a kind is meant where nobody says which."""

    def tries(self, reference: Reference) -> Tries | None:
        """None: the card has no such secret, or does not say. Nothing is counted."""
        ...

    def policy(self, reference: Reference) -> PinPolicy | None:
        """The rules for a new value; None if there are none, or the card does not show them."""
        ...

    def verify(self, reference: Reference, value: bytes) -> None:
        """Proves a secret, until `log_out`. WrongPin, PinBlocked; UnsupportedCard for what is not proved so."""
        ...

    def change(self, reference: Reference, *, old: bytes, new: bytes) -> None:
        """WrongPin, PinBlocked, PinPolicyViolation; UnsupportedCard for what is not changed so."""
        ...

    def log_out(self) -> None:
        """The card forgets what was proved."""
        ...


@runtime_checkable
class CanUnblock(Protocol):
    """A card whose PIN can be set, with all its tries, by somebody who does not know it."""

    def unblocked_by(self, reference: Reference) -> Reference | None:
        """Which secret does that on this very card; None: none does."""
        ...

    def unblock(self, reference: Reference, *, new: bytes, proof: Proof) -> None:
        """Sets a new value and gives back its tries; nothing is verified afterwards.

        proof: the value of the secret that `unblocked_by` names or, where that is proved by a challenge, the
        responder. WrongPin and PinBlocked of that secret; WrongAdminResponse, AdminKeyBlocked; PinPolicyViolation.
        """
        ...


@runtime_checkable
class HasChallenge(Protocol):
    """A card whose administrator proves a symmetric key by the card's challenge."""

    key_bytes: ClassVar[Sequence[int]]
    """How long such a key can be."""

    def responder(self, key: bytes) -> Responder:
        """Who answers this card's challenges with that key, which has one of the lengths; else ValueError."""
        ...

    def challenge(self) -> bytes:
        """Returns what is to be encrypted. Any other command voids it. AdminKeyBlocked."""
        ...

    def respond(self, response: bytes) -> None:
        """Proves the key until `log_out`. WrongAdminResponse, AdminKeyBlocked."""
        ...

    def authenticate(self, respond: Responder) -> None:
        """Challenge and response in one transaction."""
        ...

    def change_key(self, new: bytes) -> None:
        """Replaces the key, which has been proved. ValueError for another length."""
        ...


@runtime_checkable
class HasKeys(Protocol):
    """A card with key pairs."""

    kinds: ClassVar[Sequence[str]]
    """What keys there can be: `rsa:2048`, `ec:p256`; first one that is made in no time."""
    numbers: ClassVar[Sequence[int]]
    """The numbers that slots can have."""

    def slots(self) -> Sequence[Slot]:
        """All that have a key, and those that are fixed without one, by number. Needs no PIN."""
        ...

    def label(self, wanted: str | None, otherwise: str) -> str:
        """The name that a new key will have: the one that is wanted, else one made of another text.

        VscError if the card cannot have the one that is wanted.
        """
        ...

    def generate(
        self, kind: str, *, number: int | None = None, name: str | None = None, use: KeyUse = KeyUse.EXCHANGE
    ) -> int:
        """Has the card make a key in a free slot, None: the first; returns its number. name: from `label`."""
        ...

    def import_key(
        self,
        private_key: PrivateKey,
        *,
        number: int | None = None,
        name: str | None = None,
        use: KeyUse = KeyUse.EXCHANGE,
    ) -> int:
        """Puts a key into a free slot; as `generate` otherwise. UnsupportedCard for a kind that it does not take."""
        ...

    def delete_key(self, number: int) -> None:
        """Deletes the key of a slot, and its certificate."""
        ...

    def public_key(self, number: int) -> PublicKey:
        """VscError if there is no such key."""
        ...

    def sign(self, number: int, data: bytes, algorithm: HashAlgorithm | str | None = "sha256") -> bytes:
        """RSA: PKCS#1 v1.5; EC: ECDSA in DER. algorithm: hashes the data first; None: they are what is to be signed."""
        ...

    def decipher(self, number: int, cryptogram: bytes) -> bytes:
        """RSA, PKCS#1 v1.5: returns what was encrypted. UnsupportedCard for a key that does not decrypt."""
        ...

    def agree(self, number: int, peer: PublicKey) -> bytes:
        """ECDH: returns the shared secret. UnsupportedCard for a key that does not agree."""
        ...


@runtime_checkable
class WrittenByAdmin(Protocol):
    """A card whose keys and certificates the administrator puts there, not whoever has proved the PIN."""

    writer: ClassVar[ReferenceKind]
    """ADMIN: `generate`, `import_key`, `write_certificate` and what deletes them take that secret's proof."""


@runtime_checkable
class FixedSecrets(Protocol):
    """A card whose secrets all have one size: shorter ones are filled up. What cannot be a PIN, `unblock` refuses
    before it presents the other secret."""

    @staticmethod
    def unpadded(stored: bytes) -> bytes:
        """A secret as people say it."""
        ...


@runtime_checkable
class NamesSlots(Protocol):
    """A card whose slots people call by names."""

    @staticmethod
    def number_of(name: str) -> int | None:
        """None: no slot is called so."""
        ...


@runtime_checkable
class WantsPinEachTime(Protocol):
    """A card with keys that take the PIN just before each use."""

    def wants_pin_each_time(self, number: int) -> bool:
        """Of one key. After it, `sign` with that key sends nothing before the signature."""
        ...


@runtime_checkable
class HasCertificates(Protocol):
    """A card that keeps a certificate beside each key, in DER."""

    def read_certificate(self, number: int) -> bytes | None:
        """None: there is none. VscError if it cannot be read."""
        ...

    def write_certificate(self, number: int, der: bytes) -> None: ...

    def delete_certificate(self, number: int) -> None:
        """VscError if there is none."""
        ...


@runtime_checkable
class LimitsCertificates(Protocol):
    """A card that has no room for every certificate."""

    def certificate_problem(self, der: bytes) -> str | None:
        """Says why it has no room for one; None: it has, if it is not full."""
        ...


@runtime_checkable
class CardWithKeys(HostCard, HasKeys, HasCertificates, Protocol):
    """What is wanted of a card to put keys with their certificates onto it."""


@runtime_checkable
class HasObjects(Protocol):
    """A card that keeps data of its users."""

    @classmethod
    def places(cls, *, private: bool) -> Sequence[int]:
        """Where somebody who has proved the PIN may write. private: it takes the PIN to read there, too."""
        ...

    def read_object(self, place: int) -> bytes | None:
        """None: there is nothing."""
        ...

    def write_object(self, place: int, value: bytes) -> None:
        """At least one byte; what is there is replaced."""
        ...

    def delete_object(self, place: int) -> None: ...


@runtime_checkable
class CanFormat(Protocol):
    """A card that its administrator can make new."""

    def format(self, card_id: uuid.UUID) -> None:
        """Deletes keys, certificates and objects, and gives the card that id; PIN and admin key stay."""
        ...

    def set_card_id(self, card_id: uuid.UUID) -> None: ...


def verify_pin(host: HostCard, pin: bytes) -> None:
    """Proves the user's PIN. WrongPin, PinBlocked; UnsupportedCard if cards of this kind have none."""
    reference = reference_of(host, ReferenceKind.USER)
    if reference is None:
        raise UnsupportedCard("cards of this kind have no PIN")
    host.verify(reference, pin)


def offers(half: type[HostCard], port: type) -> bool:
    """Whether cards of that kind have a port, as `isinstance` tells of one card."""
    return offered(half, port) is not None


def offered(half: type[HostCard], port: type[P]) -> type[P] | None:
    """The half as one of a port's; None if cards of that kind have it not."""
    bases = [base for base in port.__mro__ if getattr(base, "_is_protocol", False) and base is not Protocol]
    names = {name for base in bases for name in (*vars(base), *vars(base).get("__annotations__", ()))}
    has_all = all(hasattr(half, name) or name == "connection" for name in names if not name.startswith("_"))
    return cast(type[P], half) if has_all else None


def is_written_by_admin(host: object) -> bool:
    """Whether keys and certificates are the administrator's to write, as `WrittenByAdmin` says."""
    return isinstance(host, WrittenByAdmin) and host.writer is ReferenceKind.ADMIN


def place_of(host: object, number: int) -> str:
    """A key container in words: `container 0`, `slot 9A`."""
    return f"slot {number:02X}" if isinstance(host, NamesSlots) else f"container {number}"


def reference_of(host: HostCard | type[HostCard], kind: ReferenceKind) -> Reference | None:
    """The first secret of a kind; None: such cards have none."""
    return next((one for one in host.references if one.kind is kind), None)
