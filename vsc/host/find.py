"""Which application a card has: each host half is asked, in turn, whether it can select its own."""

import secrets
from collections.abc import Callable, Iterable

from vsc.errors import NoApplication, UnsupportedCard
from vsc.host.connection import Connection
from vsc.host.port import HostCard


def find(
    connection: Connection, halves: Iterable[type[HostCard]], *, random: Callable[[int], bytes] = secrets.token_bytes
) -> HostCard:
    """Returns the first half whose application the card has, selected.

    halves: in the order in which they are asked. UnsupportedCard: the card has none of them, or one that is of no use
    any more.
    """
    found: list[UnsupportedCard] = []
    for half in halves:
        try:
            return half.connect(connection, random=random)
        except UnsupportedCard as error:
            found.append(error)
    # What says more than that an application is not there is what people want to know.
    telling = [error for error in found if not isinstance(error, NoApplication)]
    if len(found) == 1 or telling:
        raise (telling or found)[0]
    names = (error.application for error in found if isinstance(error, NoApplication))
    raise UnsupportedCard(f"there is no application on this card that is known here: {', '.join(names) or 'none is'}")
