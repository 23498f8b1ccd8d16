"""Handles on cards: any card in any reader whose application is known here, and the virtual cards of a store.

    card = vsc.open("work")
    card.change_pin(old="12345678", new="24681357")
    with card:
        card.verify_pin("24681357")
        card.sign(0, b"hello")

What a handle holds, and when, is in `vsc.api.handle`.
"""

import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar
from weakref import ref

from card_os.pin import NO_POLICY, PinPolicy
from vsc.api.asking import Asker, PinSource, PinText, pin_bytes
from vsc.api.challenge import AdminChallenge, authority, check_card_id, provision
from vsc.api.handle import Handle
from vsc.api.place import InReader, InStore, plugged_in
from vsc.api.session import KEYS, Authority, GivenKey, Session, octets
from vsc.errors import (
    AuthenticationRequired,
    CardInUseError,
    PinBlocked,
    PinPolicyViolation,
    UnsupportedCard,
    WrongAdminResponse,
    WrongPin,
)
from vsc.factory import admin_key_of
from vsc.host import (
    Container,
    HasCertificates,
    HasKeys,
    KeyUse,
    ReferenceKind,
    Responder,
    Tries,
)
from vsc.host.port import NamesSlots, is_written_by_admin, reference_of
from vsc.interaction.port import UserInteraction
from vsc.machine import MachineReader, current
from vsc.store import Image, Store
from vsc.store.name import check_name

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from vsc.filling.certificate import Certificate
    from vsc.filling.keygen import Request, SelfSigned
    from vsc.filling.load import Filled
    from vsc.filling.material import Contents, Material, Source

T = TypeVar("T")
Tell = Callable[[str], None]
"""Gets a sentence that a person should know."""


