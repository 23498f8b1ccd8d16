"""What the kernel needs of an application: an AID, a table of commands, `select`, and a codec of its state."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Generic

from card_os.apdu import ResponseApdu
from card_os.command import Command, S, Session, V
from card_os.description import Description, Fields, hexadecimal


class Application(ABC, Generic[S, V]):
    """One card application: code only. Its state lives in `Persistent`, its memory of a session in the channel."""

    aid: bytes
    """Full application identifier, 5 to 16 bytes; hosts may select by any prefix from 5 bytes."""
    name: str
    commands: Mapping[int, Command]
    keeps_status_on_reselect = True
    """Whether selecting the selected application again keeps what has been verified."""
    refuses_broken_chains = False
    """Whether a command that interrupts a chain is answered 6883; otherwise the chain is forgotten."""

    @abstractmethod
    def new_volatile(self) -> V:
        """Returns what a reset leaves: nothing verified, nothing selected."""

    @abstractmethod
    def select(self, session: Session[S, V], p2: int) -> ResponseApdu:
        """Answers SELECT by DF name; `p2` b4 b3 say which information is wanted (ISO/IEC 7816-4 table 40)."""

    @abstractmethod
    def template(self, state: S) -> bytes:
        """Returns the application template (tag 61) for EF.DIR."""

    @abstractmethod
    def encode(self, state: S) -> bytes:
        """Returns the state as bytes for an image; `decode` reads them back for ever."""

    @abstractmethod
    def decode(self, raw: bytes) -> S:
        """Reads what any version of `encode` wrote; ValueError for anything else."""

    def describe(self, state: S) -> Description:
        """Returns the whole state as people can read it; without a better description, the bytes of `encode`."""
        return {"state": hexadecimal(self.encode(state))}

    def read_description(self, value: object) -> S:
        """Reads what `describe` gave; DescriptionError, naming the field, for anything else."""
        fields = Fields(value)
        state = fields.made("state", self.decode)
        fields.end()
        return state

    def observe(self, session: Session[S, V], ins: int) -> None:
        """Hears of every command on its channel before it runs, also of those that will be refused."""
        return
