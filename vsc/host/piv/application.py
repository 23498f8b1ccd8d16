"""SELECT, and what kind of PIV card it is: one that keeps to NIST alone, or one with Yubico's commands."""

from dataclasses import dataclass

from card_os.apps.piv.wire import PIX, RID, Ins
from card_os.sw import SW
from vsc.errors import NoApplication
from vsc.host.exchange import Exchange

SELECT, BY_NAME = 0xA4, 0x0400
NAME = RID + PIX[:4]
"""The AID without its version (SP 800-73-5 part 1, 2.2)."""
_METADATA, _MOVE = (5, 3, 0), (5, 7, 0)


@dataclass(frozen=True, slots=True)
class Application:
    """The selected PIV application. version: of a card with Yubico's commands; None: it has none of them."""

    version: tuple[int, ...] | None = None

    @property
    def has_yubico(self) -> bool:
        """Whether keys can be imported, and the management key be changed."""
        return self.version is not None

    @property
    def has_metadata(self) -> bool:
        return self.version is not None and self.version >= _METADATA

    @property
    def has_move(self) -> bool:
        """Whether keys can be deleted."""
        return self.version is not None and self.version >= _MOVE


def select(exchange: Exchange) -> Application:
    """Selects the PIV application; NoApplication if there is none."""
    answer = exchange.send(SELECT, BY_NAME, NAME, answers=True)
    if answer.sw != SW.OK:
        raise NoApplication("PIV", answer.sw)
    version = exchange.send(Ins.GET_VERSION, 0x0000, answers=True)
    is_version = version.sw == SW.OK and len(version.data) == 3
    return Application(tuple(version.data) if is_version else None)
