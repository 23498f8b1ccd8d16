"""SELECT, and what the application says of itself."""

from dataclasses import dataclass
from enum import Enum, auto

from card_os.apps.gids.wire import AID, Ins, Tag
from card_os.sw import SW
from card_os.tlv import Tlv, parse_all
from card_os.wire import WireError
from vsc.errors import NoApplication, UnsupportedCard
from vsc.host.exchange import Exchange

GIDS_NAME = AID[:9]
"""What hosts send; the last two bytes are the card's own (gids.md 1.1)."""
_SELECT_BY_NAME = 0x0400
_PROTOCOLS = 0x40
_MUTUAL, _EXTERNAL = 0x80, 0x40
_TERMINATED = 0x6285


class AdminForm(Enum):
    """How the admin key is proved. AUTO: EXTERNAL where the card offers it, as Windows does, else MUTUAL."""

    AUTO = auto()
    EXTERNAL = auto()
    """The card's 8 bytes, encrypted."""
    MUTUAL = auto()
    """Random numbers of both sides; the card proves the key, too. What OpenSC uses."""


@dataclass(frozen=True, slots=True)
class Application:
    """The selected GIDS application. aid: as it says itself, None if it does not; protocols: tag 40 of its FCI."""

    aid: bytes | None
    protocols: int

    @property
    def form(self) -> AdminForm:
        """What AUTO means here."""
        return AdminForm.EXTERNAL if self.protocols & _EXTERNAL else AdminForm.MUTUAL


def select(exchange: Exchange) -> Application:
    """Selects the GIDS application; UnsupportedCard if there is none.

    What is verified stays so where the card follows GIDS section 12.15.8, and is forgotten on others (gids.md 5.9).
    """
    answer = exchange.send(Ins.SELECT, _SELECT_BY_NAME, GIDS_NAME, answers=True)
    if answer.sw == _TERMINATED:
        raise UnsupportedCard("the GIDS application of this card is terminated")
    if answer.sw != SW.OK:
        raise NoApplication("GIDS", answer.sw)
    return parse_fci(answer.data)


def parse_fci(raw: bytes) -> Application:
    """Reads the application template, 61 { 4F AID, 73 { 40 protocols } }; what is missing or odd is left out."""
    outer = _template(raw).get(Tag.APPLICATION_TEMPLATE, b"")
    inner = _template(outer)
    protocols = _template(inner.get(Tag.DISCRETIONARY, b"")).get(_PROTOCOLS, b"")
    # Without tag 40 it is A0: mutual authentication, no external one (GIDS section 2.6.1).
    return Application(inner.get(Tag.AID), protocols[0] if protocols else _MUTUAL)


def _template(raw: bytes) -> dict[int, bytes]:
    try:
        objects: tuple[Tlv, ...] = parse_all(raw)
    except WireError:
        return {}
    return {one.tag: one.value for one in reversed(objects)}
