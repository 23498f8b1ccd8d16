"""Which profiles there are: one file each in this folder, and those of others, by the entry point group `vsc.profiles`.

VSC_PROFILES names more, as `module:NAME`, with commas between; so does `--profile module:NAME`.
"""

import os
import pkgutil
import sys
from collections.abc import Iterator, MutableMapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from card_os.application import Application
from card_os.card import Card
from vsc.errors import VscError
from vsc.host.port import HostCard
from vsc.profiles.profile import Profile

GROUP = "vsc.profiles"
VARIABLE = "VSC_PROFILES"


class Catalogue(MutableMapping[str, Profile]):
    """The profiles by name, looked for when the first one is wanted.

    broken: those of others that cannot be used, and why: they are no reason to fail for who wants another one.
    """

    def __init__(self, folder: str = "vsc.profiles") -> None:
        self._folder = folder
        self._found: dict[str, Profile] | None = None
        self.broken: dict[str, str] = {}

    @property
    def _profiles(self) -> dict[str, Profile]:
        if self._found is None:
            # A module that asks for profiles while it is imported itself gets those that are found so far.
            self._found = {}
            self._look_in_folder()
            for entry in entry_points(group=GROUP):
                self._add_others(entry.name, entry.load)
            for name in filter(None, os.environ.get(VARIABLE, "").split(",")):
                self._add_others(name.strip(), lambda name=name: named(name.strip()))
        return self._found

    def _look_in_folder(self) -> None:
        assert self._found is not None
        for module in pkgutil.iter_modules(import_module(self._folder).__path__, f"{self._folder}."):
            for value in vars(import_module(module.name)).values():
                if isinstance(value, Profile):
                    self._found[value.name] = value

    def _add_others(self, name: str, load: Any) -> None:
        assert self._found is not None
        try:
            profile = load()
        except Exception as error:  # Whatever somebody else's module may raise.
            self.broken[name] = f"{type(error).__name__}: {error}"
            return
        if not isinstance(profile, Profile):
            self.broken[name] = "that is no vsc.profiles.Profile"
        elif self._found.setdefault(profile.name, profile) is not profile:
            self.broken[name] = f"there is another profile {profile.name!r}"

    @property
    def applications(self) -> tuple[Application[Any, Any], ...]:
        """Those of all profiles, each once; of several kinds of one, that with the most commands."""
        found: dict[bytes, Application[Any, Any]] = {}
        for profile in self._profiles.values():
            for one in profile.applications:
                known = found.setdefault(one.aid, one)
                if len(one.commands) > len(known.commands):
                    found[one.aid] = one
        return tuple(found.values())

    def hosts(self, atr: bytes = b"") -> tuple[type[HostCard], ...]:
        """The host halves to ask about a card, each once: those of profiles with that ATR first."""
        alike = sorted(self._profiles.values(), key=lambda profile: bytes(profile.atr) != atr)
        return tuple(dict.fromkeys(profile.host for profile in alike if profile.host is not None))

    def __getitem__(self, name: str) -> Profile:
        return self._profiles[name]

    def __setitem__(self, name: str, profile: Profile) -> None:
        self._profiles[name] = profile

    def __delitem__(self, name: str) -> None:
        del self._profiles[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._profiles)

    def __len__(self) -> int:
        return len(self._profiles)


PROFILES = Catalogue()


def profile_named(name: str) -> Profile:
    """Returns the profile of that name, or the one at `module:NAME`, which then is one of `PROFILES`.

    VscError: there is none, or it cannot be loaded.
    """
    if ":" in name:
        profile = named(name)
        if PROFILES.setdefault(profile.name, profile) is not profile:
            raise VscError(f"{name} cannot be used: there is another profile {profile.name!r}")
        return profile
    if name in PROFILES:
        return PROFILES[name]
    for profile in PROFILES.values():
        if name in profile.aliases:
            return profile
    if name in PROFILES.broken:
        raise VscError(f"the profile {name!r} cannot be used: {PROFILES.broken[name]}")
    raise VscError(f"there is no profile {name!r}; there is: {', '.join(PROFILES)}")


def profile_of(card: Card) -> Profile | None:
    """The profile that a card in memory was made from; None for one that was made otherwise."""
    return next((one for one in PROFILES.values() if tuple(one.applications) == card.applications), None)


def named(place: str) -> Profile:
    """Loads `module:NAME`, also from the current folder. VscError if that is no profile."""
    module, _, name = place.partition(":")
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        profile = getattr(import_module(module), name)
    except Exception as error:  # Whatever somebody else's module may raise.
        raise VscError(f"the profile {place!r} cannot be loaded: {type(error).__name__}: {error}") from error
    if not isinstance(profile, Profile):
        raise VscError(f"{place} is no vsc.profiles.Profile")
    return profile
