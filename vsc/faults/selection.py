"""Which application commands go to, as SELECT and its answers tell."""

from card_os.apdu import CommandApdu
from card_os.application import Application
from card_os.class_byte import ClassByte
from card_os.kernel import SELECT_BY_NAME, KernelIns
from card_os.sw import CardError
from vpcd_bridge.port import PoweredCard
from vsc.profiles import PROFILES
from vsc.trace.decoder import carried_by

_DONE = (0x90, 0x61, 0x62)
"""The first byte of a status word after which an application is selected."""


class Selection:
    """Names the application on each logical channel, for one card between two resets."""

    def __init__(self) -> None:
        self._default = ""
        self._selected: dict[int, str] = {}

    def reset(self, card: PoweredCard | None) -> None:
        """The card was reset, or is another one: what it selects by itself is selected."""
        carried = applications_of(card)
        self._default = carried[0].name if carried else ""
        self._selected.clear()

    def note(self, command: bytes, response: bytes) -> None:
        """The card has answered."""
        apdu = _parsed(command)
        if apdu is None or (apdu.ins, apdu.p1) != (KernelIns.SELECT, SELECT_BY_NAME):
            return
        if response[-2:-1] not in _DONE_BYTES:
            return
        found = (one.name for one in PROFILES.applications if one.is_named(apdu.data))
        self._selected[_channel(apdu.cla)] = next(found, "")

    def application(self, command: bytes) -> str:
        """The name of the application that the command goes to; empty if that is none of ours."""
        return self._selected.get(_channel(command[0]) if command else 0, self._default)


_DONE_BYTES = tuple(bytes([first]) for first in _DONE)


def applications_of(card: PoweredCard | None) -> tuple[Application, ...]:  # type: ignore[type-arg]
    """What a card carries: what it says itself, else the profile that has its ATR; empty if neither is known."""
    carried = carried_by(card)
    if carried is not None:
        return carried
    atr = None if card is None else card.atr
    return next((tuple(one.applications) for one in PROFILES.values() if bytes(one.atr) == atr), ())


def _parsed(command: bytes) -> CommandApdu | None:
    try:
        return CommandApdu.parse(command)
    except CardError:
        return None


def _channel(cla: int) -> int:
    try:
        return ClassByte.parse(cla).channel
    except CardError:
        return 0
