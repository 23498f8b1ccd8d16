"""Cards in memory, for tests: made in a moment, gone with the object, and every state of them can be kept.

card = SoftCard.make(pin="24681357", seed=1)
Reader().insert(card)
before = card.snapshot()
…
print(card.diff(before))    PIN tries 5 -> 4
card.restore(before)
"""

import uuid
from collections.abc import Sequence
from copy import copy
from typing import Any, Self

from card_os.card import Card, Outcome
from card_os.env import Env
from card_os.memory import Persistent
from card_os.pin import PinPolicy
from vsc.errors import PinPolicyViolation, VscError
from vsc.host import Gids, HostCard
from vsc.host.connection import DirectConnection
from vsc.profiles import PROFILES, CardOptions, Profile, profile_named
from vsc.profiles.options import IssuedKey
from vsc.serving.travel import TravelError
from vsc.store.image import Image
from vsc.testing.diff import Diff, diff
from vsc.testing.snapshot import Snapshot
from vsc.world import SeededEnv, SystemEnv

DEFAULT_PIN = "12345678"


class SoftCard:
    """A card in memory: a `PoweredCard`, so it fits into a `vsc.reader.Reader`, and what a test wants to know of it.

    pin, admin_key, puk: what the card was made with; None if it has none (yet). card: its inside, of `card_os`; once it
    has been in a reader that another process serves to this one, a handle to what is there.
    """

    def __init__(
        self,
        profile: Profile,
        persistent: Persistent,
        env: Env,
        *,
        pin: str | None = None,
        admin_key: bytes | None = None,
        puk: str | None = None,
    ) -> None:
        self.profile = profile
        self.pin, self.admin_key, self.puk = pin, admin_key, puk
        self.card: Card = profile.card(persistent, env)
        self._env = env

    @classmethod
    def make(
        cls,
        profile: str = "gids",
        *,
        pin: str | None = None,
        admin_key: bytes | None = None,
        admin_pin: str | None = None,
        policy: PinPolicy | None = None,
        tries: int | None = None,
        puk_tries: int | None = None,
        admin_tries: int | None = None,
        puk: str | None = None,
        card_id: uuid.UUID | None = None,
        keys: Sequence[IssuedKey] = (),
        seed: int | str | bytes | None = None,
    ) -> Self:
        """Makes a personalised card. seed: everything of it, keys that it will make included, follows from that.

        What is not given is what cards of that profile have in tests: of GIDS the PIN 12345678 and `DEFAULT_ADMIN_KEY`.
        PinPolicyViolation for a PIN that breaks the policy; VscError if there is no such profile; UnsupportedOption for
        what its cards have not; RefusedError and ValueError for values outside their ranges.
        """
        if policy is not None and pin is not None and (broken := policy.violations(pin.encode())):
            raise PinPolicyViolation(broken)
        options = CardOptions(
            pin=_bytes(pin),
            puk=_bytes(puk),
            admin_key=admin_key,
            admin_pin=_bytes(admin_pin),
            policy=policy,
            tries=tries,
            puk_tries=puk_tries,
            admin_tries=admin_tries,
            card_id=card_id,
            keys=tuple(keys) or None,
        )
        env, found = _world(seed), profile_named(profile)
        states, made = found.personalise(options, env), found.completed(options)
        secrets = {"pin": _text(made.pin), "admin_key": made.admin_key, "puk": _text(made.puk)}
        return cls(found, found.persistent(*states), env, **secrets)  # type: ignore[arg-type]

    @classmethod
    def make_blank(
        cls,
        profile: str = "gids",
        *,
        policy: PinPolicy | None = None,
        tries: int | None = None,
        admin_tries: int | None = None,
        seed: int | str | bytes | None = None,
    ) -> Self:
        """Makes a card before its personalisation: no PIN, no key, no file. The rest as for `make`."""
        env, found = _world(seed), profile_named(profile)
        states = found.blank(CardOptions(policy=policy, tries=tries, admin_tries=admin_tries), env)
        return cls(found, found.persistent(*states), env)

    def __repr__(self) -> str:
        return f"<SoftCard {self.profile.name}>"

    @property
    def env(self) -> Env:
        """The world that the card lives in."""
        env: Env = getattr(self.card, "env", self._env)  # Of one that is in another process.
        return env

    @env.setter
    def env(self, env: Env) -> None:
        self._env = env

    def __getstate__(self) -> dict[str, object]:
        """How it travels: with its image. What it has verified stays behind, as when its power goes."""
        if isinstance(self.card, Card) and type(self.card) is not Card:
            raise TravelError(
                "a card that is torn cannot travel to the process that serves PC/SC to this one, for what tears it is "
                "here: use Lab(in_this_process=False), whose readers are here, too"
            )
        known = PROFILES.get(self.profile.name) is self.profile
        own = {name: value for name, value in vars(self).items() if name not in ("card", "_env", "profile")}
        return {
            "own": own,
            "profile": self.profile.name if known else self.profile,
            "image": bytes(Image("card", self.profile, self.persistent)),
            "env": copy(self.env),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        named = state["profile"]
        self.profile = PROFILES[named] if isinstance(named, str) else named
        self._env = state["env"]
        self.card = self.profile.card(Image.parse(state["image"], profile=self.profile).persistent, self._env)
        vars(self).update(state["own"])

    # --- a PoweredCard

    @property
    def atr(self) -> bytes:
        return self.card.atr

    def power_on(self) -> bytes:
        return self.card.power_on()

    def power_off(self) -> None:
        self.card.power_off()

    def reset(self) -> bytes:
        return self.card.reset()

    def transmit(self, command: bytes) -> bytes:
        return self.card.transmit(command)

    # --- what a test wants to know

    @property
    def last_outcome(self) -> Outcome | None:
        """What came of the last command; None since the last reset."""
        return self.card.last_outcome

    @property
    def why(self) -> str:
        """Why the last command was refused: the rule, the object, the missing right. Empty if it was not."""
        outcome = self.card.last_outcome
        return "" if outcome is None or outcome.reason is None else str(outcome.reason)

    @property
    def persistent(self) -> Persistent:
        return self.card.persistent

    # --- its states

    def snapshot(self) -> Snapshot:
        """The card as it is now: all that it keeps, and where its world is if that is a seeded one."""
        return Snapshot(
            self.profile, self.persistent, copy(self.env), pin=self.pin, admin_key=self.admin_key, puk=self.puk
        )

    def restore(self, snapshot: Snapshot) -> None:
        """Makes it that card again, and resets it: nothing is verified, and a seeded card answers as it did then.

        The snapshot may be another card's; VscError for one of another profile.
        """
        if snapshot.profile.name != self.profile.name:
            kinds = self.profile.name, snapshot.profile.name
            raise VscError("a card of profile {} cannot become one of profile {}".format(*kinds))
        env = copy(snapshot.env)
        self.card.restore(snapshot.persistent, env)
        self.env = env
        self.pin, self.admin_key, self.puk = snapshot.pin, snapshot.admin_key, snapshot.puk

    def fork(self) -> Self:
        """Returns a card of its own with the same state, reset, in no reader. A seeded one goes on as this one will."""
        other = object.__new__(type(self))
        vars(other).update(vars(self))
        env = copy(self.env)
        other.card = self.card.fork(env)
        other.env = env
        return other

    def diff(self, before: Snapshot) -> Diff:
        """Says what has changed since that snapshot, line by line; no secret is in it. Falsy: nothing."""
        return diff(before, self)

    # --- ways to it

    def connection(self) -> DirectConnection:
        """A connection with no reader between; making it is a reset."""
        return DirectConnection(self)

    def host(self) -> HostCard:
        """The host half of its profile over such a connection. VscError if nobody has written one."""
        if self.profile.host is None:
            raise VscError(f"nobody has written a host half for cards of profile {self.profile.name!r}")
        return self.profile.host.connect(self.connection(), random=self.env.random_bytes)

    def gids(self) -> Gids:
        """The host's half over such a connection: PINs, files, containers, keys."""
        return Gids.connect(self.connection(), random=self.env.random_bytes)


def _world(seed: int | str | bytes | None) -> Env:
    return SystemEnv() if seed is None else SeededEnv(seed)


def _bytes(secret: str | None) -> bytes | None:
    return None if secret is None else secret.encode()


def _text(secret: bytes | None) -> str | None:
    return None if secret is None else secret.decode()
