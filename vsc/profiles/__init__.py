"""Profiles: what kind of card to make, as data. `profile` is the class; every other card is a file beside it.

Cards of others come by the entry point group `vsc.profiles` (docs/own-card.md).
"""

from vsc.profiles.catalogue import PROFILES, profile_named, profile_of
from vsc.profiles.gids import GIDS
from vsc.profiles.options import CardOptions
from vsc.profiles.profile import Profile, Recipe, States

__all__ = ["GIDS", "PROFILES", "CardOptions", "Profile", "Recipe", "States", "profile_named", "profile_of"]
