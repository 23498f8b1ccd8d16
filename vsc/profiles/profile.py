"""The class of profiles: what kind of card to make, as data.

A profile says which applications a card carries, what it answers to reset, how one is made, and where its behaviour
differs from the specification's (quirks). A vendor's card is one more profile, not a branch in the code.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from card_os.application import Application
from card_os.atr import Atr
from card_os.card import Card, default_of
from card_os.env import Env
from card_os.memory import Persistent
from card_os.pin import MAX_TRIES, NO_POLICY, PinPolicy
from vsc.errors import UnsupportedOption, VscError
from vsc.host.port import HostCard
from vsc.profiles.options import CardOptions

States = Sequence[object]
"""The state of each application, in the profile's order."""


@dataclass(frozen=True, slots=True, eq=False)
class Recipe:
    """How a card is made.

    options: those of `CardOptions` that it takes, each with what a card for tests has where nobody says (None:
    nothing, or of an identity a random one). make: the states; what is random in them comes from the world.
    """

    make: Callable[[CardOptions, Env], States]
    options: Mapping[str, Any] = field(default_factory=dict)


def _guid(raw: bytes) -> uuid.UUID:
    return uuid.UUID(bytes=raw)


@dataclass(frozen=True, slots=True, repr=False)
class Profile:
    """name: as `--profile` and images have it; aliases: others by which it is found. default: AID of the application
    that is selected after a reset; None: the first, empty: none. reader_name: of readers that such a card is put into,
    where its clients look for a certain one; empty: they do not.

    personalisation: how a card is made that is ready for use; blank_card: one that others personalise; None: cards of
    this kind are not made so. host: the host's half of the first application; None: nobody has written one. pin_rules
    and puk_rules: what a PIN and a PUK are held to where no policy says more; max_tries: how often in a row they may be
    wrong at most. guid: reads an identity of 16 bytes (`Outline.identity`).
    """

    name: str
    title: str
    atr: Atr
    applications: Sequence[Application[Any, Any]]
    personalisation: Recipe | None = None
    blank_card: Recipe | None = None
    host: type[HostCard] | None = None
    pin_rules: PinPolicy = NO_POLICY
    puk_rules: PinPolicy = NO_POLICY
    max_tries: int = MAX_TRIES
    aliases: tuple[str, ...] = ()
    reader_name: str = ""
    default: bytes | None = None
    guid: Callable[[bytes], uuid.UUID] = _guid

    @property
    def default_application(self) -> Application[Any, Any] | None:
        """The one that is selected after a reset."""
        return default_of(self.applications, self.default)

    def __repr__(self) -> str:
        return f"<Profile {self.name}>"

    def takes(self, option: str) -> bool:
        """Whether a card that is ready for use is made with that option."""
        return self.personalisation is not None and option in self.personalisation.options

    def completed(self, options: CardOptions) -> CardOptions:
        """Adds what nobody has said. VscError for a kind of card that is not made; UnsupportedOption."""
        return self._completed(self.personalisation, options, f"a card of profile {self.name!r}")

    def personalise(self, options: CardOptions, env: Env) -> States:
        """The states of a new card that is ready for use.

        VscError for a kind of card that is not made; UnsupportedOption; RefusedError for a secret that the card would
        not take; ValueError for what is out of its range.
        """
        completed = self.completed(options)
        assert self.personalisation is not None
        return self.personalisation.make(completed, env)

    def blank(self, options: CardOptions, env: Env) -> States:
        """The states of a card that others personalise. Errors as for `personalise`."""
        completed = self._completed(self.blank_card, options, f"a blank card of profile {self.name!r}")
        assert self.blank_card is not None
        return self.blank_card.make(completed, env)

    def _completed(self, recipe: Recipe | None, options: CardOptions, what: str) -> CardOptions:
        if recipe is None:
            raise VscError(f"{what} cannot be made: the profile does not say how")
        said = options.said
        for name in said:
            if name not in recipe.options:
                raise UnsupportedOption(what, name, tuple(recipe.options))
        return replace(options, **{name: value for name, value in recipe.options.items() if name not in said})

    def persistent(self, *states: object) -> Persistent:
        """Puts the states of the applications, in order, into one permanent state."""
        pairs = zip(self.applications, states, strict=True)
        return Persistent(tuple((application.aid, state) for application, state in pairs))

    def card(self, persistent: Persistent, env: Env, *, store: Callable[[Persistent], None] | None = None) -> Card:
        """Makes a card of this profile; `store` is called with each new state before the answer leaves."""
        if store is None:
            return Card(self.applications, persistent, env, atr=self.atr, default=self.default)
        return Card(self.applications, persistent, env, atr=self.atr, default=self.default, store=store)
