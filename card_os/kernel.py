"""The commands that the kernel answers itself, whatever is selected: rows like those of any application.

SELECT is the kernel's by DF name only (P1 04); by file identifier or path it is the application's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from card_os.apdu import MAX_NC, CommandApdu, ResponseApdu
from card_os.channel import Channel, Volatile, manage_channel
from card_os.class_byte import Classes
from card_os.command import ANYBODY, Command
from card_os.sw import SW

MIN_AID_BYTES = 5
MAX_AID_BYTES = 16
SELECT_BY_NAME = 0x04


class KernelIns(IntEnum):
    """Instructions that the kernel answers itself; SELECT only by DF name (P1 04)."""

    MANAGE_CHANNEL = 0x70
    SELECT = 0xA4
    GET_RESPONSE = 0xC0


class Kernel(Protocol):
    """What the kernel's commands need of a card."""

    @property
    def volatile(self) -> Volatile: ...

    def select(self, number: int, apdu: CommandApdu) -> ResponseApdu:
        """Selects an application by name on a logical channel."""
        ...

    def fresh(self, here: int) -> Channel:
        """A channel as one opened from channel `here` is."""
        ...


@dataclass(slots=True)
class KernelSession:
    """The card, and the number of the logical channel that the command came on."""

    kernel: Kernel
    number: int


def _select(session: KernelSession, apdu: CommandApdu) -> ResponseApdu:
    return session.kernel.select(session.number, apdu)


def _manage_channel(session: KernelSession, apdu: CommandApdu) -> bytes:
    return manage_channel(session.kernel.volatile, session.number, apdu, session.kernel.fresh)


def _get_response(session: KernelSession, apdu: CommandApdu) -> ResponseApdu:
    return session.kernel.volatile.channels[session.number].link.get_response(apdu)


def _channel_words(apdu: CommandApdu, _: int) -> str:
    action = {0x00: "open", 0x80: "close"}.get(apdu.p1, f"P1 {apdu.p1:02X}")
    return f"{action} {apdu.p2 or ''}".strip()


KERNEL: Mapping[int, Command] = {
    KernelIns.SELECT: Command(
        "SELECT",
        range(0x0400, 0x0410),
        range(MAX_NC + 1),
        ANYBODY,
        _select,
        "ISO 7816-4, 7.1.1",
        refusals={
            SW.FILE_NOT_FOUND: "the card has no such application",
            SW.NC_INCONSISTENT_WITH_P1P2: "there is no AID in the data",
        },
        samples=((0x0400, b""), (0x0404, b""), (0x040C, b""), (0x0402, b"")),
    ),
    KernelIns.MANAGE_CHANNEL: Command(
        "MANAGE CHANNEL",
        frozenset({*range(0x100), *range(0x8000, 0x8100)}),
        range(1),
        ANYBODY,
        _manage_channel,
        "ISO 7816-4, 7.1.2",
        refusals={
            SW.FUNCTION_NOT_SUPPORTED: "all channels are open",
            SW.INCORRECT_P1P2: "P2 is not a channel that can be opened or closed",
            SW.CHANNEL_NOT_SUPPORTED: "the channel is not open",
        },
        words=_channel_words,
        samples=tuple((p1p2, b"") for p1p2 in (*range(4), *range(0x8001, 0x8004))),
    ),
    KernelIns.GET_RESPONSE: Command(
        "GET RESPONSE",
        range(1),
        range(1),
        ANYBODY,
        _get_response,
        "ISO 7816-4, 7.6.1",
        classes=Classes.ANY,
        refusals={
            SW.CONDITIONS_NOT_SATISFIED: "nothing is left to fetch",
            SW.CHAINING_NOT_SUPPORTED: "it cannot be chained",
        },
        samples=((0, b""),),
    ),
}
"""By instruction."""


def kernel_row(ins: int, p1: int) -> Command | None:
    """The row of a command that the kernel answers; None: it is the application's, or nobody's."""
    return None if ins == _SELECT and p1 != SELECT_BY_NAME else KERNEL.get(ins)


# Members of enumerations are slow to come by, and every command asks.
_SELECT = int(KernelIns.SELECT)
