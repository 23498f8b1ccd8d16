"""APDUs in words: which command of which application, about what, and what the answer says.

Names and details come from the rows of the applications of all profiles, the rest from ISO/IEC 7816-4. A `Decoder`
follows one reader: the profile by its ATR, the applications by SELECT on each channel, chains and GET RESPONSE, and it
forgets all that at a reset, as the card does.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from card_os.apdu import MAX_NC, CommandApdu
from card_os.application import Application
from card_os.class_byte import ClassByte
from card_os.command import Command
from card_os.kernel import KERNEL, MIN_AID_BYTES, SELECT_BY_NAME, KernelIns, kernel_row
from card_os.sw import CardError, meaning
from card_os.words import byte_count
from vsc.masking.command import MaskedCommand
from vsc.profiles import PROFILES
from vsc.trace import wording
from vsc.trace.entry import Entry, EntryKind

AnyApplication = Application[Any, Any]

_SUCCESSES = (0x90, 0x61, 0x62, 0x63)
_MAX_SHOWN_BYTES = 16
"""Of a command that is not understood."""


@dataclass(frozen=True, slots=True)
class Line:
    """An entry in words.

    application: the name of the one that was asked, empty if it is not known. name: of the command, from its table;
    of an event: what happened. details: what it is about. status: SW and its meaning; answer: what came with it.
    why: the card's reason for a refusal.
    """

    entry: Entry
    application: str = ""
    name: str = ""
    details: str = ""
    status: str = ""
    answer: str = ""
    why: str = ""
    channel: int = 0

    @property
    def sw(self) -> int | None:
        """The status word; None of an event, and of a command without an answer."""
        return status_word(self.entry)

    @property
    def sentence(self) -> str:
        """Command and answer, `GIDS: GET DATA A010 DF22 (cardcf) -> 9000 done, 9 bytes`; of an event what it is."""
        if self.entry.kind is not EntryKind.APDU:
            return ": ".join(filter(None, (self.name, self.details)))
        where = [self.application, f"channel {self.channel}" if self.channel else ""]
        command = " ".join(filter(None, (self.name, self.details)))
        answer = ", ".join(filter(None, (self.status, self.answer)))
        return ": ".join(filter(None, (*where, f"{command} -> {answer}")))

    @property
    def is_refusal(self) -> bool:
        """Whether the card refused, or something between the host and the card did."""
        return self.entry.kind is EntryKind.APDU and (self.sw is None or self.sw >> 8 not in (0x90, 0x61))


def status_word(entry: Entry) -> int | None:
    return int.from_bytes(entry.response[-2:], "big") if len(entry.response) >= 2 else None


def all_applications() -> tuple[AnyApplication, ...]:
    """Those of all profiles, each once."""
    return PROFILES.applications


def carried_by(card: object) -> tuple[AnyApplication, ...] | None:
    """The applications of a card, or of the card that it has inside, the one that a reset selects before the others.

    None if the card does not say.
    """
    for one in (card, getattr(card, "card", None)):
        carried = getattr(one, "applications", None)
        if carried is not None:
            default = getattr(one, "default_application", None)
            return tuple(sorted(carried, key=lambda application: application is not default))
    return None


def rows_of(
    command: bytes, applications: Iterable[AnyApplication] | None = None
) -> Iterator[tuple[AnyApplication | None, Command]]:
    """The rows that a command may be meant for: the kernel's (with None), or one of each application that has it.

    command: four bytes at least. applications: None: all.
    """
    if (row := kernel_row(command[1], command[2])) is not None:
        yield None, row
        return
    for application in all_applications() if applications is None else applications:
        if row := application.table.find(command[1], int.from_bytes(command[2:4], "big")):
            yield application, row


def command_name(command: bytes, applications: Iterable[AnyApplication] | None = None) -> str:
    """Names a command by its row; `INS xx` if no table knows it, `?` if there is none. applications: None: all."""
    if len(command) < 4:
        return "?"
    for _, row in rows_of(command, applications):
        return row.name
    if command[1] in KERNEL:
        return KERNEL[command[1]].name
    return wording.NAMES.get(command[1], f"INS {command[1]:02X}") if command[0] < 0x80 else f"INS {command[1]:02X}"


@dataclass(slots=True)
class _Channel:
    """What a channel is at. name: of its application, as far as it is known; known: its code, if it is one of ours."""

    name: str = ""
    known: AnyApplication | None = None
    chain: CommandApdu | None = None
    hidden_bytes: int = 0
    parts: int = 0
    unfetched: tuple[CommandApdu, str, bytes] | None = None
    """The command whose answer is being fetched, its name, and what has come of the answer."""


@dataclass(slots=True)
class Decoder:
    """Puts the entries of one reader into words, in their order. Any bytes are answered, nothing raises."""

    default: AnyApplication | None = None
    """What is selected after a reset; None: not known, until a card is inserted whose ATR is a profile's."""
    _own: tuple[AnyApplication, ...] = ()
    """Those of a card that has others than the profiles."""
    _channels: dict[int, _Channel] = field(default_factory=dict)

    def decode(self, entry: Entry) -> Line:
        if entry.kind is not EntryKind.APDU:
            return self._event(entry)
        command = entry.command
        line = Line(entry, why=entry.reason, status=_status(entry))
        try:
            cla = ClassByte.parse(command.visible[0])
            channel = self._channel(cla.channel)
        except (CardError, IndexError):
            cla, channel = ClassByte(), _Channel()
        line = replace(line, application=channel.name, channel=cla.channel)
        applications = (channel.known,) if channel.known else (*self._own, *all_applications())
        name = command_name(command.visible, applications)
        # Of a card with tables of its own a log has no more than the names.
        line = replace(line, name=entry.name if entry.name and name.startswith("INS ") else name)
        parsed = _parsed(command)
        if parsed is None:
            return replace(line, details=_malformed(command))
        apdu, hidden = parsed
        if apdu.ins == KernelIns.GET_RESPONSE:
            return self._get_response(line, channel)
        return self._command(line, channel, cla, apdu, hidden)

    # --- events

    def _event(self, entry: Entry) -> Line:
        if entry.kind is EntryKind.EJECTED:
            # Nothing is forgotten before another card comes: a command that ran may be told of after this.
            return Line(entry, name="card ejected")
        title = ""
        if entry.kind is EntryKind.INSERTED or (entry.atr and self.default is None):
            profile = next((one for one in PROFILES.values() if bytes(one.atr) == entry.atr), None)
            self._own = entry.applications
            if self._own:
                self._forget(self._own[0])
            else:
                self._forget(profile.default_application if profile else None)
            title = profile.title if profile and not self._own else ""
        else:
            self._forget(self.default)
        atr = f"ATR {entry.atr.hex().upper()}" if entry.atr else ""
        if entry.kind is EntryKind.INSERTED:
            return Line(entry, name="card inserted", details=", ".join(filter(None, (title, atr))))
        return Line(entry, name="card reset")

    def _forget(self, default: AnyApplication | None) -> None:
        self.default = default
        self._channels = {}

    def _channel(self, number: int) -> _Channel:
        if number not in self._channels:
            self._channels[number] = self._fresh()
        return self._channels[number]

    def _fresh(self, known: AnyApplication | None = None) -> _Channel:
        known = known or self.default
        return _Channel(known.name if known else "", known)

    # --- commands

    def _command(self, line: Line, channel: _Channel, cla: ClassByte, apdu: CommandApdu, hidden: int) -> Line:
        channel.unfetched = None
        whole, hidden = self._collected(channel, apdu, hidden)
        if cla.chaining:
            channel.chain, channel.hidden_bytes, channel.parts = whole, hidden, channel.parts + 1
            size = len(apdu.data) or _lc(line.entry.command)
            details = f"{_beginning(whole, hidden)}, part {channel.parts}, {byte_count(size)}"
            if line.sw is not None and line.sw >> 8 not in _SUCCESSES:
                channel.chain, channel.hidden_bytes, channel.parts = None, 0, 0  # A refused part ends its chain.
            return replace(line, details=details.removeprefix(", "))
        parts, channel.chain, channel.hidden_bytes, channel.parts = channel.parts, None, 0, 0
        details = self._details(channel, whole, hidden) + (f", {parts + 1} parts" if parts else "")
        line = replace(line, details=details)
        sw = line.sw
        if sw is not None and sw >> 8 in _SUCCESSES:
            self._follow(channel, cla.channel, whole, line.entry.response[:-2])
            line = replace(line, application=channel.name if apdu.ins == KernelIns.SELECT else line.application)
        if sw is not None and sw >> 8 == 0x61:
            channel.unfetched = (whole, line.name, line.entry.response[:-2])
            return line
        return replace(line, answer=self._answer(channel, whole, line.entry.response[:-2]))

    def _collected(self, channel: _Channel, apdu: CommandApdu, hidden: int) -> tuple[CommandApdu, int]:
        """The command with what its chain has brought before."""
        before = channel.chain
        if before is None or (before.cla & 0xEF, before.ins, before.p1p2) != (apdu.cla & 0xEF, apdu.ins, apdu.p1p2):
            channel.parts = 0
            return apdu, hidden
        data = (before.data + apdu.data)[:MAX_NC]
        return replace(apdu, data=data, extended=bool(data) or apdu.extended), channel.hidden_bytes + hidden

    def _get_response(self, line: Line, channel: _Channel) -> Line:
        if channel.unfetched is None:
            return line
        apdu, name, data = channel.unfetched
        data += line.entry.response[:-2]
        line = replace(line, details=f"for {name}")
        if line.sw is not None and line.sw >> 8 == 0x61:
            channel.unfetched = (apdu, name, data)
            return line
        channel.unfetched = None
        return replace(line, answer=self._answer(channel, apdu, data))

    def _details(self, channel: _Channel, apdu: CommandApdu, hidden: int) -> str:
        if apdu.ins == KernelIns.SELECT and apdu.p1 == SELECT_BY_NAME:
            application = self._by_aid(apdu.data)
            return application.name if application else wording.aid_words(apdu.data, in_full=True)
        row = _row(channel, apdu)
        return (row.words(apdu, hidden) if row else "") or wording.words(apdu, hidden)

    def _answer(self, channel: _Channel, apdu: CommandApdu, data: bytes) -> str:
        row = _row(channel, apdu)
        return (row.answer_words(apdu, data) if row else "") or wording.answer_words(data)

    def _follow(self, channel: _Channel, number: int, apdu: CommandApdu, data: bytes) -> None:
        """Takes over what a command has changed about applications and channels."""
        if apdu.ins == KernelIns.SELECT and apdu.p1 == SELECT_BY_NAME:
            channel.known = self._by_aid(apdu.data)
            channel.name = channel.known.name if channel.known else wording.aid_words(apdu.data)
        elif apdu.ins == KernelIns.MANAGE_CHANNEL and apdu.p1 == 0x00:
            opened = apdu.p2 or (data[0] if data else 0)
            self._channels[opened] = _Channel(channel.name, channel.known) if number else self._fresh()
        elif apdu.ins == KernelIns.MANAGE_CHANNEL and apdu.p1 == 0x80:
            self._channels.pop(apdu.p2 or number, None)

    def _by_aid(self, name: bytes) -> AnyApplication | None:
        if len(name) < MIN_AID_BYTES:
            return None
        return next((one for one in (*self._own, *all_applications()) if one.is_named(name)), None)


