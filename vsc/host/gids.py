"""A GIDS card as its host sees it: any card, over any connection.

    with reader.connect() as connection:
        gids = Gids.connect(connection)
        gids.verify_pin(b"12345678")
        number = gids.generate_key(2048, name="Alice")

What is verified stays verified until `log_out`, a reset, or another application is selected. Where others may talk to
the card, too, hold `connection.transaction()` round everything that belongs together; a single method does so itself.
"""

import secrets
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Self

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import HashAlgorithm

from card_os.pin import PinPolicy
from vsc.errors import AuthenticationRequired, LostCardError, VscError
from vsc.host.admin import Admin
from vsc.host.application import AdminForm, Application, select
from vsc.host.challenge import Responder
from vsc.host.connection import Connection
from vsc.host.containers import Container, Containers
from vsc.host.exchange import Exchange
from vsc.host.files import KeyUse
from vsc.host.filesystem import FileSystem
from vsc.host.formatting import Formatting
from vsc.host.keys import Keys, digest_info
from vsc.host.objects import Objects
from vsc.host.pins import Pins, Tries
from vsc.host.private_key import CardPrivateKey


class Gids:
    """The GIDS application of a card, selected. Make it with `connect`.

    Every method raises what the connection does (LostCardError and its kinds), UnexpectedStatus for a refusal without
    a meaning of its own, and AuthenticationRequired where PIN or admin key is needed and has not been verified.
    """

    def __init__(self, connection: Connection, application: Application, random: Callable[[int], bytes]) -> None:
        self.connection = connection
        self.application = application
        exchange = Exchange(connection)
        objects = Objects(exchange)
        self._files = FileSystem(exchange, objects)
        self._keys = Keys(exchange, self._files)
        self._containers = Containers(self._files, self._keys)
        self._formatting = Formatting(self._files, self._keys)
        self._pins = Pins(exchange, objects)
        self._admin = Admin(exchange, application, random)

    @classmethod
    def connect(cls, connection: Connection, *, random: Callable[[int], bytes] = secrets.token_bytes) -> Self:
        """Selects the application; UnsupportedCard if there is none. random: for the mutual form of the admin key."""
        return cls(connection, select(Exchange(connection)), random)

    # --- PIN and PUK

    def pin_tries(self) -> Tries | None:
        """Returns the tries of the PIN; None if the card does not say. Nothing is counted."""
        with self.connection.transaction():
            return self._pins.tries()

    def puk_tries(self) -> Tries | None:
        """Returns the tries of the PUK; None: there is none, the admin key resets the PIN."""
        return self._pins.puk_tries()

    def pin_policy(self) -> PinPolicy | None:
        """Returns the policy for new PINs; None if the card has none, or does not show it."""
        return self._pins.policy()

    def verify_pin(self, pin: bytes) -> None:
        """WrongPin, PinBlocked. RefusedError for a PIN without bytes."""
        self._pins.verify(pin)

    def change_pin(self, *, old: bytes, new: bytes) -> None:
        """Changes the PIN; it is verified afterwards. WrongPin, PinBlocked, PinPolicyViolation."""
        self._pins.change(old=old, new=new)

    def reset_pin(self, *, new: bytes, respond: Responder, form: AdminForm = AdminForm.AUTO) -> None:
        """Sets a new PIN and gives back its tries by the admin key; nothing is verified afterwards.

        WrongAdminResponse, AdminKeyBlocked, PinPolicyViolation; UnsupportedCard if a PUK does it on this card.
        """
        with self._administering():
            self.authenticate(respond, form=form)
            self._pins.reset_by_admin(new)

    def reset_pin_with_puk(self, *, puk: bytes, new: bytes) -> None:
        """WrongPin and PinBlocked, of the PUK; PinPolicyViolation; UnsupportedCard if there is no PUK."""
        self._pins.reset_with_puk(puk=puk, new=new)

    def log_out(self) -> None:
        """The card forgets that PIN and admin key were verified."""
        self._pins.log_out()

    # --- the administrator

    def challenge(self, form: AdminForm = AdminForm.AUTO) -> bytes:
        """Returns what `respond` wants encrypted: 8 bytes of the card or, in the mutual form, 40 of both sides.

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

    def change_admin_key(self, new: bytes) -> None:
        """Replaces the admin key, which has been proved. new: 24 bytes, else ValueError."""
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
        """Returns the id of the card; None if it has none."""
        raw = self._files.card_id()
        # Windows keeps a GUID with its first three fields little-endian (winrt-smartcards.md 5.5).
        return None if raw is None else uuid.UUID(bytes_le=raw)

    def set_card_id(self, card_id: uuid.UUID) -> None:
        """Gives the card another id; the admin key has been proved."""
        with self.connection.transaction(), _as_admin("changing the card's id"):
            self._files.put_card_id(card_id.bytes_le)

    def format(self, card_id: uuid.UUID) -> None:
        """Deletes every key, certificate and file; PIN, admin key and policy stay. The admin key has been proved."""
        with self.connection.transaction(), _as_admin("formatting"):
            self._formatting.run(card_id.bytes_le)

    # --- containers

    def containers(self) -> tuple[Container, ...]:
        """Returns the key containers, by number. Neither PIN nor admin key is needed."""
        with self.connection.transaction():
            return self._containers.all()

    def import_key(
        self,
        private_key: RSAPrivateKey,
        *,
        number: int | None = None,
        name: str | None = None,
        use: KeyUse = KeyUse.EXCHANGE,
    ) -> int:
        """Puts a key into a new container; returns its number. The PIN is verified.

        private_key: RSA of 1024, 2048, 3072 or 4096 bits, else UnsupportedCard. number: a free one, None for the
        first. name: 1 to 39 characters, None for a GUID as Windows does it.
        """
        with self.connection.transaction():
            return self._containers.import_key(private_key, number=number, name=name, use=use)

    def generate_key(
        self, bits: int, *, number: int | None = None, name: str | None = None, use: KeyUse = KeyUse.EXCHANGE
    ) -> int:
        """Has the card make a key in a new container; returns its number. As `import_key` otherwise."""
        with self.connection.transaction():
            return self._containers.generate_key(bits, number=number, name=name, use=use)

    def delete_container(self, number: int) -> None:
        """Deletes a container, its key and its certificate. PIN or admin key is verified."""
        with self.connection.transaction():
            self._containers.delete(number)

    def public_key(self, number: int) -> RSAPublicKey:
        """VscError if there is no such key, UnsupportedCard if it is not RSA."""
        key = self._keys.public(number)
        if key is None:
            raise VscError(f"there is no key in container {number}")
        return key

    def read_certificate(self, number: int) -> bytes | None:
        """Returns the DER certificate of a container, or None."""
        with self.connection.transaction():
            return self._containers.read_certificate(number)

    def write_certificate(self, number: int, der: bytes) -> None:
        """Writes or replaces the certificate of a container. PIN or admin key is verified."""
        with self.connection.transaction():
            self._containers.write_certificate(number, der)

    def delete_certificate(self, number: int) -> None:
        """PIN or admin key is verified. VscError if there is none."""
        with self.connection.transaction():
            self._containers.delete_certificate(number)

    def sign(self, number: int, data: bytes, algorithm: HashAlgorithm | str | None = "sha256") -> bytes:
        """PKCS#1 v1.5 signature with the key of a container; the PIN is verified.

        algorithm: hashes the data first (sha1, sha224, sha256, sha384, sha512); None: `data` is what is to be padded
        and signed, a DigestInfo or whatever it may be.
        """
        block = data if algorithm is None else digest_info(data, algorithm)
        with self.connection.transaction():
            return self._keys.sign(number, self._containers.record(number).key_bits, block)

    def private_key(self, number: int) -> CardPrivateKey:
        """Returns the key of a container in the shape of `cryptography`, for whatever signs with such."""
        return CardPrivateKey(self.public_key(number), lambda data, algorithm: self.sign(number, data, algorithm))


@contextmanager
def _as_admin(what: str) -> Iterator[None]:
    try:
        yield
    except AuthenticationRequired as error:
        raise AuthenticationRequired(what, right="the admin key") from error