class Card(Handle):
    """A card, whoever made it. Safe to use from several threads: one operation runs at a time.

    Outside a `with` block each operation connects to the card and leaves it as it found it: nothing stays verified.
    Inside one the connection is kept, and with it what was verified. PINs are str (sent as UTF-8) or bytes; None
    means that a person is asked, through the `interaction` of the handle or `vsc.user_interaction`.
    """

    @classmethod
    def in_reader(
        cls, reader: MachineReader, *, insertion: int | None = None, interaction: UserInteraction | None = None
    ) -> "Card":
        """Returns the card that is in a reader, or was at that insertion. CardRemoved if there is none."""
        return Card(InReader(reader, insertion), reader.name, interaction=interaction)

    # --- what the card says of itself

    @property
    def atr(self) -> bytes:
        with self._opened() as session:
            return session.connection.atr

    @property
    def id(self) -> uuid.UUID | None:
        """The card id; None if the card has none."""
        with self._opened() as session:
            return session.host.card_id()

    @property
    def pin_tries(self) -> Tries | None:
        """The tries that the PIN has left; None if the card does not say."""
        with self._opened() as session:
            return session.host.tries(session.pin)

    @property
    def puk_tries(self) -> Tries | None:
        """The tries that the PUK has left; None: there is none, and the admin key resets the PIN."""
        with self._opened() as session:
            puk = reference_of(session.host, ReferenceKind.UNBLOCK)
            return None if puk is None else session.host.tries(puk)

    @property
    def pin_policy(self) -> PinPolicy | None:
        """The rules for new PINs; None if the card has none, or does not show them."""
        with self._opened() as session:
            return session.host.policy(session.pin)

    def _rules(self, session: Session) -> PinPolicy | None:
        """What new PINs are held to before the card sees them."""
        return session.host.policy(session.pin)

    # --- the PIN

    def verify_pin(self, pin: PinText | None = None) -> None:
        """Verifies the PIN; in a `with` block it stays verified. WrongPin, PinBlocked; Cancelled if it was asked."""
        self._with_pin(pin, lambda session: None, anew=True)

    def change_pin(self, *, old: PinText | None = None, new: PinText | None = None) -> None:
        """Changes the PIN. What is not given is asked for: the present PIN again until it is right, a new one again
        until it keeps to the rules.

        A new PIN that breaks the rules costs no try. WrongPin, PinBlocked, PinPolicyViolation, Cancelled.
        """
        present = PinSource(old, self._ask_current)
        wanted = PinSource(new, self._ask_new)
        if old is None and new is not None:
            with self._opened() as session:  # Before anybody is asked.
                self._check_new(session, wanted.given)
        while True:  # Until it is done, or nobody has another answer.
            before, after = present.value(), wanted.value()
            try:
                with self._opened() as session:
                    self._check_new(session, wanted.given)
                    session.change_pin(old=before, new=after)
                    return
            except WrongPin as error:
                present.refuse(error)
            except PinPolicyViolation as error:
                wanted.refuse(error)

    def reset_pin(
        self,
        *,
        new: PinText | None = None,
        admin_key: bytes | None = None,
        respond: Responder | None = None,
        puk: PinText | None = None,
    ) -> None:
        """Sets a new PIN without the old one, and gives back its tries.

        Exactly one of admin_key (24 bytes), respond (takes the challenge, returns the response) and puk. A new PIN
        that is not given is asked for first; if that is cancelled, `respond` is not called.
        WrongAdminResponse, AdminKeyBlocked, PinPolicyViolation, Cancelled; WrongPin and PinBlocked of the PUK;
        UnsupportedCard: a card with a PUK is reset with that alone, one without by the admin key alone.
        """
        if [admin_key, respond, puk].count(None) != 2:
            raise TypeError("exactly one of admin_key, respond and puk is to be given")
        by_admin = None if puk is not None else authority(admin_key, respond)
        by_puk = None if puk is None else pin_bytes(puk)
        wanted = PinSource(new, self._ask_new)
        if new is None:
            with self._opened() as session:  # Before anybody is asked.
                _check_way(session, by_admin)
        while True:  # Until it is done, or nobody has another answer.
            after = wanted.value()
            try:
                with self._opened() as session:
                    _check_way(session, by_admin)
                    self._check_new(session, wanted.given)
                    session.unblock_pin(after, by_admin or by_puk)
                    return
            except PinPolicyViolation as error:
                wanted.refuse(error)

    def _check_new(self, session: Session, pin: bytes | None) -> None:
        """PinPolicyViolation for a given PIN that breaks the rules, before any try is spent."""
        rules = None if pin is None else self._rules(session)
        if pin is not None and rules is not None and (broken := rules.violations(pin)):
            raise PinPolicyViolation(broken)

    def _ask_new(self, problem: str | None) -> bytes:
        with self._opened() as session:
            rules = self._rules(session)
        return self._asker().new_pin(rules, problem)

    def _ask_current(self, problem: str | None) -> bytes:
        tries = self.pin_tries
        if tries is not None and tries.left == 0:
            raise PinBlocked
        return self._asker().current_pin(None if tries is None else tries.left, problem)

    def _asker(self) -> Asker:
        return Asker(self._shown_name, self._interaction)

    @property
    def _shown_name(self) -> str:
        return self._name

    def _with_pin(
        self,
        pin: PinText | None,
        work: Callable[[Session], T],
        *,
        anew: bool = False,
        before: Callable[[Session], object] = lambda session: None,
    ) -> T:
        """Does what needs the PIN: a given one, else what a `with` block has verified (unless `anew`), else asks.

        before: what is to be asked of the card before the PIN, so that nothing comes between that and the work.
        """
        source = PinSource(pin, self._ask_current)
        while True:  # Until it is done, or nobody has another answer.
            is_verified = pin is None and not anew and self._session is not None and self._session.is_pin_verified
            value = None if is_verified else source.value()
            with self._opened() as session:
                before(session)
                if value is not None:
                    try:
                        session.verify_pin(value)
                    except WrongPin as error:
                        source.refuse(error)
                        continue
                return work(session)

    def _right_pin(self, pin: PinText | None) -> bytes:
        """A given PIN, or one that is asked for until it is right."""
        source = PinSource(pin, self._ask_current)
        while True:  # Until it is right, or nobody has another answer.
            value = source.value()
            with self._opened() as session:
                try:
                    session.verify_pin(value)
                except WrongPin as error:
                    source.refuse(error)
                else:
                    return value

    # --- the administrator

    def _authority(self, admin_key: bytes | None, respond: Responder | None) -> Authority | None:
        """Who proves the admin key, where a card wants it for writing; None: nobody was said."""
        return None if admin_key is None and respond is None else authority(admin_key, respond)

    def _is_written_by_admin(self) -> bool:
        """Whether keys and certificates are the administrator's to write."""
        with self._opened() as session:
            return session.is_written_by_admin

    def _own_authority(self) -> Authority:
        """Who does if nobody was said: of other people's cards, nobody."""
        raise AuthenticationRequired("writing to this card", right="its management key (admin_key)")

    def _writing(self, pin: PinText | None, by: Authority | None, work: Callable[[Session], T]) -> T:
        """Does what puts something onto the card: with the PIN or, where that is the administrator's, the admin key.
        Then a PIN that is given has to be right, too, and none is asked for.
        """
        if not self._is_written_by_admin():
            return self._with_pin(pin, work)
        by = by or self._own_authority()
        if pin is not None:
            self._right_pin(pin)
        with self._administered(by) as session:
            return work(session)

    def challenge(self) -> AdminChallenge:
        """Asks the card for a challenge of its admin key; use the result in a `with` block. AdminKeyBlocked."""
        challenge = AdminChallenge(self._opened())
        self._challenge = ref(challenge)
        return challenge

    def verify_admin_key(self, key: bytes) -> bool:
        """Tells whether that is the admin key: 24 bytes. AdminKeyBlocked."""
        by = GivenKey(octets(key, "key"), "key")
        try:
            with self._administered(by):
                return True
        except WrongAdminResponse:
            return False

    def change_admin_key(self, *, new: bytes, admin_key: bytes | None = None, respond: Responder | None = None) -> None:
        """Replaces the admin key, which is proved by itself or by `respond`. WrongAdminResponse, AdminKeyBlocked."""
        by, key = authority(admin_key, respond), GivenKey(octets(new, "new"), "new")
        with self._administered(by, new_key=key) as session:
            session.admin.change_key(key.value)

    def provision(
        self,
        *,
        format: bool = False,  # noqa: A002
        card_id: uuid.UUID | None = None,
        admin_key: bytes | None = None,
        respond: Responder | None = None,
    ) -> None:
        """Formats the card (keys and certificates go; PIN, policy and admin key stay), gives it another id, or both.

        card_id: None for a random one when formatting, else the card keeps its own. WrongAdminResponse,
        AdminKeyBlocked.
        """
        by = authority(admin_key, respond)
        check_card_id(card_id)
        with self._administered(by) as session:
            provision(session, wipe=format, card_id=card_id)

    # --- keys and certificates

    def containers(self) -> tuple[Container, ...]:
        """Returns the key containers, with public keys and certificates. Needs no PIN."""
        with self._opened() as session:
            slots = session.has(HasKeys, KEYS).slots()
            return tuple(slot for slot in slots if not slot.is_free)

    def key_number(self, name: str) -> int | None:
        """The number of a key container: of a slot, `9a` of a PIV card, or in digits. None: it is none."""
        with self._opened() as session:
            host = session.host
        if isinstance(host, NamesSlots):
            return host.number_of(name)
        return int(name) if name.isascii() and name.isdecimal() else None

    def certificate(self, container: int) -> bytes | None:
        """Returns the certificate of a container in DER, or None. Needs no PIN."""
        with self._opened() as session:
            return session.has(HasCertificates, KEYS).read_certificate(container)

    def put_certificate(
        self,
        container: int,
        certificate: "Source | x509.Certificate",
        *,
        pin: PinText | None = None,
        admin_key: bytes | None = None,
        respond: Responder | None = None,
        tell: Tell | None = None,
    ) -> "Certificate":
        """Writes or replaces a certificate, which must be that of the container's key. certificate: a path, or PEM or
        DER; of a chain the key's own is taken, and returned. tell: as for `load_keys`. MaterialError, KeyMismatch;
        WrongPin, PinBlocked."""
        from vsc.filling.load import certificate_for
        from vsc.filling.material import read_certificates

        several = read_certificates(certificate)
        with self._opened() as session:
            leaf, remarks = certificate_for(session.keys, container, several)
        _tell_all(remarks, tell)
        by = self._authority(admin_key, respond)
        self._writing(pin, by, lambda session: session.keys.write_certificate(container, leaf.der))
        return leaf

    def load_key(
        self,
        *,
        pfx: "Source | None" = None,
        key: "Source | PrivateKeyTypes | None" = None,
        certificate: "Source | x509.Certificate | None" = None,
        password: str | bytes | None = None,
        material: "Contents | Material | None" = None,
        pin: PinText | None = None,
        admin_key: bytes | None = None,
        respond: Responder | None = None,
        container: int | None = None,
        label: str | None = None,
        use: KeyUse = KeyUse.EXCHANGE,
    ) -> "Filled":
        """Puts a key and its certificate onto the card, all or nothing.

        Either pfx (PKCS#12), or key with or without certificate (PEM, DER, OpenSSH's format, or objects of
        `cryptography`): a path or the content of the file; or material, which is that, read before. password: for what
        is encrypted. container: a free number, None for the first; label: None for what the file says. MaterialError
        and its kinds, FillingError, WrongPin, PinBlocked; VscError for files with several keys that the card can take.
        """
        from vsc.filling.material import read_material

        secret = password.encode() if isinstance(password, str) else password
        read = read_material(material=material, pfx=pfx, key=key, certificate=certificate, password=secret)
        (filled,) = self._load(read, pin, self._authority(admin_key, respond), container, label, use, None, most=1)
        return filled

    def load_keys(
        self,
        *,
        pfx: "Source | None" = None,
        key: "Source | PrivateKeyTypes | None" = None,
        certificate: "Source | x509.Certificate | None" = None,
        password: str | bytes | None = None,
        material: "Contents | Material | None" = None,
        pin: PinText | None = None,
        admin_key: bytes | None = None,
        respond: Responder | None = None,
        container: int | None = None,
        label: str | None = None,
        use: KeyUse = KeyUse.EXCHANGE,
        tell: Tell | None = None,
    ) -> "tuple[Filled, ...]":
        """Puts every key that the card can take, with its certificate, onto the card; all of them or none.

        As `load_key`; container and label are for one key alone. tell: gets a sentence for whatever is left out, or
        should be known, before the PIN is asked for.
        """
        from vsc.filling.material import read_material

        secret = password.encode() if isinstance(password, str) else password
        read = read_material(material=material, pfx=pfx, key=key, certificate=certificate, password=secret)
        return self._load(read, pin, self._authority(admin_key, respond), container, label, use, tell)

    def _load(
        self,
        contents: "Contents",
        pin: PinText | None,
        by: Authority | None,
        container: int | None,
        label: str | None,
        use: KeyUse,
        tell: Tell | None,
        *,
        most: int | None = None,
    ) -> "tuple[Filled, ...]":
        from vsc.filling.load import check_place, fitting, load

        # Before anybody is asked for a PIN, or a try is spent.
        with self._opened() as session:
            chosen = fitting(session.keys, contents)
            check_place(session.keys, chosen, container, label, most=most)
        _tell_all(chosen.remarks, tell)
        return self._writing(
            pin, by, lambda session: load(session.keys, chosen.contents, container=container, label=label, use=use)
        )

    def delete_key(
        self,
        container: int,
        *,
        pin: PinText | None = None,
        admin_key: bytes | None = None,
        respond: Responder | None = None,
    ) -> None:
        """Deletes a container: its key and its certificate. Its number is free then. VscError: there is none."""
        by = self._authority(admin_key, respond)
        self._writing(pin, by, lambda session: session.keys.delete_key(container))

    def delete_certificate(
        self,
        container: int,
        *,
        pin: PinText | None = None,
        admin_key: bytes | None = None,
        respond: Responder | None = None,
    ) -> None:
        """Deletes the certificate of a container; its key stays. VscError: there is none."""
        by = self._authority(admin_key, respond)
        self._writing(pin, by, lambda session: session.keys.delete_certificate(container))

    def generate_key(
        self,
        kind: int | str = 2048,
        *,
        self_signed: "str | SelfSigned | None" = None,
        csr: "Request | None" = None,
        pin: PinText | None = None,
        admin_key: bytes | None = None,
        respond: Responder | None = None,
        container: int | None = None,
        label: str | None = None,
        use: KeyUse = KeyUse.EXCHANGE,
    ) -> "Filled":
        """Has the card make a key, which never leaves it. kind: bits of an RSA key, or `ec:p256` and the like.

        self_signed: the subject of a certificate that the new key signs for itself, as in "CN=Ada Lovelace", or that
        with more to say; None for no certificate. csr: a request for a certificate. container and label as for
        `load_key`. WrongPin, PinBlocked.
        """
        from vsc.filling.keygen import SelfSigned, generate
        from vsc.filling.name import subject_name

        if isinstance(self_signed, str):
            self_signed = SelfSigned(subject_name(self_signed), datetime.now(UTC))
        certificate = self_signed
        by = self._authority(admin_key, respond)

        def make(session: Session, secret: bytes | None = None) -> "Filled":
            return generate(
                session.keys,
                kind,
                pin=secret,
                container=container,
                label=label,
                certificate=certificate,
                csr=csr,
                use=use,
            )

        if not self._is_written_by_admin():
            return self._with_pin(pin, make)
        by = by or self._own_authority()
        signs = certificate is not None or csr is not None
        secret = self._right_pin(pin) if signs or pin is not None else None
        with self._administered(by) as session:
            return make(session, secret)

    def sign(self, container: int, data: bytes, *, pin: PinText | None = None, hash: str = "sha256") -> bytes:  # noqa: A002
        """Signs data with the key of a container: RSA, PKCS#1 v1.5; EC, ECDSA in DER. WrongPin, PinBlocked."""
        held = self._session
        return self._with_pin(
            pin,
            lambda session: session.has(HasKeys, KEYS).sign(container, data, hash),
            anew=held is not None and held.wants_pin_each_time(container),
            before=lambda session: session.wants_pin_each_time(container),
        )

    # --- bytes

    def transmit(self, command: bytes) -> bytes:
        """Sends one C-APDU; returns the R-APDU, status word included. No application is selected first."""
        with self._opened() as session:
            return session.transmit(bytes(command))


