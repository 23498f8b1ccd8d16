"""GIDS, the Generic Identity Device Specification 2.0: the card that Windows' in-box driver and OpenSC's gids driver
speak. Section numbers in this package are those of the specification, or of the shared reference gids.md where named.

`commands` is the table; `state` is what it works on; `personalisation` makes cards.
"""

from collections.abc import Mapping, Sequence

from card_os.apdu import CommandApdu, ResponseApdu
from card_os.application import Application
from card_os.apps.gids.bounds import check_bounds
from card_os.apps.gids.commands import COMMANDS
from card_os.apps.gids.outline import outline
from card_os.apps.gids.protected import protected
from card_os.apps.gids.schema import STATE
from card_os.apps.gids.select import application_template, select_df
from card_os.apps.gids.session import GidsSession
from card_os.apps.gids.state import GidsState, GidsVolatile
from card_os.apps.gids.wire import AID, Ins
from card_os.command import Command
from card_os.outline import Outline

__all__ = ["Gids", "GidsState", "GidsVolatile"]


class Gids(Application[GidsState, GidsVolatile]):
    """The application as the kernel sees it.

    keeps_status_on_reselect: GIDS section 12.15.8 keeps what was verified when the application is selected again; the
    reference applet in the field loses it. A profile chooses.
    """

    aid = AID
    name = "GIDS"
    commands: Mapping[int, Command] = COMMANDS
    schema = STATE

    def __init__(self, *, keeps_status_on_reselect: bool = True) -> None:
        self.keeps_status_on_reselect = keeps_status_on_reselect

    def new_volatile(self) -> GidsVolatile:
        return GidsVolatile()

    def select(self, session: GidsSession, apdu: CommandApdu) -> ResponseApdu:
        return select_df(session, apdu.p2)

    def template(self, state: GidsState) -> bytes:
        return application_template(state)

    def observe(self, session: GidsSession, ins: int) -> None:
        # A challenge dies when any other command comes in between (GIDS section 9; gids.md 5.7).
        if ins != Ins.GENERAL_AUTHENTICATE:
            session.volatile.challenge = None

    def check_bounds(self, state: GidsState) -> None:
        check_bounds(state)

    def outline(self, state: GidsState) -> Outline:
        return outline(state)

    def protected(self, state: GidsState) -> Sequence[bytes]:
        return protected(state)
