"""A card application of the tests' own, and profiles of it: one says how its cards are made, two do not.

Nothing in the tree knows it: what works with it works with a card of anybody's.
"""

from collections.abc import Mapping

from card_os.application import Application
from card_os.apps.gids import Gids
from card_os.atr import Atr
from card_os.command import ANYBODY, Command
from card_os.env import Env
from card_os.sw import SW, CardError
from vsc.profiles import CardOptions, Profile, Recipe, States


def _debit(session, apdu):  # type: ignore[no-untyped-def]
    left = int.from_bytes(session.state, "big") - int.from_bytes(apdu.data, "big")
    if left < 0:
        raise CardError(SW.CONDITIONS_NOT_SATISFIED, "there is not as much in it", subject="purse")
    session.commit(left.to_bytes(2, "big"))
    return session.state


class Tiny(Application[bytes, None]):
    aid, name = b"\xf0TINY0", "tiny"
    commands: Mapping[int, Command] = {
        0x50: Command("BALANCE", {0}, {0}, ANYBODY, lambda session, apdu: session.state, "tiny.py"),
        0x54: Command("DEBIT", {0}, {2}, ANYBODY, _debit, "tiny.py"),
    }


def _full(options: CardOptions, env: Env) -> States:
    return ((1000).to_bytes(2, "big"),)


TINY = Profile("tiny", "Tiny", Atr(historical=b"tiny"), (Tiny(),), Recipe(_full))
UNMADE = Profile("unmade", "Nobody says how it is made", Atr(historical=b"unmade"), (Tiny(),))
UNMADE_WITH_GIDS = Profile("both", "Two applications", Atr(historical=b"both"), (Gids(), Tiny()))