def _tell_all(remarks: Iterable[str], tell: Tell | None) -> None:
    if tell is not None:
        for remark in remarks:
            tell(remark)


def _check_way(session: Session, by_admin: Authority | None) -> None:
    """A card has one way to reset its PIN (winrt-smartcards.md 4.2)."""
    way = session.pin_reset_by
    if way is None:
        raise UnsupportedCard("the PIN of this card is not reset by anybody")
    if way.kind is ReferenceKind.UNBLOCK and by_admin is not None:
        raise UnsupportedCard(f"the PIN of this card is reset with its {way}, not with the admin key")
    if way.kind is ReferenceKind.ADMIN and by_admin is None:
        raise UnsupportedCard(f"this card has no PUK: the {way} resets its PIN")
    if by_admin is not None:
        session.responder(by_admin)


class VirtualCard(Card):
    """A card of a store. Where it is plugged into a reader of this machine, it is used there."""

    def __init__(self, name: str, *, store: Store | None = None, interaction: UserInteraction | None = None) -> None:
        self._stored = InStore(check_name(name), current().store if store is None else store)
        super().__init__(self._stored, self._stored.name, interaction=interaction)

    @property
    def label(self) -> str:
        """The friendly name: any text."""
        return self._image().label

    @property
    def admin_key(self) -> bytes:
        """The admin key as the store has it now: of our own cards it can be read back."""
        return admin_key_of(self._image())

    def _is_written_by_admin(self) -> bool:
        half = self._image().profile.host
        return half is not None and is_written_by_admin(half)

    def _own_authority(self) -> Authority:
        return GivenKey(self.admin_key, "admin_key")

    @property
    def store(self) -> Store:
        return self._stored.store

    def delete(self, *, interaction: UserInteraction | None = None) -> None:
        """Deletes the card for good, and takes it out of the reader of this machine that it is in.

        The call is the consent; with `interaction`, that one is asked first. Neither PIN nor admin key is needed.
        CardNotFoundError; CardInUseError if another process has it; Cancelled.
        """
        self._stored.check_exists()
        if interaction is not None:
            Asker(self.label, interaction).consent_to_deletion()
        with self._turn.taken():
            self._release()
            try:
                self.store.destroy(self.name)
            except CardInUseError:
                if plugged_in(self.name, self.store) is None:
                    raise
                current().unplug(self.name)
                self.store.destroy(self.name)
            self._stored.is_deleted = True

    def _image(self) -> Image:
        self._stored.check_exists()
        return self.store.read(self.name)

    def _reader_outside(self) -> MachineReader | None:
        return plugged_in(self.name, self.store)

    @property
    def _shown_name(self) -> str:
        return self.label

    def _rules(self, session: Session) -> PinPolicy | None:
        return super()._rules(session) or NO_POLICY
