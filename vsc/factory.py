"""Making virtual smart cards, and putting one that lasts into memory.

create("work", pin=b"12345678")            a new card in the store
with powered("work") as card:              the card, each change saved before its answer leaves
    card.transmit(bytes.fromhex("00A4040009A00000039742544659"))
"""

import os
import secrets
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from card_os.atr import Atr
from card_os.card import Card
from card_os.env import Env
from card_os.fact import Kind, by_name
from card_os.memory import Persistent
from card_os.pin import PinPolicy
from card_os.secret import Secret
from vsc.errors import VscError
from vsc.host import ReferenceKind
from vsc.host.port import reference_of
from vsc.profiles import GIDS, CardOptions, Profile, States, profile_named
from vsc.profiles.options import DEFAULT_ADMIN_KEY, DEFAULT_PIN, IssuedKey
from vsc.store import Image, Store, default_home, settings
from vsc.store.name import check_name
from vsc.store.sqlite import SqliteStore
from vsc.world import SystemEnv

__all__ = ["DEFAULT_ADMIN_KEY", "DEFAULT_PIN", "admin_key_of", "create", "create_blank", "fresh", "powered"]


def home_store() -> SqliteStore:
    """The store in VSC_HOME, or in the platform's folder for user data. Card files of version 0.1 are taken over.

    Durability and passphrase are those of `vsc.store.settings`.
    """
    store = SqliteStore(
        default_home(os.environ.get("VSC_HOME")), durability=settings.durability(), passphrase=settings.passphrase()
    )
    store.take_over()
    return store


def create(
    name: str,
    *,
    pin: bytes | None = None,
    admin_key: bytes | None = None,
    admin_pin: bytes | None = None,
    policy: PinPolicy | None = None,
    tries: int | None = None,
    puk_tries: int | None = None,
    admin_tries: int | None = None,
    card_id: uuid.UUID | None = None,
    puk: bytes | None = None,
    label: str | None = None,
    file_system: bool = True,
    keys: Sequence[IssuedKey] = (),
    profile: str = GIDS.name,
    atr: Atr | None = None,
    store: Store | None = None,
) -> Image:
    """Makes a card that is ready for use and adds it to the store.

    pin: as its bytes are sent. admin_key: None: random, kept with the card (`admin_key_of`). The options are those of
    `CardOptions`, and what they mean, with their ranges, is a matter of the profile; for GIDS see `vsc.create`. label:
    any text; None: the name. atr: what it answers to reset; None: what its profile says. Raises RefusedError for a
    secret that the card would not take, UnsupportedOption for an option that the profile has not, CardExistsError,
    ValueError for values outside their ranges.
    """
    options = CardOptions(
        pin=pin,
        puk=puk,
        admin_key=admin_key,
        admin_pin=admin_pin,
        policy=policy,
        tries=tries,
        puk_tries=puk_tries,
        admin_tries=admin_tries,
        card_id=card_id,
        file_system=None if file_system else False,
        keys=tuple(keys) or None,
    )
    kind = profile_named(profile)
    return _add(name, kind, kind.personalise(_with_random_key(kind, options), SystemEnv()), store, label, atr)


def _with_random_key(profile: Profile, options: CardOptions) -> CardOptions:
    """A card that lasts gets no admin key that others know, unless somebody says so."""
    if options.admin_key is not None or not profile.takes("admin_key"):
        return options
    usual = profile.completed(options).admin_key
    return options if usual is None else replace(options, admin_key=secrets.token_bytes(len(usual)))


def create_blank(
    name: str,
    *,
    policy: PinPolicy | None = None,
    tries: int | None = None,
    admin_tries: int | None = None,
    label: str | None = None,
    profile: str = GIDS.name,
    atr: Atr | None = None,
    store: Store | None = None,
) -> Image:
    """Makes a card in the initialisation state, without PIN, key or file: for `gids-tool -X` and its like."""
    kind = profile_named(profile)
    options = CardOptions(policy=policy, tries=tries, admin_tries=admin_tries)
    return _add(name, kind, kind.blank(options, SystemEnv()), store, label, atr)


def _add(name: str, profile: Profile, states: States, store: Store | None, label: str | None, atr: Atr | None) -> Image:
    image = Image(check_name(name), profile, profile.persistent(*states))
    if atr is not None:
        image = image.with_atr(atr)
    if label is not None:
        image = replace(image, label=label)
    (store or home_store()).create(image)
    return image


def fresh(profile: str, *, pin: bytes | None = None, admin_key: bytes | None = None, env: Env | None = None) -> Card:
    """Makes a personalised card in memory, which lives as long as the object.

    pin and admin_key: None for those that cards for tests have, in profiles that have such. VscError if there is no
    such profile, or none that says how its cards are made; UnsupportedOption.
    """
    world = env or SystemEnv()
    kind = profile_named(profile)
    states = kind.personalise(CardOptions(pin=pin, admin_key=admin_key), world)
    return kind.card(kind.persistent(*states), world)


@contextmanager
def powered(name: str, *, store: Store | None = None, env: Env | None = None) -> Iterator[Card]:
    """Opens a card for this process alone; every change is durable before the answer to the command leaves."""
    with (store or home_store()).open(name) as opened:

        def save(persistent: Persistent) -> None:
            opened.save(opened.image.with_persistent(persistent))

        image = opened.image
        yield image.profile.card(image.persistent, env or SystemEnv(), store=save)


def admin_key_of(image: Image) -> bytes:
    """Returns the bytes of the administrator's secret as it is now; VscError if the card has none (yet)."""
    half = image.profile.host
    reference = None if half is None else reference_of(half, ReferenceKind.ADMIN)
    if reference is None:
        raise VscError(f"card {image.name!r} is of a kind that has no admin key")
    for application in image.profile.applications:
        fact = by_name(application.facts(image.persistent.state(application.aid))).get(reference.name)
        if fact is not None and fact.kind is Kind.SECRET and isinstance(fact.value, Secret):
            return fact.value.reveal()
    raise VscError(f"card {image.name!r} has no {reference} yet")
