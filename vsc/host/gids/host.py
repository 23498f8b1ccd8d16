"""GIDS through the ports: what the facade, the command line and tests of every card ask, answered by a GIDS card.

What is verified stays verified until `log_out`, a reset, or another application is selected. Where others may talk to
the card, too, hold `connection.transaction()` round everything that belongs together; a single method does so itself.
"""

import secrets
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import ClassVar, Self

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import HashAlgorithm

from card_os.pin import PinPolicy
from vsc.errors import AuthenticationRequired, LostCardError, UnsupportedCard, VscError
from vsc.host.challenge import KEY_BYTES, AdminKeyResponder, Responder
from vsc.host.connection import Connection
from vsc.host.digest import digest_info
from vsc.host.exchange import Exchange
from vsc.host.gids import label as labels
from vsc.host.gids.admin import Admin
from vsc.host.gids.application import AdminForm, Application, select
from vsc.host.gids.containers import Containers, certificate_problem
from vsc.host.gids.filesystem import FileSystem
from vsc.host.gids.formatting import Formatting
from vsc.host.gids.keys import KEY_BITS, MAX_CONTAINERS, Keys
from vsc.host.gids.objects import Objects
from vsc.host.gids.pins import Pins
from vsc.host.port import KeyUse, PrivateKey, Proof, PublicKey, Reference, ReferenceKind, Slot, Tries

PIN = Reference("PIN", ReferenceKind.USER)
PUK = Reference("PUK", ReferenceKind.UNBLOCK)
ADMIN_KEY = Reference("admin key", ReferenceKind.ADMIN)

_FIRST_TAG, _PLACES = 0xDF40, 8
_PUBLIC_EF, _PRIVATE_EF = 0xA010, 0xA013
"""Data files of the Windows profile: what is in them the PIN may write; to read the second takes the PIN, too."""


