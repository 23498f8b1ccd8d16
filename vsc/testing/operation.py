"""What can be done with a card, as small values: a history is a sequence of them.

Each says what is done and not with which bytes: the right PIN is the one that the card has when its turn comes. So any
operation can be left out of a history, and what is left still means what it says; that is why histories shrink well.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from vsc.errors import WrongPin
from vsc.testing.player import DEFAULT_KEY, DEFAULT_PIN, Player

MAX_TRIES = 16


class Operation(ABC):
    """One thing done by a host; its str is a line for people."""

    __slots__ = ()

    @abstractmethod
    def run(self, player: Player) -> None:
        """Does it; VscError if the card refuses."""

    @abstractmethod
    def __str__(self) -> str: ...


def wrong(secret: bytes) -> bytes:
    """Returns another value of the same length; a digit stays one. 3DES ignores the lowest bit of each byte, so another
    one differs."""
    last = secret[-1]
    return secret[:-1] + bytes([last ^ (0x0E if last in b"89" else 0x02)])


def _right_pin(player: Player) -> bytes:
    return player.pin or DEFAULT_PIN


def _right_key(player: Player) -> bytes:
    return player.admin_key or DEFAULT_KEY


@dataclass(frozen=True, slots=True)
class Verify(Operation):
    """VERIFY with the PIN that the card has."""

    def run(self, player: Player) -> None:
        player.verify(_right_pin(player))

    def __str__(self) -> str:
        return "verify the PIN"


@dataclass(frozen=True, slots=True)
class VerifyWrong(Operation):
    """VERIFY with another PIN: one try less."""

    def run(self, player: Player) -> None:
        player.verify(wrong(_right_pin(player)))

    def __str__(self) -> str:
        return "verify a wrong PIN"


@dataclass(frozen=True, slots=True)
class Block(Operation):
    """Wrong PINs until none is left."""

    def run(self, player: Player) -> None:
        for _ in range(MAX_TRIES):
            try:
                player.verify(wrong(_right_pin(player)))
            except WrongPin as error:
                if error.tries_left == 0:
                    return

    def __str__(self) -> str:
        return "verify wrong PINs until the PIN is blocked"


@dataclass(frozen=True, slots=True)
class LogOut(Operation):
    """The card forgets who was verified."""

    def run(self, player: Player) -> None:
        player.log_out()

    def __str__(self) -> str:
        return "log out"


@dataclass(frozen=True, slots=True)
class PowerCycle(Operation):
    """Power off and on."""

    def run(self, player: Player) -> None:
        player.power_cycle()

    def __str__(self) -> str:
        return "power off and on"


@dataclass(frozen=True, slots=True)
class Select(Operation):
    """SELECT of the application, once more."""

    def run(self, player: Player) -> None:
        player.select()

    def __str__(self) -> str:
        return "select the application"


@dataclass(frozen=True, slots=True)
class UseChannel(Operation):
    """Everything that follows goes over this logical channel, 0 to 3."""

    number: int = 1

    def run(self, player: Player) -> None:
        player.use_channel(self.number)

    def __str__(self) -> str:
        return f"go on on channel {self.number}"


@dataclass(frozen=True, slots=True)
class CloseChannel(Operation):
    """Closes the channel that is used and goes back to channel 0."""

    def run(self, player: Player) -> None:
        player.close_channel()

    def __str__(self) -> str:
        return "close the channel"


@dataclass(frozen=True, slots=True)
class Change(Operation):
    """CHANGE REFERENCE DATA. knows_old: says the right old PIN."""

    new: str
    knows_old: bool = True

    def run(self, player: Player) -> None:
        old = _right_pin(player)
        player.change(old=old if self.knows_old else wrong(old), new=self.new.encode())

    def __str__(self) -> str:
        return f"change the PIN to {self.new!r}" + ("" if self.knows_old else " with a wrong old one")


@dataclass(frozen=True, slots=True)
class Reset(Operation):
    """RESET RETRY COUNTER by the admin key, or by the PUK of a card that has one. knows_key: the right one."""

    new: str
    knows_key: bool = True

    def run(self, player: Player) -> None:
        key = player.secret(player.unblocker) or DEFAULT_KEY
        player.reset_pin(new=self.new.encode(), key=key if self.knows_key else wrong(key))

    def __str__(self) -> str:
        return f"reset the PIN to {self.new!r}" + ("" if self.knows_key else " with a wrong key")


@dataclass(frozen=True, slots=True)
class Authenticate(Operation):
    """Proves the admin key. knows_key: with the right one."""

    knows_key: bool = True

    def run(self, player: Player) -> None:
        key = _right_key(player)
        player.authenticate(key if self.knows_key else wrong(key))

    def __str__(self) -> str:
        return "prove the admin key" if self.knows_key else "fail to prove the admin key"


@dataclass(frozen=True, slots=True)
class ChangeAdminKey(Operation):
    """PUT KEY; it takes `Authenticate` before."""

    new: bytes

    def run(self, player: Player) -> None:
        player.change_admin_key(self.new)

    def __str__(self) -> str:
        return f"change the admin key to {self.new.hex().upper()}"


@dataclass(frozen=True, slots=True)
class Write(Operation):
    """Writes a data object of so many bytes. private: it takes the PIN to read it."""

    number: int = 0
    size: int = 1
    private: bool = False

    def run(self, player: Player) -> None:
        player.write(self.number, bytes(at & 0xFF for at in range(self.size)), private=self.private)

    def __str__(self) -> str:
        return f"write {self.size} bytes into {_object(self.number, self.private)}"


@dataclass(frozen=True, slots=True)
class Read(Operation):
    """Reads a data object."""

    number: int = 0
    private: bool = False

    def run(self, player: Player) -> None:
        player.read(self.number, private=self.private)

    def __str__(self) -> str:
        return f"read {_object(self.number, self.private)}"


@dataclass(frozen=True, slots=True)
class Delete(Operation):
    """Deletes a data object."""

    number: int = 0
    private: bool = False

    def run(self, player: Player) -> None:
        player.delete(self.number, private=self.private)

    def __str__(self) -> str:
        return f"delete {_object(self.number, self.private)}"


@dataclass(frozen=True, slots=True)
class ImportKey(Operation):
    """Puts a key onto the card, always the same one, of the kind that costs least: of GIDS RSA with 1024 bits."""

    def run(self, player: Player) -> None:
        player.import_key()

    def __str__(self) -> str:
        return "import a key"


@dataclass(frozen=True, slots=True)
class GenerateKey(Operation):
    """Has the card make a key of the kind that takes no time: of GIDS RSA with 1024 bits."""

    def run(self, player: Player) -> None:
        player.generate_key()

    def __str__(self) -> str:
        return "generate a key"


@dataclass(frozen=True, slots=True)
class Sign(Operation):
    """Signs with a key."""

    number: int = 0

    def run(self, player: Player) -> None:
        player.sign(self.number, b"data")

    def __str__(self) -> str:
        return f"sign with key {self.number}"


@dataclass(frozen=True, slots=True)
class DeleteKey(Operation):
    """Deletes a key."""

    number: int = 0

    def run(self, player: Player) -> None:
        player.delete_key(self.number)

    def __str__(self) -> str:
        return f"delete key {self.number}"


def _object(number: int, private: bool) -> str:
    return f"{'private' if private else 'public'} object {number}"
