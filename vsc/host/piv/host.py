"""PIV through the ports: what the facade, the command line and tests of every card ask, answered by a PIV card.

The PIN allows the keys to be used, the management key (the administrator's) everything that is written. Slots are
numbered by their key references: 9A is slot 0x9A.
"""

import secrets
import uuid
from collections.abc import Callable, Sequence
from typing import ClassVar, Self

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from card_os.apps.piv.wire import Key, Tag
from card_os.apps.piv.wire import Reference as Qualifier
from card_os.pin import PinPolicy
from card_os.sw import SW
from vsc.errors import UnexpectedStatus, UnsupportedCard, VscError
from vsc.host.challenge import Responder
from vsc.host.connection import Connection
from vsc.host.digest import digest, digest_info, signature_block, unpadded_message
from vsc.host.exchange import Exchange
from vsc.host.piv.admin import LENGTHS, Admin, ManagementKeyResponder
from vsc.host.piv.application import Application, select
from vsc.host.piv.keys import SLOTS, Found, Keys, field_bytes
from vsc.host.piv.objects import Objects
from vsc.host.piv.pins import Pins, unpadded
from vsc.host.port import KeyUse, PrivateKey, Proof, PublicKey, Reference, ReferenceKind, Slot, Tries

PIN = Reference("PIN", ReferenceKind.USER)
PUK = Reference("PUK", ReferenceKind.UNBLOCK)
ADMIN_KEY = Reference("management key", ReferenceKind.ADMIN)

_QUALIFIERS = {PIN: Qualifier.PIN, PUK: Qualifier.PUK}
_USES = {
    Key.AUTHENTICATION: KeyUse.AUTHENTICATION,
    Key.SIGNATURE: KeyUse.SIGNATURE,
    Key.CARD_AUTHENTICATION: KeyUse.AUTHENTICATION,
}
_ORDER = {
    KeyUse.SIGNATURE: (Key.SIGNATURE, Key.AUTHENTICATION, Key.MANAGEMENT),
    KeyUse.EXCHANGE: (Key.AUTHENTICATION, Key.MANAGEMENT, Key.SIGNATURE),
    KeyUse.AUTHENTICATION: (Key.AUTHENTICATION, Key.MANAGEMENT, Key.SIGNATURE),
}
"""Where a key goes if nobody says where: into the first free one, then into those for retired keys. 9E works without
the PIN, so it is only used where somebody says so."""


