"""Making virtual smart cards, and putting one that lasts into memory.

create("work", pin=b"12345678")            a new card in the store
with powered("work") as card:              the card, each change saved before its answer leaves
    card.transmit(bytes.fromhex("00A4040009A00000039742544659"))
"""

import os
import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from card_os.admin import KEY_BYTES, AdminKey
from card_os.apps.gids.personalisation import blank, personalised
from card_os.apps.gids.state import GidsState, KeyFile
from card_os.card import Card
from card_os.env import Env
from card_os.memory import Persistent
from card_os.pin import DEFAULT_TRIES, MAX_BYTES, NO_POLICY, PinPolicy
from vsc.errors import RefusedError, VscError
from vsc.profiles import GIDS, PROFILES
from vsc.store import Image, Store, default_home, settings
from vsc.store.name import check_name
from vsc.store.sqlite import SqliteStore
from vsc.world import SystemEnv

DEFAULT_PIN = b"12345678"
DEFAULT_ADMIN_KEY = bytes.fromhex("0102030405060708" * 3)
"""What `tpmvscmgr` calls DEFAULT: for tests, never for a card that matters."""
MIN_PUK_BYTES = 8


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
    pin: bytes,
    admin_key: bytes | None = None,
    policy: PinPolicy | None = None,
    tries: int = DEFAULT_TRIES,
    admin_tries: int | None = None,
    card_id: uuid.UUID | None = None,
    puk: bytes | None = None,
    label: str | None = None,
    file_system: bool = True,
    store: Store | None = None,
) -> Image:
    """Makes a GIDS card, operational, with its file system written, and adds it to the store.

    name: 1 to 80 printable characters. pin: as its bytes are sent, within the policy (without one: 4 to 127 bytes).
    admin_key: 24 bytes; None: random, kept with the card (`admin_key_of`). tries: 1 to 15. admin_tries: None for
    unlimited. card_id: None for a random one. puk: 8 to 127 bytes; with one, only it can reset the PIN. label: any
    text; None: the name. file_system: False leaves it, and the id, to whoever formats the card. Raises RefusedError
    for a PIN that breaks the policy and a PUK of another length, CardExistsError, ValueError for values outside these
    ranges.
    """
    broken = (policy or NO_POLICY).violation(pin)
    if broken:
        raise RefusedError(f"the PIN is refused: {broken}")
    if puk is not None and not MIN_PUK_BYTES <= len(puk) <= MAX_BYTES:
        raise RefusedError(f"the PUK is refused: a PUK has {MIN_PUK_BYTES} to {MAX_BYTES} bytes")
    state = personalised(
        pin=pin,
        admin_key=secrets.token_bytes(KEY_BYTES) if admin_key is None else admin_key,
        # Windows keeps a GUID with its first three fields little-endian, in memory and so in `cardid`.
        card_id=(card_id or uuid.uuid4()).bytes_le if file_system else None,
        tries=tries,
        pin_policy=policy,
        puk=puk,
        admin_try_limit=admin_tries,
    )
    return _add(name, state, store, label)


def create_blank(
    name: str,
    *,
    policy: PinPolicy | None = None,
    tries: int = DEFAULT_TRIES,
    admin_tries: int | None = None,
    label: str | None = None,
    store: Store | None = None,
) -> Image:
    """Makes a GIDS card in the initialisation state, without PIN, key or file: for `gids-tool -X` and its like."""
    return _add(name, blank(pin_policy=policy, tries=tries, admin_try_limit=admin_tries), store, label)


def _add(name: str, state: GidsState, store: Store | None, label: str | None = None) -> Image:
    image = Image(check_name(name), GIDS, GIDS.persistent(state))
    if label is not None:
        image = replace(image, label=label)
    (store or home_store()).create(image)
    return image


def fresh(profile: str, *, pin: bytes, admin_key: bytes, env: Env | None = None) -> Card:
    """Makes a personalised card in memory, which lives as long as the object. VscError if there is no such profile."""
    if profile not in PROFILES:
        raise VscError(f"there is no profile {profile!r}; there is: {', '.join(PROFILES)}")
    state = personalised(pin=pin, admin_key=admin_key, card_id=uuid.uuid4().bytes_le, tries=DEFAULT_TRIES)
    return PROFILES[profile].card(PROFILES[profile].persistent(state), env or SystemEnv())


@contextmanager
def powered(name: str, *, store: Store | None = None, env: Env | None = None) -> Iterator[Card]:
    """Opens a card for this process alone; every change is durable before the answer to the command leaves."""
    with (store or home_store()).open(name) as opened:

        def save(persistent: Persistent) -> None:
            opened.save(opened.image.with_persistent(persistent))

        image = opened.image
        yield image.profile.card(image.persistent, env or SystemEnv(), store=save)


def gids_state(image: Image) -> GidsState:
    """Returns the state of the GIDS application of a card; VscError if it has none."""
    for _, state in image.persistent.applications:
        if isinstance(state, GidsState):
            return state
    raise VscError(f"card {image.name!r} carries no GIDS application")


def admin_key_of(image: Image) -> bytes:
    """Returns the 24 bytes of the admin key as it is now; VscError if the card has none yet."""
    file = gids_state(image).key_file(0x80)
    if isinstance(file, KeyFile) and isinstance(file.key, AdminKey):
        return file.key.value.reveal()
    raise VscError(f"card {image.name!r} has no admin key yet")
