"""OpenPGP, the card application of GnuPG (functional specification 3.4.1).

It is what gpg, ssh through gpg-agent, Sequoia, OpenSC and Yubico's tools speak. `commands` is the table of commands,
`objects` that of data objects with their rights, `state` what both work on, `rules` what differs from one kind of card
to the next, `personalisation` makes cards.
"""

from collections.abc import Sequence

from card_os.apdu import CommandApdu, ResponseApdu
from card_os.application import Application
from card_os.apps.openpgp.bounds import check_bounds
from card_os.apps.openpgp.commands import commands
from card_os.apps.openpgp.objects import aid
from card_os.apps.openpgp.outline import outline
from card_os.apps.openpgp.protected import protected
from card_os.apps.openpgp.rules import Rules, Yubico
from card_os.apps.openpgp.schema import STATE
from card_os.apps.openpgp.session import OpenPgpSession
from card_os.apps.openpgp.state import LifeCycle, OpenPgpState, OpenPgpVolatile
from card_os.apps.openpgp.wire import PREFIX, Tag
from card_os.outline import Outline
from card_os.sw import SW
from card_os.tlv import Tlv

__all__ = ["OpenPgp", "OpenPgpState", "OpenPgpVolatile", "Rules", "Yubico"]

_TEMPLATE = 0x61


class OpenPgp(Application[OpenPgpState, OpenPgpVolatile]):
    """The application as the kernel sees it. rules: what is particular to this kind of card."""

    aid = PREFIX
    name = "OpenPGP"
    schema = STATE

    def __init__(self, rules: Rules | None = None) -> None:
        self.rules = rules or Rules()
        self.commands = commands(self.rules)

    def is_named(self, name: bytes, state: OpenPgpState | None = None) -> bool:
        """By any beginning of the AID, which has the serial number of the card (4.2.1)."""
        full = PREFIX if state is None else aid(state, self.rules)
        return full.startswith(name) or (state is None and name.startswith(full))

    def new_volatile(self) -> OpenPgpVolatile:
        return OpenPgpVolatile(self.rules)

    def select(self, session: OpenPgpSession, apdu: CommandApdu) -> ResponseApdu:
        """No data; 6285 on a terminated card. What passwords have proved stays, what was chosen does not."""
        session.volatile.forget_choices()
        terminated = session.state.life_cycle == LifeCycle.TERMINATED
        return ResponseApdu(sw=SW.WARNING_TERMINATED if terminated else SW.OK)

    def template(self, state: OpenPgpState) -> bytes:
        return bytes(Tlv(_TEMPLATE, bytes(Tlv(Tag.AID, aid(state, self.rules)))))

    def check_bounds(self, state: OpenPgpState) -> None:
        check_bounds(state, self.rules)

    def outline(self, state: OpenPgpState) -> Outline:
        return outline(state, self.rules)

    def protected(self, state: OpenPgpState) -> Sequence[bytes]:
        return protected(state)