class PivHost:
    """The PIV application of a card, selected."""

    references: ClassVar[Sequence[Reference]] = (PIN, PUK, ADMIN_KEY)
    kinds: ClassVar[Sequence[str]] = ("ec:p256", "ec:p384", "rsa:2048", "rsa:3072", "rsa:4096")
    numbers: ClassVar[Sequence[int]] = SLOTS
    key_bytes: ClassVar[Sequence[int]] = LENGTHS
    writer: ClassVar[ReferenceKind] = ReferenceKind.ADMIN

    def __init__(self, connection: Connection, application: Application) -> None:
        self.connection = connection
        self.application = application
        exchange = Exchange(connection)
        self._objects = Objects(exchange)
        self._pins = Pins(exchange, application)
        self._admin = Admin(exchange, application)
        self._keys = Keys(exchange, application)
        self._kinds: dict[int, str] = {}
        """Of keys that have been looked at: a signature by 9C takes a VERIFY just before, so nothing is asked then."""

    @classmethod
    def connect(cls, connection: Connection, *, random: Callable[[int], bytes] = secrets.token_bytes) -> Self:
        """Selects the application; NoApplication if there is none."""
        with connection.transaction():
            return cls(connection, select(Exchange(connection)))

    def card_id(self) -> uuid.UUID | None:
        """The GUID in the CHUID."""
        guid = self._objects.guid()
        return None if guid is None else uuid.UUID(bytes=guid)

    # --- PIN and PUK

    @staticmethod
    def unpadded(stored: bytes) -> bytes:
        return unpadded(stored)

    def tries(self, reference: Reference) -> Tries | None:
        """Of the PUK only cards with Yubico's commands tell; of the management key none does."""
        return self._pins.tries(_QUALIFIERS[reference]) if reference in _QUALIFIERS else None

    def policy(self, reference: Reference) -> PinPolicy | None:
        """6 to 8 digits; of YubiKeys any characters."""
        return self._pins.rules if reference == PIN else None

    def verify(self, reference: Reference, value: bytes) -> None:
        if reference != PIN:
            how = "proved by its challenge" if reference == ADMIN_KEY else "not verified: it only resets the PIN"
            raise UnsupportedCard(f"the {reference} of a PIV card is {how}")
        self._pins.verify(value)

    def change(self, reference: Reference, *, old: bytes, new: bytes) -> None:
        """Of PIN or PUK."""
        if reference not in _QUALIFIERS:
            raise UnsupportedCard(f"the {reference} of a PIV card is changed by an administrator")
        self._pins.change(_QUALIFIERS[reference], old=old, new=new)

    def unblocked_by(self, reference: Reference) -> Reference | None:
        """PIV has the PUK alone for that (SP 800-73-5 part 2, 3.2.3)."""
        return PUK if reference == PIN else None

    def unblock(self, reference: Reference, *, new: bytes, proof: Proof) -> None:
        """proof: the PUK. A new PIN that cannot be one is refused before the PUK costs a try."""
        if reference != PIN:
            raise UnsupportedCard(f"the {reference} of a PIV card is not unblocked")
        if callable(proof):
            raise UnsupportedCard("the PIN of a PIV card is reset with its PUK, not with the management key")
        self._pins.unblock(puk=proof, new=new)

    def log_out(self) -> None:
        with self.connection.transaction():
            self._admin.log_out()
            self._pins.log_out()

    # --- the administrator

    def responder(self, key: bytes) -> Responder:
        """key: 16, 24 or 32 bytes."""
        return ManagementKeyResponder(key)

    def challenge(self) -> bytes:
        return self._admin.challenge()

    def respond(self, response: bytes) -> None:
        self._admin.respond(response)

    def authenticate(self, respond: Responder) -> None:
        self._admin.authenticate(respond)

    def change_key(self, new: bytes) -> None:
        """UnsupportedCard for a card without Yubico's commands."""
        self._admin.change_key(new)

    # --- keys

    def slots(self) -> tuple[Slot, ...]:
        """All that PIV has, with or without a key."""
        with self.connection.transaction():
            return tuple(map(self._slot, SLOTS))

    def _slot(self, number: int) -> Slot:
        try:
            certificate = self._objects.certificate(number)
        except UnexpectedStatus as error:
            if error.sw != SW.WRONG_DATA:
                raise
            certificate = None
        except VscError as error:
            if type(error) is not VscError:
                raise
            certificate = None  # One that cannot be read.
        found = self._found(number, certificate)
        kind, public = (None, None) if found is None else (found.kind, found.public)
        return Slot(number, f"{number:02X}", False, _use(number), kind, certificate, public, is_fixed=True)

    def _found(self, number: int, certificate: bytes | None) -> Found | None:
        self._kinds.pop(number, None)
        found = self._keys.find(number, certificate)
        if found is not None:
            self._kinds[number] = found.kind
        return found

    @staticmethod
    def number_of(name: str) -> int | None:
        """The slot that people call so: `9a`."""
        try:
            number = int(name, 16)
        except ValueError:
            return None
        return number if number in SLOTS else None

    def label(self, wanted: str | None, otherwise: str) -> str:
        """Slots have no names of their own: who wants one cannot have it."""
        if wanted is not None:
            raise VscError("a PIV card keeps no labels: its slots have names, and certificates have subjects")
        return otherwise

    def generate(
        self, kind: str, *, number: int | None = None, name: str | None = None, use: KeyUse = KeyUse.EXCHANGE
    ) -> int:
        """The management key has been proved."""
        with self.connection.transaction():
            number = self._free(number, use)
            self._keys.generate(number, kind)
            self._kinds[number] = kind
            return number

    def import_key(
        self,
        private_key: PrivateKey,
        *,
        number: int | None = None,
        name: str | None = None,
        use: KeyUse = KeyUse.EXCHANGE,
    ) -> int:
        """The management key has been proved."""
        with self.connection.transaction():
            number = self._free(number, use)
            self._keys.store(number, private_key)
            self._kinds.pop(number, None)
            return number

    def _free(self, number: int | None, use: KeyUse) -> int:
        if number is not None:
            self._check(number)
            if not self._slot(number).is_free:
                raise VscError(f"slot {number:02X} is not free")
            return number
        order = (*_ORDER[use], *(one for one in SLOTS if one not in (*_ORDER[use], Key.CARD_AUTHENTICATION)))
        for one in order:
            if self._slot(one).is_free:
                return int(one)
        raise VscError("there is no free slot on this card")

    def delete_key(self, number: int) -> None:
        """The management key has been proved. UnsupportedCard: only YubiKeys from 5.7 on can do that."""
        self._check(number)
        with self.connection.transaction():
            if self._slot(number).is_free:
                raise VscError(f"there is no key in slot {number:02X}")
            self._keys.delete(number)
            self._kinds.pop(number, None)
            if self._objects.read_certificate_object(number) is not None:
                self._objects.delete_certificate(number)

    def public_key(self, number: int) -> PublicKey:
        """VscError if there is no such key, or the card does not show it: there is no certificate beside it."""
        self._check(number)
        with self.connection.transaction():
            slot = self._slot(number)
        if slot.kind is None:
            raise VscError(f"there is no key in slot {number:02X}")
        if slot.key is None:
            raise UnsupportedCard(f"this card does not show the public key of slot {number:02X}")
        return slot.key

    def sign(self, number: int, data: bytes, algorithm: HashAlgorithm | str | None = "sha256") -> bytes:
        """algorithm: None: data are what is to be padded and signed (RSA), or the digest (EC). Ed25519 hashes itself.

        The key in 9C takes a `verify` just before each signature.
        """
        kind = self._kind(number)
        if kind.startswith("rsa:"):
            block = data if algorithm is None else digest_info(data, algorithm)
            value = signature_block(block, field_bytes(kind))
        elif kind.startswith("ec:"):
            value = (data if algorithm is None else digest(data, algorithm)[1])[: field_bytes(kind)]
        elif kind == "ed25519":
            value = data
        else:
            raise UnsupportedCard(f"the key in slot {number:02X} does not sign")
        return self._keys.use(number, kind, Tag.CHALLENGE, value, "signing")

    def decipher(self, number: int, cryptogram: bytes) -> bytes:
        """ValueError for another length than the key's."""
        kind = self._kind(number)
        if not kind.startswith("rsa:"):
            raise UnsupportedCard(f"the key in slot {number:02X} does not decrypt")
        if len(cryptogram) != field_bytes(kind):
            raise ValueError(f"a key of {8 * field_bytes(kind)} bits deciphers {field_bytes(kind)} bytes")
        return unpadded_message(self._keys.use(number, kind, Tag.CHALLENGE, cryptogram, "deciphering"))

    def agree(self, number: int, peer: PublicKey) -> bytes:
        kind = self._kind(number)
        if not kind.startswith("ec:") or not isinstance(peer, EllipticCurvePublicKey):
            raise UnsupportedCard(f"the key in slot {number:02X} does not agree on a secret with that one")
        point = peer.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return self._keys.use(number, kind, Tag.EXPONENTIATION, point, "agreeing on a secret")

    def _kind(self, number: int) -> str:
        self._check(number)
        if number not in self._kinds and self._found(number, None) is None:
            raise VscError(f"there is no key in slot {number:02X}")
        return self._kinds[number]

    def wants_pin_each_time(self, number: int) -> bool:
        """Looks at the key, too, so that `sign` sends nothing but the signature."""
        self._check(number)
        if number not in self._kinds:
            self._found(number, None)
        return number == Key.SIGNATURE

    @staticmethod
    def _check(number: int) -> None:
        if number not in SLOTS:
            raise VscError(f"a PIV card has no slot {number:02X}: there are 9A, 9C, 9D, 9E and 82 to 95")

    # --- certificates

    def read_certificate(self, number: int) -> bytes | None:
        self._check(number)
        with self.connection.transaction():
            return self._objects.certificate(number)

    def write_certificate(self, number: int, der: bytes) -> None:
        """The management key has been proved."""
        self._check(number)
        with self.connection.transaction():
            self._objects.put_certificate(number, der)

    def delete_certificate(self, number: int) -> None:
        """The management key has been proved."""
        self._check(number)
        with self.connection.transaction():
            if self._objects.read_certificate_object(number) is None:
                raise VscError(f"there is no certificate in slot {number:02X}")
            self._objects.delete_certificate(number)


def _use(number: int) -> KeyUse:
    return _USES.get(Key(number), KeyUse.EXCHANGE) if number in list(Key) else KeyUse.EXCHANGE
