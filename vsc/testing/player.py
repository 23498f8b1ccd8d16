"""A host at a card in memory: what histories and `CardMachine` drive cards with, through `vsc.host`.

It knows the card's secrets as they are at the moment, because it may look inside; so it can say the right PIN to a card
in any state. One class for each kind of application: `PLAYERS` names them.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import cache
from types import TracebackType
from typing import Self

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from card_os.admin import AdminKey
from card_os.apps.gids.state import GidsState
from card_os.apps.gids.wire import AID as GIDS_AID
from card_os.kernel import KernelIns
from vsc.errors import VscError
from vsc.host import AdminKeyResponder, Gids
from vsc.host.connection import Connection
from vsc.host.exchange import Exchange
from vsc.host.gids.objects import Objects
from vsc.profiles import Profile
from vsc.testing.card import SoftCard
from vsc.world import SeededEnv

DEFAULT_PIN = b"12345678"
DEFAULT_KEY = bytes(24)
"""What is said to a card that has no PIN, or no admin key."""
MAX_CHANNEL = 3
MAX_OBJECTS = 8


@cache
def imported_key(bits: int = 1024) -> RSAPrivateKey:
    """The RSA key that is imported wherever any will do: of each size always the same."""
    return SeededEnv("imported key").rsa_key(bits).library_key()


class Player(ABC):
    """A host: power, channels, and one method for each thing to be done. Refusals raise VscError.

    The card gets its power with the first command; whoever only looks inside disturbs nothing.
    """

    def __init__(self, card: SoftCard) -> None:
        self.card = card
        self.channel = 0
        self._connection: Connection | None = None

    @property
    def connection(self) -> Connection:
        if self._connection is None:
            self._connection = self.card.connection()
        return ChannelConnection(self._connection, self.channel) if self.channel else self._connection

    # --- what is inside the card, seen without a command

    @property
    @abstractmethod
    def pin(self) -> bytes | None:
        """The PIN as it is now; None: there is none."""

    @property
    @abstractmethod
    def pin_tries(self) -> tuple[int, int]:
        """Tries left and try limit of the PIN."""

    @property
    @abstractmethod
    def admin_key(self) -> bytes | None:
        """The admin key as it is now; None: there is none."""

    @property
    @abstractmethod
    def admin_tries(self) -> tuple[int, int] | None:
        """Tries left and try limit of the admin key; None: unlimited, or no key."""

    # --- power and channels

    def power_cycle(self) -> None:
        """Power off and on: everything that was verified is forgotten, every channel but 0 closed."""
        self.card.power_off()
        self._connection, self.channel = None, 0

    def use_channel(self, number: int) -> None:
        """Goes on on another logical channel, 0 to 3; opens it if it is not open."""
        if not 0 <= number <= MAX_CHANNEL:
            raise ValueError(f"channels go from 0 to {MAX_CHANNEL}")
        self.channel = 0
        if number:
            # 6A86 if it is open already: then it is used as it is.
            self.connection.transmit(bytes([0x00, KernelIns.MANAGE_CHANNEL, 0x00, number]))
        self.channel = number

    def close_channel(self) -> None:
        """Closes the channel that is used; on channel 0 nothing happens."""
        number, self.channel = self.channel, 0
        if number:
            self.connection.transmit(bytes([0x00, KernelIns.MANAGE_CHANNEL, 0x80, number]))

    @abstractmethod
    def select(self) -> None:
        """Selects the application once more."""

    # --- PIN and admin key

    @abstractmethod
    def verify(self, pin: bytes) -> None: ...

    @abstractmethod
    def log_out(self) -> None: ...

    @abstractmethod
    def change(self, *, old: bytes, new: bytes) -> None: ...

    @abstractmethod
    def reset_pin(self, *, new: bytes, key: bytes) -> None:
        """Sets a new PIN by the admin key; on a card with a PUK `key` is that."""

    @property
    @abstractmethod
    def puk(self) -> bytes | None:
        """The PUK; None: the admin key resets the PIN."""

    @abstractmethod
    def authenticate(self, key: bytes) -> None: ...

    @abstractmethod
    def change_admin_key(self, new: bytes) -> None: ...

    # --- objects and keys, by small numbers

    @abstractmethod
    def write(self, number: int, value: bytes, *, private: bool = False) -> None:
        """Writes a data object; private: only after the PIN it can be read."""

    @abstractmethod
    def read(self, number: int, *, private: bool = False) -> bytes | None:
        """None: there is no such object."""

    @abstractmethod
    def delete(self, number: int, *, private: bool = False) -> None: ...

    @abstractmethod
    def generate_key(self, bits: int) -> int:
        """Has the card make a key; returns its number."""

    @abstractmethod
    def import_key(self, bits: int = 1024) -> int:
        """Puts `imported_key` onto the card; returns its number."""

    @abstractmethod
    def delete_key(self, number: int) -> None: ...

    @abstractmethod
    def sign(self, number: int, data: bytes) -> bytes: ...


class GidsPlayer(Player):
    """A host at a GIDS card. Public objects are in EF A010, private ones in A013; tags from DF40 on."""

    _PUBLIC, _PRIVATE, _FIRST_TAG = 0xA010, 0xA013, 0xDF40

    def __init__(self, card: SoftCard) -> None:
        super().__init__(card)
        self._gids: dict[int, Gids] = {}
        self._random = SeededEnv("player").random_bytes

    @property
    def gids(self) -> Gids:
        """The application on the channel that is used, selected when it is first needed."""
        if self.channel not in self._gids:
            self._gids[self.channel] = Gids.connect(self.connection, random=self._random)
        return self._gids[self.channel]

    @property
    def _state(self) -> GidsState:
        state = self.card.persistent.state(GIDS_AID)
        assert isinstance(state, GidsState)
        return state

    @property
    def _key(self) -> AdminKey | None:
        file = self._state.key_file(0x80)
        return file.key if file is not None and isinstance(file.key, AdminKey) else None

    @property
    def pin(self) -> bytes | None:
        value = self._state.pin.value
        return None if value is None else value.reveal()

    @property
    def puk(self) -> bytes | None:
        value = self._state.puk.value
        return None if value is None else value.reveal()

    @property
    def pin_tries(self) -> tuple[int, int]:
        return self._state.pin.tries_left, self._state.pin.try_limit

    @property
    def admin_key(self) -> bytes | None:
        return None if self._key is None else self._key.value.reveal()

    @property
    def admin_tries(self) -> tuple[int, int] | None:
        key = self._key
        return None if key is None or key.try_limit is None else (key.tries_left, key.try_limit)

    def power_cycle(self) -> None:
        super().power_cycle()
        self._gids.clear()

    def use_channel(self, number: int) -> None:
        super().use_channel(number)
        self._gids.pop(number, None)

    def select(self) -> None:
        self._gids.pop(self.channel, None)
        _ = self.gids

    def verify(self, pin: bytes) -> None:
        self.gids.verify_pin(pin)

    def log_out(self) -> None:
        self.gids.log_out()

    def change(self, *, old: bytes, new: bytes) -> None:
        self.gids.change_pin(old=old, new=new)

    def reset_pin(self, *, new: bytes, key: bytes) -> None:
        if self.puk is None:
            self.gids.reset_pin(new=new, respond=AdminKeyResponder(key))
        else:
            self.gids.reset_pin_with_puk(puk=key, new=new)

    def authenticate(self, key: bytes) -> None:
        self.gids.authenticate(AdminKeyResponder(key))

    def change_admin_key(self, new: bytes) -> None:
        self.gids.change_admin_key(new)

    @property
    def _objects(self) -> Objects:
        _ = self.gids
        return Objects(Exchange(self.connection))

    def _place(self, number: int, private: bool) -> tuple[int, int]:
        if not 0 <= number < MAX_OBJECTS:
            raise ValueError(f"objects have numbers from 0 to {MAX_OBJECTS - 1}")
        return self._PRIVATE if private else self._PUBLIC, self._FIRST_TAG + number

    def write(self, number: int, value: bytes, *, private: bool = False) -> None:
        self._objects.put(self._place(number, private), value)

    def read(self, number: int, *, private: bool = False) -> bytes | None:
        return self._objects.find(self._place(number, private))

    def delete(self, number: int, *, private: bool = False) -> None:
        self._objects.delete(self._place(number, private))

    def generate_key(self, bits: int) -> int:
        return self.gids.generate_key(bits, name=f"{bits} bits")

    def import_key(self, bits: int = 1024) -> int:
        return self.gids.import_key(imported_key(bits), name="imported")

    def delete_key(self, number: int) -> None:
        self.gids.delete_container(number)

    def sign(self, number: int, data: bytes) -> bytes:
        return self.gids.sign(number, data)


PLAYERS: Mapping[bytes, type[Player]] = {GIDS_AID: GidsPlayer}
"""By AID of the application that is selected after a reset."""


def player_of(profile: Profile) -> type[Player]:
    """Returns the kind of host for a profile's cards; VscError if nobody has written one for its application."""
    application = profile.applications[0]
    if application.aid not in PLAYERS:
        raise VscError(f"there are no histories for {application.name} yet")
    return PLAYERS[application.aid]


def player(card: SoftCard) -> Player:
    """Returns a host for a card; VscError as `player_of`."""
    return player_of(card.profile)(card)


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
