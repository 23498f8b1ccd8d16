"""What the kernel needs of an application: an AID, a name and a table of commands.

For the rest there is a default that suits a small one, whose state is a string of bytes and which remembers nothing in
a session (docs/own-card.md). A big one brings its own `select`, volatile part, template and codec.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Generic

from card_os.apdu import CommandApdu, ResponseApdu
from card_os.command import Commands, S, Session, Table, V
from card_os.description import Description, Fields, hexadecimal
from card_os.fact import Fact, described
from card_os.outline import Outline
from card_os.schema import Known, Piece, Record
from card_os.sw import SW, CardError
from card_os.tlv import Tlv
from card_os.wire import WireError

_TEMPLATE, _AID = 0x61, 0x4F


class Application(Generic[S, V]):
    """One card application: code only. Its state lives in `Persistent`, its memory of a session in the channel."""

    aid: bytes
    """Full application identifier, 5 to 16 bytes; hosts may select by any prefix from 5 bytes. The state of a card has
    it as its key. An application that cannot be selected by name (an MF) has no `names`, and 1 to 16 bytes here."""
    name: str
    commands: Commands
    """Rows by instruction, one or several each."""
    schema: Record[S] | None = None
    """The state, declared: its bytes in an image, its description and its facts follow from that."""
    keeps_status_on_reselect = True
    """Whether selecting the selected application again keeps what has been verified."""
    refuses_broken_chains = False
    """Whether a command that interrupts a chain is answered 6883; otherwise the chain is forgotten."""
    has_secure_messaging = False
    """Whether commands whose class says secure messaging are given to `unwrap`; otherwise they are answered 6882."""

    @property
    def names(self) -> tuple[bytes, ...]:
        """All DF names by which it can be selected: the AID, and whatever else this one has."""
        return (self.aid,)

    def is_named(self, name: bytes, state: S | None = None) -> bool:
        """Whether SELECT by this name finds it: by default the beginning of one of its `names`.

        state: None: asked by somebody who has none, a trace for instance.
        """
        return any(one.startswith(name) for one in self.names)

    _table: Table | None = None

    @property
    def traits(self) -> Mapping[str, str | tuple[str, ...]]:
        """What is particular to this one among those of the same name, in words: by default nothing."""
        return {}

    @property
    def table(self) -> Table:
        """The rows, indexed."""
        found = self._table
        if found is None or found.commands is not self.commands:
            found = self._table = Table(self.commands)
        return found

    def new_volatile(self) -> V:
        """Returns what a reset leaves: nothing verified, nothing selected. By default None: nothing to remember."""
        return None  # type: ignore[return-value]  # V is None where this is not overridden.

    def select(self, session: Session[S, V], apdu: CommandApdu) -> ResponseApdu:
        """Answers SELECT by DF name, by default with no data.

        apdu.data: the name; P2 b4 b3 say which information is wanted (ISO/IEC 7816-4 table 40).
        """
        return ResponseApdu()

    def unwrap(self, session: Session[S, V], apdu: CommandApdu) -> CommandApdu:
        """Opens a whole protected command (ISO/IEC 7816-4 section 10), its chain collected; returns the plain one.

        What it raises (6987, 6988) is answered plain; ending what was open is the application's.
        """
        raise CardError(SW.SECURE_MESSAGING_NOT_SUPPORTED, "this card has no secure messaging")

    def wrap(self, session: Session[S, V], response: ResponseApdu) -> ResponseApdu:
        """Protects the answer, an error too, to the command that was unwrapped last."""
        return response

    def template(self, state: S) -> bytes:
        """Returns the application template (tag 61) for EF.DIR, by default with the AID alone."""
        return bytes(Tlv(_TEMPLATE, bytes(Tlv(_AID, self.aid))))

    def encode(self, state: S) -> bytes:
        """Returns the state as bytes for an image; `decode` reads them back for ever.

        Without a schema bytes are taken as they are; TypeError for any other state.
        """
        if self.schema is not None:
            return self.schema.encode(state)
        if not isinstance(state, bytes):
            raise TypeError(f"the application {self.name!r} has no schema for a state of type {type(state).__name__}")
        return state

    def pieces(self, state: S, known: Known) -> list[Piece]:
        """The bytes of `encode`, those parts for themselves that change alone: who stores them need not write all.

        known: what earlier calls made, for as long as the same values are asked for.
        """
        if self.schema is None or type(self).encode is not Application.encode:
            return [self.encode(state)]
        return self.schema.pieces(state, None, known)

    def decode(self, raw: bytes) -> S:
        """Reads what any version of `encode` wrote; ValueError for anything else."""
        if self.schema is None:
            return raw  # type: ignore[return-value]  # S is bytes where there is no schema: see `encode`.
        try:
            return self.schema.decode(raw)
        except (ValueError, CardError) as error:
            raise WireError(f"not the state of a {self.name} application: {error}") from None

    def check_bounds(self, state: S) -> None:
        """ValueError for a state that is larger than commands could have made it, which another way must not bring in.

        By default there is no bound.
        """
        return

    def describe(self, state: S) -> Description:
        """Returns the whole state as people can read it; without a schema, the bytes of `encode`."""
        return self.schema.describe(state) if self.schema is not None else {"state": hexadecimal(self.encode(state))}

    def read_description(self, value: object) -> S:
        """Reads what `describe` gave; DescriptionError, naming the field, for anything else."""
        fields = Fields(value)
        if self.schema is not None:
            return self.schema.read_fields(fields)
        state = fields.made("state", self.decode)
        fields.end()
        return state

    def observe(self, session: Session[S, V], ins: int) -> None:
        """Hears of every command on its channel before it runs, also of those that will be refused."""
        return

    def outline(self, state: S) -> Outline:
        """Says what a card holds in the form that is the same for all; by default the name alone."""
        return Outline(self.name)

    # --- for tests of the card: what is said here changes nothing that the card does

    def facts(self, state: S) -> Iterable[Fact]:
        """Gives the state fact by fact, with no secret shown; without a schema, what `describe` says, hidden."""
        return self.schema.facts(state) if self.schema is not None else described(self.describe(state))

    def protected(self, state: S) -> Sequence[bytes]:
        """Gives commands that must be refused for this state as long as nobody has proved anything."""
        return ()
