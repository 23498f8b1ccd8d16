"""PIV, the Personal Identity Verification card application of NIST SP 800-73-5, with the extensions of YubiKeys.

It is what OpenSC, Windows, macOS, SSSD and Yubico's tools speak. `commands` is the table, `state` what it works on,
`rules` what differs from one kind of card to the next, `personalisation` makes cards.
"""

from collections.abc import Mapping, Sequence

from card_os.apdu import CommandApdu, ResponseApdu
from card_os.application import Application
from card_os.apps.piv import messages
from card_os.apps.piv.bounds import check_bounds
from card_os.apps.piv.commands import commands
from card_os.apps.piv.outline import outline
from card_os.apps.piv.protected import protected
from card_os.apps.piv.rules import Rules, Yubico
from card_os.apps.piv.schema import STATE
from card_os.apps.piv.select import application_properties
from card_os.apps.piv.session import PivSession
from card_os.apps.piv.state import PivState, PivVolatile
from card_os.apps.piv.wire import AID, Ins
from card_os.outline import Outline

__all__ = ["Piv", "PivState", "PivVolatile", "Rules", "Yubico"]


class Piv(Application[PivState, PivVolatile]):
    """The application as the kernel sees it. rules: what is particular to this kind of card."""

    aid = AID
    name = "PIV"
    schema = STATE

    def __init__(self, rules: Rules | None = None) -> None:
        self.rules = rules or Rules()
        self.commands = commands(self.rules)
        self.keeps_status_on_reselect = self.rules.keeps_status_on_reselect
        self.has_secure_messaging = self.rules.has_secure_messaging

    @property
    def traits(self) -> Mapping[str, str | tuple[str, ...]]:
        return self.rules.traits

    def new_volatile(self) -> PivVolatile:
        return PivVolatile(self.rules)

    def select(self, session: PivSession, apdu: CommandApdu) -> ResponseApdu:
        return ResponseApdu(b"" if apdu.p2 & 0x0C == 0x0C else application_properties(session.state, self.rules))

    def unwrap(self, session: PivSession, apdu: CommandApdu) -> CommandApdu:
        return messages.unwrap(session, apdu)

    def wrap(self, session: PivSession, response: ResponseApdu) -> ResponseApdu:
        return messages.wrap(session, response)

    def template(self, state: PivState) -> bytes:
        return application_properties(state, self.rules)

    def check_bounds(self, state: PivState) -> None:
        check_bounds(state, self.rules)

    def outline(self, state: PivState) -> Outline:
        return outline(state, self.rules)

    def protected(self, state: PivState) -> Sequence[bytes]:
        return protected(state)

    def observe(self, session: PivSession, ins: int) -> None:
        # "Immediately" is meant so: any command between VERIFY and the use of key 9C, and between a challenge and its
        # answer, ends what the first one began (SP 800-73-5 part 1, 3.3.1 and part 2, 3.2.4).
        if ins != Ins.GENERAL_AUTHENTICATE:
            session.volatile.is_fresh = False
            session.volatile.challenge = None
