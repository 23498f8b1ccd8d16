"""The messages between libpcsclite and its daemon, byte by byte.

A request is a `Header`, the struct that belongs to its command and, for TRANSMIT and CONTROL, a payload whose length
the struct tells. A reply is the same struct filled in, without a header. The struct of the header counts the body
only. pcsc-lite sends the memory of its C structs as it is: integers in *host byte order*, on which both ends agree
because they are on one machine. Formats here are little-endian; `HOST_IS_LITTLE_ENDIAN` is False where that is wrong,
and the service refuses to start there.

Each format is declared once. What leaves this module is a frozen dataclass with the same field names.
Source: pcsc-lite 1.9.9 and 2.5.1, `winscard_msg.h`, `eventhandler.h`.
"""

import sys
from collections.abc import Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import ClassVar, Self

from construct import Bytes, Construct, Int32sl, Int32ul, Padding, Struct

from card_os.value import value
from card_os.wire import Format, WireError
from vsc.pcsc.codes import MAX_ATR_BYTES, MAX_ATTRIBUTE_BYTES, MAX_NAME_BYTES, Command, ReturnCode

HOST_IS_LITTLE_ENDIAN = sys.byteorder == "little"

_I, _U = Int32sl, Int32ul


@value
class Message:
    """A struct on the wire: its fields are those of FORMAT, in order. The last is the return code, where it has one."""

    FORMAT: ClassVar[Format]
    SIZE: ClassVar[int]
    """Bytes."""

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Parses exactly SIZE bytes; WireError for any other number."""
        *values, used = cls.FORMAT.read(raw, 0)
        if used != len(raw):
            raise WireError(f"{len(raw) - used} bytes too many")
        return cls(*values)

    def __bytes__(self) -> bytes:
        return self.FORMAT.build({name: getattr(self, name) for name in self.FORMAT.names})


@value
class Answerable(Message):
    """A message whose reply is itself, filled in."""

    def refused(self, rv: ReturnCode) -> Self:
        """The reply that says no."""
        return replace(self, rv=rv)  # type: ignore[call-arg]  # each subclass has one


def _format(cls: type[Message], **parts: Construct) -> None:
    _declare(cls, Struct(**parts))


def _declare(cls: type[Message], declared: Construct) -> None:
    cls.FORMAT = Format(declared)
    cls.SIZE = declared.sizeof()
    assert cls.FORMAT.names == tuple(field.name for field in fields(cls))


@value
class Header(Message):
    size: int
    """Of the struct that follows, without payload."""
    command: int


_format(Header, size=_U, command=_U)


@value
class Version(Answerable):
    major: int
    minor: int
    rv: int = 0


_format(Version, major=_I, minor=_I, rv=_U)


@value
class EstablishContext(Answerable):
    scope: int
    context: int = 0
    rv: int = 0

    def refused(self, rv: ReturnCode) -> "EstablishContext":
        return replace(self, context=0, rv=rv)


_format(EstablishContext, scope=_U, context=_U, rv=_U)


@value
class ReleaseContext(Answerable):
    context: int
    rv: int = 0


_format(ReleaseContext, context=_U, rv=_U)


@value
class Connect(Answerable):
    context: int
    reader: bytes
    """128 bytes, filled up with NULs; `name` is what counts."""
    share_mode: int
    preferred_protocols: int
    card: int = 0
    active_protocol: int = 0
    rv: int = 0

    @property
    def name(self) -> bytes:
        """Up to the first NUL; at most 127 bytes."""
        return self.reader[: MAX_NAME_BYTES - 1].partition(b"\0")[0]

    def refused(self, rv: ReturnCode) -> "Connect":
        return replace(self, card=0, rv=rv)


_format(
    Connect,
    context=_U,
    reader=Bytes(MAX_NAME_BYTES),
    share_mode=_U,
    preferred_protocols=_U,
    card=_I,
    active_protocol=_U,
    rv=_U,
)


@value
class Reconnect(Answerable):
    card: int
    share_mode: int
    preferred_protocols: int
    initialization: int
    active_protocol: int = 0
    rv: int = 0

    def refused(self, rv: ReturnCode) -> "Reconnect":
        return replace(self, active_protocol=0, rv=rv)


_format(Reconnect, card=_I, share_mode=_U, preferred_protocols=_U, initialization=_U, active_protocol=_U, rv=_U)


@value
class Disconnect(Answerable):
    card: int
    disposition: int
    rv: int = 0


_format(Disconnect, card=_I, disposition=_U, rv=_U)


@value
class BeginTransaction(Answerable):
    card: int
    rv: int = 0


_format(BeginTransaction, card=_I, rv=_U)


@value
class EndTransaction(Answerable):
    card: int
    disposition: int
    rv: int = 0


_format(EndTransaction, card=_I, disposition=_U, rv=_U)


@value
class Cancel(Answerable):
    context: int
    rv: int = 0


_format(Cancel, context=_U, rv=_U)


@value
class Status(Answerable):
    card: int
    rv: int = 0


_format(Status, card=_I, rv=_U)


@value
class Transmit(Answerable):
    card: int
    send_protocol: int
    send_pci_bytes: int
    send_bytes: int
    """Of the payload that follows the request."""
    receive_protocol: int
    receive_pci_bytes: int
    receive_bytes: int
    """Request: the room that the client has. Reply: the length of the response, which follows if rv is SUCCESS."""
    rv: int = 0

    def refused(self, rv: ReturnCode) -> "Transmit":
        return replace(self, receive_bytes=0, rv=rv)


_format(
    Transmit,
    card=_I,
    send_protocol=_U,
    send_pci_bytes=_U,
    send_bytes=_U,
    receive_protocol=_U,
    receive_pci_bytes=_U,
    receive_bytes=_U,
    rv=_U,
)


@value
class Control(Answerable):
    card: int
    code: int
    send_bytes: int
    receive_bytes: int
    """The room that the client has."""
    returned_bytes: int = 0
    """Reply: the length of what follows if rv is SUCCESS."""
    rv: int = 0

    def refused(self, rv: ReturnCode) -> "Control":
        return replace(self, returned_bytes=0, rv=rv)


_format(Control, card=_I, code=_U, send_bytes=_U, receive_bytes=_U, returned_bytes=_U, rv=_U)


@value
class GetSetAttribute(Answerable):
    card: int
    attribute: int
    value: bytes = bytes(MAX_ATTRIBUTE_BYTES)
    """264 bytes, of which `value_bytes` count."""
    value_bytes: int = MAX_ATTRIBUTE_BYTES
    rv: int = 0


_format(GetSetAttribute, card=_I, attribute=_U, value=Bytes(MAX_ATTRIBUTE_BYTES), value_bytes=_U, rv=_U)


@value
class Notification(Message):
    """Something has changed, or waiting has ended as `rv` says."""

    timeout: int = 0
    rv: int = 0


_format(Notification, timeout=_U, rv=_U)


@value
class ReaderEvents(Message):
    """How often readers have come and gone."""

    count: int
    rv: int = 0


_format(ReaderEvents, count=_U, rv=_U)


@value
class ArraySize(Message):
    entries: int


_format(ArraySize, entries=_I)


@value
class ReaderState(Message):
    """One entry of the array of readers. All zero is a free place."""

    name: bytes
    """128 bytes, filled up with NULs, at least one of them."""
    event_counter: int = 0
    state: int = 0
    sharing: int = 0
    atr: bytes = bytes(MAX_ATR_BYTES)
    """33 bytes, of which `atr_bytes` count. A client copies that many unchecked: never more than 33."""
    atr_bytes: int = 0
    protocol: int = 0


_declare(
    ReaderState,
    Struct(
        "name" / Bytes(MAX_NAME_BYTES),
        "event_counter" / _U,
        "state" / _U,
        "sharing" / _I,
        "atr" / Bytes(MAX_ATR_BYTES),
        Padding(3),  # left by the C compiler; what they hold does not matter
        "atr_bytes" / _U,
        "protocol" / _U,
    ),
)

FREE_PLACE = bytes(ReaderState.SIZE)

REQUESTS: Mapping[Command, type[Answerable] | None] = MappingProxyType(
    {
        Command.ESTABLISH_CONTEXT: EstablishContext,
        Command.RELEASE_CONTEXT: ReleaseContext,
        Command.CONNECT: Connect,
        Command.RECONNECT: Reconnect,
        Command.DISCONNECT: Disconnect,
        Command.BEGIN_TRANSACTION: BeginTransaction,
        Command.END_TRANSACTION: EndTransaction,
        Command.TRANSMIT: Transmit,
        Command.CONTROL: Control,
        Command.STATUS: Status,
        Command.CANCEL: Cancel,
        Command.GET_ATTRIB: GetSetAttribute,
        Command.SET_ATTRIB: GetSetAttribute,
        Command.VERSION: Version,
        Command.GET_READERS_STATE: None,
        Command.WAIT_READER_STATE_CHANGE: None,
        Command.STOP_WAITING_READER_STATE_CHANGE: None,
        Command.GET_READER_EVENTS: None,
        Command.GET_READERS_STATE_SIZE: None,
        Command.GET_READERS_STATE_ARRAY: None,
    }
)
"""The struct that comes with each command; None: a header alone."""


def padded_name(name: bytes) -> bytes:
    """A reader's name as it is in a struct; ValueError if its NUL does not fit."""
    if len(name) >= MAX_NAME_BYTES:
        raise ValueError(f"a reader's name has at most {MAX_NAME_BYTES - 1} bytes, not {len(name)}")
    return name.ljust(MAX_NAME_BYTES, b"\0")
