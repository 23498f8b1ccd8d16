"""Talking to a card through a handle: one operation at a time, over one connection."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar

from vsc.api.place import Spot
from vsc.errors import LostCardError, UnsupportedCard, VscError
from vsc.host import (
    CanUnblock,
    CardWithKeys,
    Connection,
    HasChallenge,
    HostCard,
    Reference,
    ReferenceKind,
    Responder,
    find,
)
from vsc.host.port import WantsPinEachTime, is_written_by_admin, reference_of
from vsc.profiles import PROFILES

T = TypeVar("T")
# What ports stand for, in words: "cards of this kind have no …".
ADMIN_KEY = "admin key that a challenge proves"
KEYS = "keys with certificates"
UNBLOCKING = "way to reset the PIN"


@dataclass(frozen=True, slots=True, repr=False)
class GivenKey:
    """An admin key that is at hand. name: of the argument in which it came, for errors."""

    value: bytes
    name: str


Authority = GivenKey | Responder
"""Who proves the admin key: the key itself, or who answers the card's challenge."""


def octets(value: object, name: str) -> bytes:
    """TypeError, with that name, for anything but bytes."""
    if not isinstance(value, bytes | bytearray | memoryview):
        raise TypeError(f"{name}: bytes are expected, not {type(value).__name__}")
    return bytes(value)


def checked_length(key: GivenKey, lengths: Sequence[int]) -> bytes:
    """Returns the key; ValueError, with its name, if it is of another length than these."""
    if len(key.value) not in lengths:
        words = " or ".join(map(str, lengths))
        raise ValueError(f"{key.name}: {words} bytes are expected, not {len(key.value)}")
    return key.value


class Turn:
    """Whose turn it is to use a card. May be given back by another thread than the one that took it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._owner: threading.Thread | None = None

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Waits for other threads. VscError where the wait would be for ever: the turn is this thread's already."""
        me = threading.current_thread()
        with self._changed:
            if self._owner is me:
                raise VscError("the card is busy with another operation of this thread: an open challenge, perhaps")
            self._changed.wait_for(lambda: self._owner is None)
            self._owner = me
        try:
            yield
        finally:
            with self._changed:
                self._owner = None
                self._changed.notify()


class Session:
    """A connection that is made when it is needed, and made anew when it was lost; so is the application selected."""

    def __init__(self, spot: Spot) -> None:
        self.spot = spot
        self.is_pin_verified = False
        self.has_proved = False
        """Whether the card may take this session for somebody: then it is told when that ends."""
        self._connection: Connection | None = None
        self._host: HostCard | None = None

    @property
    def connection(self) -> Connection:
        if self._connection is None:
            self._connection = self.spot.reader.connect(insertion=self.spot.insertion)
        return self._connection

    @property
    def host(self) -> HostCard:
        """The card's application, selected. UnsupportedCard if it has none that is known here."""
        if self._host is None:
            self._host = find(self.connection, PROFILES.hosts(self.connection.atr))
        return self._host

    def has(self, port: type[T], what: str) -> T:
        """The same as one of the ports; UnsupportedCard if cards of its kind have not `what`: `keys`, say."""
        host = self.host
        if not isinstance(host, port):
            raise UnsupportedCard(f"cards of this kind have no {what}")
        return host

    @property
    def keys(self) -> CardWithKeys:
        """The same, for keys with certificates. UnsupportedCard."""
        return self.has(CardWithKeys, KEYS)

    @property
    def pin(self) -> Reference:
        """The user's PIN. UnsupportedCard if cards of this kind have none."""
        found = reference_of(self.host, ReferenceKind.USER)
        if found is None:
            raise UnsupportedCard("cards of this kind have no PIN")
        return found

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Nobody else talks to the card meanwhile. If the card is lost, the next transaction connects anew."""
        try:
            with self.connection.transaction():
                yield
        except LostCardError:
            self.forget()
            raise

    @property
    def is_written_by_admin(self) -> bool:
        """Whether keys and certificates are for whoever proves the admin key, not for whoever knows the PIN."""
        return is_written_by_admin(self.host)

    def wants_pin_each_time(self, number: int) -> bool:
        """Whether a key takes the PIN just before each use."""
        host = self.host
        return isinstance(host, WantsPinEachTime) and host.wants_pin_each_time(number)

    def verify_pin(self, pin: bytes) -> None:
        self.is_pin_verified, self.has_proved = False, True
        self.host.verify(self.pin, pin)
        self.is_pin_verified = True

    def change_pin(self, *, old: bytes, new: bytes) -> None:
        self.is_pin_verified, self.has_proved = False, True
        self.host.change(self.pin, old=old, new=new)
        self.is_pin_verified = True

    @property
    def pin_reset_by(self) -> Reference | None:
        """Whose secret resets the PIN of this very card; None: nobody's."""
        return self.has(CanUnblock, UNBLOCKING).unblocked_by(self.pin)

    def unblock_pin(self, new: bytes, by: Authority | bytes | None) -> None:
        """Sets a new PIN by that secret; nothing is verified afterwards."""
        assert by is not None
        self.is_pin_verified = False
        proof = by if isinstance(by, bytes) else self.responder(by)
        self.has(CanUnblock, UNBLOCKING).unblock(self.pin, new=new, proof=proof)

    @property
    def admin(self) -> HasChallenge:
        """The same, for an administrator who proves a key. UnsupportedCard."""
        return self.has(HasChallenge, ADMIN_KEY)

    def responder(self, by: Authority) -> Responder:
        """Who answers this card's challenges. ValueError for a key of another length than it has."""
        if isinstance(by, GivenKey):
            return self.admin.responder(checked_length(by, self.admin.key_bytes))
        return by

    def prove_admin(self, by: Authority) -> None:
        """Proves the admin key; `log_out` ends that."""
        respond = self.responder(by)
        self.has_proved = True
        self.admin.authenticate(respond)

    def transmit(self, command: bytes) -> bytes:
        """Sends any command. It may select something else: the application is selected again before it is used."""
        self._host = None
        return self.connection.transmit(command)

    def log_out(self) -> None:
        """The card forgets what was proved in this session, as far as it can be reached and knows how.

        Where nothing was proved it is not told: somebody else's verified PIN would be forgotten, too.
        """
        had_proved, self.has_proved, self.is_pin_verified = self.has_proved, False, False
        if had_proved:
            with suppress(VscError, ValueError):
                self.host.log_out()

    def forget(self) -> None:
        """Drops the connection; the next use makes another one."""
        connection, self._connection, self._host = self._connection, None, None
        self.has_proved = self.is_pin_verified = False
        if connection is not None:
            connection.close()

    def close(self) -> None:
        self.log_out()
        self.forget()