class GidsHost:
    """The GIDS application of a card, selected: every port of `vsc.host.port`."""

    references: ClassVar[Sequence[Reference]] = (PIN, PUK, ADMIN_KEY)
    kinds: ClassVar[Sequence[str]] = tuple(f"rsa:{bits}" for bits in KEY_BITS)
    numbers: ClassVar[Sequence[int]] = range(MAX_CONTAINERS)

    key_bytes: ClassVar[Sequence[int]] = (KEY_BYTES,)

    def __init__(self, connection: Connection, application: Application, random: Callable[[int], bytes]) -> None:
        self.connection = connection
        self.application = application
        exchange = Exchange(connection)
        self._objects = Objects(exchange)
        self._files = FileSystem(exchange, self._objects)
        self._keys = Keys(exchange, self._files)
        self._containers = Containers(self._files, self._keys)
        self._formatting = Formatting(self._files, self._keys)
        self._pins = Pins(exchange, self._objects)
        self._admin = Admin(exchange, application, random)

    @classmethod
    def connect(cls, connection: Connection, *, random: Callable[[int], bytes] = secrets.token_bytes) -> Self:
        """Selects the application; NoApplication if there is none. random: for the mutual form of the admin key."""
        return cls(connection, select(Exchange(connection)), random)

    # --- PIN and PUK

    def tries(self, reference: Reference) -> Tries | None:
        """Of the admin key None: no command of GIDS tells."""
        if reference == PIN:
            with self.connection.transaction():
                return self._pins.tries()
        return self._pins.puk_tries() if reference == PUK else None

    def policy(self, reference: Reference) -> PinPolicy | None:
        return self._pins.policy() if reference == PIN else None

    def verify(self, reference: Reference, value: bytes) -> None:
        """RefusedError for a secret without bytes."""
        if reference == PUK:
            self._pins.verify_puk(value)
        else:
            self._pins.verify(self._pin_only(reference, value, "proved by its challenge"))

    def change(self, reference: Reference, *, old: bytes, new: bytes) -> None:
        """Changes the PIN; it is verified afterwards."""
        self._pins.change(old=self._pin_only(reference, old, "changed by an administrator"), new=new)

    def _pin_only(self, reference: Reference, value: bytes, otherwise: str) -> bytes:
        if reference != PIN:
            raise UnsupportedCard(f"the {reference} of a GIDS card is {otherwise}")
        return value

    def unblocked_by(self, reference: Reference) -> Reference | None:
        """A card with a PUK has that alone, one without the admin key (winrt-smartcards.md 4.2)."""
        if reference != PIN:
            return None
        return ADMIN_KEY if self._pins.puk_tries() is None else PUK

    def unblock(self, reference: Reference, *, new: bytes, proof: Proof) -> None:
        self._pin_only(reference, b"", "not unblocked")
        if callable(proof):
            with self._administering():
                self.authenticate(proof)
                self._pins.reset_by_admin(new)
        else:
            self._pins.reset_with_puk(puk=proof, new=new)

    def log_out(self) -> None:
        self._pins.log_out()

    # --- the administrator

    def responder(self, key: bytes) -> AdminKeyResponder:
        """key: 24 bytes."""
        return AdminKeyResponder(key)

    def challenge(self, form: AdminForm = AdminForm.AUTO) -> bytes:
        """Returns 8 bytes of the card or, in the mutual form, 40 of both sides.

        Any other command voids it: hold a transaction until the response. AdminKeyBlocked.
        """
        return self._admin.challenge(form)

    def respond(self, response: bytes) -> None:
        """Proves the admin key until `log_out`. WrongAdminResponse, AdminKeyBlocked.

        In the mutual form the card answers with a proof of its own. It takes the key to check that, so here only its
        form is checked; `authenticate` with an `AdminKeyResponder` checks it.
        """
        self._admin.respond(response)

    def authenticate(self, respond: Responder, *, form: AdminForm = AdminForm.AUTO) -> None:
        """Proves the admin key until `log_out`: challenge and response in one transaction."""
        self._admin.authenticate(respond, form)

    def change_key(self, new: bytes) -> None:
        """new: 24 bytes, else ValueError."""
        self._admin.change_key(new)

    @contextmanager
    def _administering(self) -> Iterator[None]:
        """One transaction, after which nobody is the administrator any more, whatever happened in it."""
        with self.connection.transaction():
            try:
                yield
            except LostCardError:
                raise
            except BaseException:
                # The error that led here is the one to tell.
                with suppress(VscError):
                    self._pins.log_out()
                raise
            self._pins.log_out()

    # --- identity and format

    def card_id(self) -> uuid.UUID | None:
        raw = self._files.card_id()
        # Windows keeps a GUID with its first three fields little-endian (winrt-smartcards.md 5.5).
        return None if raw is None else uuid.UUID(bytes_le=raw)

    def set_card_id(self, card_id: uuid.UUID) -> None:
        """The admin key has been proved."""
        with self.connection.transaction(), _as_admin("changing the card's id"):
            self._files.put_card_id(card_id.bytes_le)

    def format(self, card_id: uuid.UUID) -> None:
        """PIN, admin key and policy stay. The admin key has been proved."""
        with self.connection.transaction(), _as_admin("formatting"):
            self._formatting.run(card_id.bytes_le)

    # --- keys: one in each container

    def slots(self) -> tuple[Slot, ...]:
        """The key containers, by number. Neither PIN nor admin key is needed."""
        with self.connection.transaction():
            return self._containers.all()

    def label(self, wanted: str | None, otherwise: str) -> str:
        taken: Collection[str] = {one.name for one in self.slots()}
        return labels.fitted(otherwise, taken) if wanted is None else labels.checked(wanted, taken)

    def generate(
        self, kind: str, *, number: int | None = None, name: str | None = None, use: KeyUse = KeyUse.EXCHANGE
    ) -> int:
        """name: 1 to 39 characters, None for a GUID as Windows does it. The PIN is verified."""
        if kind not in self.kinds:
            raise UnsupportedCard(f"a GIDS card has keys of the kinds {', '.join(self.kinds)}, not {kind}")
        with self.connection.transaction():
            return self._containers.generate_key(int(kind.removeprefix("rsa:")), number=number, name=name, use=use)

    def import_key(
        self,
        private_key: PrivateKey,
        *,
        number: int | None = None,
        name: str | None = None,
        use: KeyUse = KeyUse.EXCHANGE,
    ) -> int:
        """RSA of 1024, 2048, 3072 or 4096 bits, else UnsupportedCard; as `generate` otherwise."""
        if not isinstance(private_key, RSAPrivateKey):
            raise UnsupportedCard("a GIDS card takes RSA keys")
        with self.connection.transaction():
            return self._containers.import_key(private_key, number=number, name=name, use=use)

    def delete_key(self, number: int) -> None:
        """Deletes a container, its key and its certificate. PIN or admin key is verified."""
        with self.connection.transaction():
            self._containers.delete(number)

    def public_key(self, number: int) -> RSAPublicKey:
        """VscError if there is no such key, UnsupportedCard if it is not RSA."""
        key = self._keys.public(number)
        if key is None:
            raise VscError(f"there is no key in container {number}")
        return key

    def sign(self, number: int, data: bytes, algorithm: HashAlgorithm | str | None = "sha256") -> bytes:
        """PKCS#1 v1.5 signature with the key of a container; the PIN is verified.

        algorithm: hashes the data first (sha1, sha224, sha256, sha384, sha512); None: `data` is what is to be padded
        and signed, a DigestInfo or whatever it may be.
        """
        block = data if algorithm is None else digest_info(data, algorithm)
        with self.connection.transaction():
            return self._keys.sign(number, self._containers.record(number).key_bits, block)

    def decipher(self, number: int, cryptogram: bytes) -> bytes:
        with self.connection.transaction():
            record = self._containers.record(number)
            if record.use is not KeyUse.EXCHANGE:
                raise UnsupportedCard(f"the key in container {number} signs, and does not decrypt")
            return self._keys.decipher(number, record.key_bits, cryptogram)

    def agree(self, number: int, peer: PublicKey) -> bytes:
        raise UnsupportedCard("no host has keys agree on a GIDS card: its keys are RSA keys")

    # --- certificates

    @staticmethod
    def certificate_problem(der: bytes) -> str | None:
        return certificate_problem(der)

    def read_certificate(self, number: int) -> bytes | None:
        with self.connection.transaction():
            return self._containers.read_certificate(number)

    def write_certificate(self, number: int, der: bytes) -> None:
        """PIN or admin key is verified."""
        with self.connection.transaction():
            self._containers.write_certificate(number, der)

    def delete_certificate(self, number: int) -> None:
        """PIN or admin key is verified."""
        with self.connection.transaction():
            self._containers.delete_certificate(number)

    # --- objects: EF and tag are the place

    @classmethod
    def places(cls, *, private: bool) -> tuple[int, ...]:
        efid = _PRIVATE_EF if private else _PUBLIC_EF
        return tuple(efid << 16 | tag for tag in range(_FIRST_TAG, _FIRST_TAG + _PLACES))

    def read_object(self, place: int) -> bytes | None:
        return self._objects.find(divmod(place, 0x10000))

    def write_object(self, place: int, value: bytes) -> None:
        self._objects.put(divmod(place, 0x10000), value)

    def delete_object(self, place: int) -> None:
        self._objects.delete(divmod(place, 0x10000))


@contextmanager
def _as_admin(what: str) -> Iterator[None]:
    try:
        yield
    except AuthenticationRequired as error:
        raise AuthenticationRequired(what, right="the admin key") from error
