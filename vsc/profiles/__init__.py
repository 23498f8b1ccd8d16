"""Profiles: what kind of card to make, as data. A vendor's card is one more profile, not a branch in the code.

A profile says which applications a card carries, what it answers to reset, and where its behaviour differs from the
specification's (quirks).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from card_os.application import Application
from card_os.apps.gids import Gids
from card_os.apps.gids.wire import AID
from card_os.atr import Atr, Interface
from card_os.card import Card
from card_os.env import Env
from card_os.memory import Persistent


@dataclass(frozen=True, slots=True)
class Profile:
    """name: as `--profile` and images have it; applications: the first is selected after a reset."""

    name: str
    title: str
    atr: Atr
    applications: Sequence[Application[Any, Any]]

    def persistent(self, *states: object) -> Persistent:
        """Puts the states of the applications, in order, into one permanent state."""
        pairs = zip(self.applications, states, strict=True)
        return Persistent(tuple((application.aid, state) for application, state in pairs))

    def card(self, persistent: Persistent, env: Env, *, store: Callable[[Persistent], None] | None = None) -> Card:
        """Makes a card of this profile; `store` is called with each new state before the answer leaves."""
        if store is None:
            return Card(self.applications, persistent, env, atr=self.atr)
        return Card(self.applications, persistent, env, atr=self.atr, store=store)


# T=1 alone, as contact cards of this kind offer it. Historical bytes: category 80, then compact-TLV F with the AID of
# the application that is selected after a reset (gids.md 1.3).
GIDS = Profile(
    name="gids",
    title="GIDS 2.0 smart card",
    atr=Atr((Interface(), Interface(protocol=1)), historical=bytes([0x80, 0xF0 | len(AID)]) + AID),
    applications=(Gids(),),
)

PROFILES = {profile.name: profile for profile in (GIDS,)}
