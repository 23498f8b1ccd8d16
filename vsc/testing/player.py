"""A host at a card in memory: what histories and `CardMachine` drive cards with, through the ports of its host half.

It knows the card's secrets as they are at the moment, because it may look inside, through the facts of the application;
so it can say the right PIN to a card in any state. What the card's kind has not is UnsupportedCard.
"""

from contextlib import AbstractContextManager
from functools import cache
from types import TracebackType
from typing import Self, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from card_os.fact import Fact, Kind, by_name
from card_os.kernel import KernelIns
from card_os.secret import Secret
from vsc.errors import UnsupportedCard, VscError
from vsc.host import (
    CanUnblock,
    Connection,
    FixedSecrets,
    HasChallenge,
    HasKeys,
    HasObjects,
    HostCard,
    Reference,
    ReferenceKind,
)
from vsc.host.port import PrivateKey, PublicKey, offered, offers, reference_of
from vsc.profiles import Profile
from vsc.testing.card import SoftCard
from vsc.world import SeededEnv

DEFAULT_PIN = b"12345678"
DEFAULT_KEY = bytes(24)
"""What is said to a card that has no PIN, or no admin key."""
MAX_CHANNEL = 3
MAX_OBJECTS = 8

P = TypeVar("P")
_CURVES: dict[str, type[ec.EllipticCurve]] = {"p256": ec.SECP256R1, "p384": ec.SECP384R1, "p521": ec.SECP521R1}


@cache
def imported_key(bits: int = 1024) -> RSAPrivateKey:
    """The RSA key that is imported wherever any will do: of each size always the same."""
    return SeededEnv("imported key").rsa_key(bits).library_key()


def key_of(kind: str) -> PrivateKey:
    """The same for a kind as `HasKeys.kinds` has it. UnsupportedCard for one that nobody imports here."""
    family, _, size = kind.partition(":")
    if family == "rsa":
        return imported_key(int(size))
    if family == "ec" and size in _CURVES:
        return ec.derive_private_key(0x1234567890ABCDEF, _CURVES[size]())
    raise UnsupportedCard(f"there is no key of kind {kind} to import")


