"""Logical channels (ISO/IEC 7816-4 section 5.4.1 and 7.1.2).

Each channel has its own selected application, security status, chain and unfetched answer. Channel 0 is always
open. `Volatile` is all that a reset forgets: a reset makes a new one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from card_os.apdu import CommandApdu
from card_os.application import Application
from card_os.class_byte import MAX_CHANNELS
from card_os.link import Link
from card_os.sw import SW, CardError

_SUBJECT = "MANAGE CHANNEL"
OPEN, CLOSE = 0x00, 0x80
"""Values of P1."""


@dataclass(slots=True)
class Channel:
    """One logical channel; `volatile` is what its application remembers until reset or deselection."""

    application: Application[Any, Any] | None
    volatile: Any = None
    link: Link = field(default_factory=Link)

    @classmethod
    def fresh(cls, application: Application[Any, Any] | None) -> "Channel":
        """A channel on which the application has just been selected and nothing verified."""
        return cls(application, application.new_volatile() if application else None)


@dataclass(slots=True)
class Volatile:
    """What a reset forgets: the open channels and all that hangs on them."""

    channels: dict[int, Channel]
    proved: set[int] = field(default_factory=set)
    """Global reference data that have been proved, on whichever channel."""

    @classmethod
    def after_reset(cls, default: Application[Any, Any] | None) -> "Volatile":
        return cls({0: Channel.fresh(default)})


def manage_channel(volatile: Volatile, here: int, apdu: CommandApdu, fresh: Callable[[int], Channel]) -> bytes:
    """MANAGE CHANNEL: P1 00 opens (P2 00: the card chooses and answers the number), P1 80 closes.

    fresh: makes a channel as one opened from another is. 6A81: none free; 6A86: no such channel, open already, or
    channel 0; 6881: not open. Spec: ISO/IEC 7816-4 section 7.1.2.
    """
    if apdu.p1 == OPEN:
        number = _open(volatile, apdu.p2)
        volatile.channels[number] = fresh(here)
        return b"" if apdu.p2 else bytes([number])
    _close(volatile, apdu.p2 or here)
    return b""


def _open(volatile: Volatile, wanted: int) -> int:
    if wanted == 0:
        free = (number for number in range(1, MAX_CHANNELS) if number not in volatile.channels)
        number = next(free, None)
        if number is None:
            raise CardError(SW.FUNCTION_NOT_SUPPORTED, "all channels are open", subject=_SUBJECT)
        return number
    if wanted >= MAX_CHANNELS or wanted in volatile.channels:
        raise CardError(SW.INCORRECT_P1P2, f"channel {wanted} is open or does not exist", subject=_SUBJECT)
    return wanted


def _close(volatile: Volatile, number: int) -> None:
    if number == 0 or number >= MAX_CHANNELS:
        raise CardError(SW.INCORRECT_P1P2, f"channel {number} cannot be closed", subject=_SUBJECT)
    if volatile.channels.pop(number, None) is None:
        raise CardError(SW.CHANNEL_NOT_SUPPORTED, f"channel {number} is not open", subject=_SUBJECT)