def _parsed(command: MaskedCommand) -> tuple[CommandApdu, int] | None:
    """The command, without its data if they are hidden, and how many those are; None if its lengths are wrong."""
    visible = command.visible
    if not command.hidden_bytes:
        try:
            return CommandApdu.parse(visible), 0
        except CardError:
            return None
    if len(visible) == 4 and command.hidden_bytes == 1:
        return CommandApdu(*visible), 0  # An Le that is not 00: nobody can tell it from a secret.
    return (CommandApdu(*visible[:4]), _lc(command)) if len(visible) in (5, 7) else None


def _lc(command: MaskedCommand) -> int:
    """Lc of a command whose data are hidden, 0 of another one."""
    if not command.hidden_bytes or len(command.visible) < 5:
        return 0
    return int.from_bytes(command.visible[5:7], "big") if len(command.visible) == 7 else command.visible[4]


def _malformed(command: MaskedCommand) -> str:
    size = len(command.visible) + command.hidden_bytes
    raw = command.visible[:_MAX_SHOWN_BYTES].hex().upper()
    more = "…" if command.hidden_bytes or len(command.visible) > _MAX_SHOWN_BYTES else ""
    return f"{raw}{more}, {byte_count(size)}: lengths do not fit" if size else "no bytes"


def _beginning(apdu: CommandApdu, hidden: int) -> str:
    """What can be said of a chain before it is whole."""
    return wording.words(apdu, hidden).rpartition(", ")[0] if not hidden else ""


def _row(channel: _Channel, apdu: CommandApdu) -> Command | None:
    """The row of a command on a channel whose application is known."""
    if row := kernel_row(apdu.ins, apdu.p1):
        return row
    return channel.known.table.find(apdu.ins, apdu.p1p2) if channel.known else None


def _status(entry: Entry) -> str:
    sw = status_word(entry)
    return "no answer" if sw is None else f"{sw:04X} {meaning(sw)}"