def is_signed(key: PublicKey, data: bytes, signature: bytes) -> bool:
    """Whether that is what `HasKeys.sign` makes with SHA-256 of the data."""
    try:
        if isinstance(key, RSAPublicKey):
            key.verify(signature, data, PKCS1v15(), SHA256())
        else:
            key.verify(signature, data, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


class Player:
    """A host: power, channels, and one method for each thing to be done. Refusals raise VscError.

    The card gets its power with the first command; whoever only looks inside disturbs nothing.
    """

    def __init__(self, card: SoftCard) -> None:
        self.card = card
        self.channel = 0
        self._half = half_of(card.profile)
        self._connection: Connection | None = None
        self._hosts: dict[int, HostCard] = {}
        self._random = SeededEnv("player").random_bytes

    @property
    def connection(self) -> Connection:
        if self._connection is None:
            self._connection = self.card.connection()
        return ChannelConnection(self._connection, self.channel) if self.channel else self._connection

    @property
    def host(self) -> HostCard:
        """The application on the channel that is used, selected when it is first needed."""
        if self.channel not in self._hosts:
            self._hosts[self.channel] = self._half.connect(self.connection, random=self._random)
        return self._hosts[self.channel]

    def offers(self, port: type) -> bool:
        """Whether cards of this kind have a port."""
        return offers(self._half, port)

    def _as(self, port: type[P], what: str) -> P:
        host = self.host
        if not isinstance(host, port):
            raise UnsupportedCard(f"cards of this kind have no {what}")
        return host

    # --- what is inside the card, seen without a command

    def reference(self, kind: ReferenceKind) -> Reference | None:
        """The first secret of a kind; None: such cards have none."""
        return reference_of(self._half, kind)

    def secret(self, reference: Reference | None) -> bytes | None:
        """Its value as it is now; None: there is none."""
        fact = None if reference is None else self._facts.get(reference.name)
        value = None if fact is None or fact.kind is not Kind.SECRET else fact.value
        found = value.reveal() if isinstance(value, Secret) else value if isinstance(value, bytes) else None
        is_pin = reference is not None and reference.kind is not ReferenceKind.ADMIN
        half = offered(self._half, FixedSecrets) if is_pin else None
        return found if found is None or half is None else half.unpadded(found)

    def tries(self, reference: Reference | None) -> tuple[int, int] | None:
        """Tries left and try limit, as the card has them; None: unlimited, or no such secret."""
        if reference is None:
            return None
        found = [
            self._facts.get(name.format(reference.name)) for name in ("{} tries", "{} try limit", "try limit of {}")
        ]
        left, *limits = (fact.value if fact is not None and isinstance(fact.value, int) else None for fact in found)
        limit = next((value for value in limits if value is not None), left)
        return None if left is None or limit is None else (left, limit)

    @property
    def _facts(self) -> dict[str, Fact]:
        found: dict[str, Fact] = {}
        for application in reversed(self.card.profile.applications):
            found |= by_name(application.facts(self.card.persistent.state(application.aid)))
        return found

    @property
    def pin(self) -> bytes | None:
        """The PIN as it is now; None: there is none."""
        return self.secret(self.reference(ReferenceKind.USER))

    @property
    def pin_tries(self) -> tuple[int, int]:
        """Tries left and try limit of the PIN; UnsupportedCard if cards of this kind have none."""
        tries = self.tries(self._user)
        assert tries is not None
        return tries

    @property
    def admin_key(self) -> bytes | None:
        """The admin's secret as it is now; None: there is none."""
        return self.secret(self.reference(ReferenceKind.ADMIN))

    @property
    def unblocker(self) -> Reference | None:
        """Whose secret resets the PIN of the card as it is: the PUK if there is one, else the admin; None: nobody's."""
        if not self.offers(CanUnblock):
            return None
        puk = self.reference(ReferenceKind.UNBLOCK)
        return puk if self.secret(puk) is not None else self.reference(ReferenceKind.ADMIN)

    # --- power and channels

    def power_cycle(self) -> None:
        """Power off and on: everything that was verified is forgotten, every channel but 0 closed."""
        self.card.power_off()
        self._connection, self.channel = None, 0
        self._hosts.clear()

    def use_channel(self, number: int) -> None:
        """Goes on on another logical channel, 0 to 3; opens it if it is not open."""
        if not 0 <= number <= MAX_CHANNEL:
            raise ValueError(f"channels go from 0 to {MAX_CHANNEL}")
        self.channel = 0
        if number:
            # 6A86 if it is open already: then it is used as it is.
            self.connection.transmit(bytes([0x00, KernelIns.MANAGE_CHANNEL, 0x00, number]))
        self.channel = number
        self._hosts.pop(number, None)

    def close_channel(self) -> None:
        """Closes the channel that is used; on channel 0 nothing happens."""
        number, self.channel = self.channel, 0
        if number:
            self.connection.transmit(bytes([0x00, KernelIns.MANAGE_CHANNEL, 0x80, number]))

    def select(self) -> None:
        """Selects the application once more."""
        self._hosts.pop(self.channel, None)
        _ = self.host

    # --- PIN and administrator

    @property
    def _user(self) -> Reference:
        reference = self.reference(ReferenceKind.USER)
        if reference is None:
            raise UnsupportedCard("cards of this kind have no PIN")
        return reference

    def verify(self, pin: bytes) -> None:
        self.host.verify(self._user, pin)

    def log_out(self) -> None:
        self.host.log_out()

    def change(self, *, old: bytes, new: bytes) -> None:
        self.host.change(self._user, old=old, new=new)

    def reset_pin(self, *, new: bytes, key: bytes) -> None:
        """Sets a new PIN by the secret of the `unblocker`."""
        by, host = self.unblocker, self._as(CanUnblock, "way to reset the PIN")
        if by is not None and by.kind is ReferenceKind.ADMIN and isinstance(host, HasChallenge):
            host.unblock(self._user, new=new, proof=host.responder(key))
        else:
            host.unblock(self._user, new=new, proof=key)

    def authenticate(self, key: bytes) -> None:
        """Proves the secret of the administrator."""
        host, admin = self.host, self.reference(ReferenceKind.ADMIN)
        if isinstance(host, HasChallenge):
            host.authenticate(host.responder(key))
        elif admin is not None:
            host.verify(admin, key)
        else:
            raise UnsupportedCard("cards of this kind have no administrator")

    def change_admin_key(self, new: bytes) -> None:
        self._as(HasChallenge, "admin key").change_key(new)

    # --- objects and keys, by small numbers

    def _place(self, number: int, private: bool) -> int:
        places = self._as(HasObjects, "objects").places(private=private)
        if not 0 <= number < min(len(places), MAX_OBJECTS):
            raise ValueError(f"objects have numbers from 0 to {min(len(places), MAX_OBJECTS) - 1}")
        return places[number]

    def write(self, number: int, value: bytes, *, private: bool = False) -> None:
        """Writes a data object; private: only after the PIN it can be read."""
        self._as(HasObjects, "objects").write_object(self._place(number, private), value)

    def read(self, number: int, *, private: bool = False) -> bytes | None:
        """None: there is no such object."""
        return self._as(HasObjects, "objects").read_object(self._place(number, private))

    def delete(self, number: int, *, private: bool = False) -> None:
        self._as(HasObjects, "objects").delete_object(self._place(number, private))

    def generate_key(self, kind: str = "") -> int:
        """Has the card make a key, the kind that costs least unless it is said; returns its number on the card."""
        host = self._as(HasKeys, "keys")
        kind = kind or host.kinds[0]
        return host.generate(kind, name=kind)

    def import_key(self, kind: str = "") -> int:
        """Puts `key_of` that kind onto the card; returns its number on the card."""
        host = self._as(HasKeys, "keys")
        return host.import_key(key_of(kind or host.kinds[0]), name="imported")

    def some_key(self, kind: str) -> PublicKey:
        """Imports a key or, where the card takes none from outside, has it made; returns its public key."""
        try:
            self.import_key(kind)
        except UnsupportedCard:
            number = self.generate_key(kind)
            return self._as(HasKeys, "keys").public_key(number)
        return key_of(kind).public_key()

    def delete_key(self, number: int) -> None:
        self._as(HasKeys, "keys").delete_key(self._slot(number))

    def sign(self, number: int, data: bytes) -> bytes:
        return self._as(HasKeys, "keys").sign(self._slot(number), data)

    def _slot(self, number: int) -> int:
        return self._as(HasKeys, "keys").numbers[number]


def half_of(profile: Profile) -> type[HostCard]:
    """Returns the host half for a profile's cards; VscError if nobody has written one for its application."""
    if profile.host is None:
        raise VscError(f"there are no histories for {profile.applications[0].name} yet: its profile names no host half")
    return profile.host


def player(card: SoftCard) -> Player:
    """Returns a host for a card; VscError as `half_of`."""
    return Player(card)


class ChannelConnection:
    """A connection on logical channel 1, 2 or 3: the class bytes say so, all else is the connection beneath."""

    def __init__(self, connection: Connection, channel: int) -> None:
        self._connection, self._channel = connection, channel

    @property
    def atr(self) -> bytes:
        return self._connection.atr

    def transmit(self, command: bytes) -> bytes:
        return self._connection.transmit(bytes([command[0] | self._channel]) + command[1:])

    def transaction(self) -> AbstractContextManager[None]:
        return self._connection.transaction()

    def close(self) -> None:
        """Closes the connection, not the channel."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
