"""Making cards, finding them, and hearing of those that come and go: the functions of `vsc`."""

import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from types import EllipsisType, TracebackType
from typing import Any, Self, overload

from card_os.pin import PinPolicy
from vsc.api.asking import Asker, PinText, pin_bytes
from vsc.api.card import Card, VirtualCard
from vsc.api.challenge import check_card_id
from vsc.api.session import GivenKey, checked_length, octets
from vsc.errors import CardExistsError, PinPolicyViolation, ReaderNotFoundError
from vsc.factory import create as make
from vsc.factory import create_blank as make_blank
from vsc.host import HasChallenge
from vsc.host.port import offered
from vsc.interaction.port import UserInteraction
from vsc.machine import Change, MachineReader, Watcher, current
from vsc.profiles import GIDS, CardOptions, Profile, profile_named
from vsc.profiles.options import IssuedKey
from vsc.store import Image, Store
from vsc.store.memory import MemoryStore
from vsc.store.name import check_name


def create(
    name: str,
    *,
    pin: PinText | None,
    admin_key: bytes | None = None,
    policy: PinPolicy | None = None,
    tries: int | None = None,
    admin_tries: int | None = None,
    card_id: uuid.UUID | None = None,
    puk: PinText | None = None,
    puk_tries: int | None = None,
    admin_pin: PinText | None = None,
    keys: Sequence[IssuedKey] = (),
    profile: str = GIDS.name,
    label: str | None = None,
    store: Store | None = None,
    interaction: UserInteraction | None = None,
) -> VirtualCard:
    """Makes a card, ready for use, and keeps it in the store.

    name: 1 to 80 printable characters, unique in the store; label: the friendly name, any text, None for the name.
    pin: str or bytes within the policy, without one 4 to 127 bytes; None: a person is asked. admin_key: 24 bytes, None
    for a random one, which is kept (`VirtualCard.admin_key`). tries: 1 to 15 wrong PINs in a row; admin_tries: 1 to
    255, None for no limit. card_id: None for a random one. puk: 8 to 127 bytes; with one, only it can reset the PIN.
    Those are the words for a GIDS card; others have other ranges, puk_tries, an admin_pin in place of a key, or keys
    from the start.
    store: None for that of the machine, which is VSC_HOME's. interaction: who is asked for PINs, now and by the handle.

    CardExistsError; PinPolicyViolation; ValueError for what is out of its range; VscError for a name or a profile that
    cannot be; UnsupportedOption for what cards of the profile have not; Cancelled. Then there is no new card.
    """
    name, where = check_name(name), current().store if store is None else store
    kind = profile_named(profile)
    if policy is not None and not isinstance(policy, PinPolicy):
        raise TypeError(f"policy: a PinPolicy is expected, not {type(policy).__name__}")
    check_card_id(card_id)
    if admin_key is not None:
        half = None if kind.host is None else offered(kind.host, HasChallenge)
        lengths = () if half is None else half.key_bytes
        admin_key = octets(admin_key, "admin_key")
        if lengths:  # A kind that takes no admin key at all says so itself.
            checked_length(GivenKey(admin_key, "admin_key"), lengths)
    if where.exists(name):
        # Before anybody is asked for a PIN; the store looks again, under the card's lock.
        raise CardExistsError(f"there is a card called {name!r} already")
    secret = _new_pin(kind, pin, policy, Asker(label or name, interaction))
    make(
        name,
        pin=secret,
        admin_key=admin_key,
        policy=policy,
        tries=tries,
        admin_tries=admin_tries,
        card_id=card_id,
        puk=None if puk is None else pin_bytes(puk),
        puk_tries=puk_tries,
        admin_pin=None if admin_pin is None else pin_bytes(admin_pin),
        keys=keys,
        label=label,
        profile=kind.name,
        store=where,
    )
    return VirtualCard(name, store=where, interaction=interaction)


def _new_pin(kind: Profile, given: PinText | None, policy: PinPolicy | None, asker: Asker) -> bytes | None:
    """The PIN of a new card, which keeps to its rules. Without one, a person is asked if such cards have a PIN."""
    rules = kind.pin_rules if policy is None else policy
    if given is None:
        return asker.new_pin(rules) if kind.takes("pin") else None
    pin = pin_bytes(given)
    if broken := rules.violations(pin):
        raise PinPolicyViolation(broken)
    return pin


def create_blank(
    name: str,
    *,
    policy: PinPolicy | None = None,
    tries: int | None = None,
    admin_tries: int | None = None,
    label: str | None = None,
    profile: str = GIDS.name,
    store: Store | None = None,
) -> VirtualCard:
    """Makes a card without PIN, keys and file system, for `gids-tool -X` and its like to personalise."""
    where = current().store if store is None else store
    make_blank(name, policy=policy, tries=tries, admin_tries=admin_tries, label=label, profile=profile, store=where)
    return VirtualCard(name, store=where)


@contextmanager
def temporary_card(
    name: str = "temporary", *, pin: PinText | EllipsisType | None = ..., profile: str = GIDS.name, **options: Any
) -> Iterator[VirtualCard]:
    """Makes a card in memory, which is open in the block (`card.reader`) and deleted at its end.

    Without a PIN it has that of its profile's cards for tests, 12345678 of GIDS; the rest is as for `create`. VSC_HOME
    is not touched.
    """
    if isinstance(pin, EllipsisType):
        pin = profile_named(profile).completed(CardOptions()).pin
    store = options.pop("store", None) or MemoryStore()
    card = create(name, pin=pin, profile=profile, store=store, **options)
    try:
        with card:
            yield card
    finally:
        if store.exists(card.name):
            card.delete()


def cards(*, store: Store | None = None) -> list[VirtualCard]:
    """Returns the cards of the store, by name. One that cannot be read is left out, with a warning that names it."""
    where = current().store if store is None else store
    found = []
    for image in where.images():
        if isinstance(image, Image):
            found.append(VirtualCard(image.name, store=where))
        else:
            warnings.warn(str(image), stacklevel=2)
    return sorted(found, key=lambda card: card.name)


@overload
def open(  # noqa: A001
    name: str, *, store: Store | None = None, interaction: UserInteraction | None = None
) -> VirtualCard: ...


@overload
def open(  # noqa: A001
    name: str | None = None,
    *,
    reader: str | MachineReader | None = None,
    store: Store | None = None,
    interaction: UserInteraction | None = None,
) -> Card: ...


def open(  # noqa: A001
    name: str | None = None,
    *,
    reader: str | MachineReader | None = None,
    store: Store | None = None,
    interaction: UserInteraction | None = None,
) -> Card:
    """Returns a handle on a card: `name` of the store, or whatever GIDS card is in `reader`.

    reader: a name as `readers()` gives it, or a part of one that no other has. A handle holds nothing: use `with`, or
    just call it. CardNotFoundError, ReaderNotFoundError, CardRemoved if the reader is empty; TypeError unless exactly
    one of the two is given.
    """
    if name is not None and reader is None:
        card = VirtualCard(name, store=store, interaction=interaction)
        card.store.read(card.name)
        return card
    if reader is not None and name is None:
        return Card.in_reader(_reader(reader) if isinstance(reader, str) else reader, interaction=interaction)
    raise TypeError("either the name of a card or a reader is to be given")


def _reader(name: str) -> MachineReader:
    there = current().readers()
    named = [reader for reader in there if reader.name == name] or [reader for reader in there if name in reader.name]
    if len(named) == 1:
        return named[0]
    if named:
        raise ReaderNotFoundError(f"there are several readers {name!r}: {', '.join(one.name for one in named)}")
    raise ReaderNotFoundError(
        f"there is no reader {name!r}; there is: {', '.join(one.name for one in there) or 'none'}"
    )


def readers() -> tuple[MachineReader, ...]:
    """Returns the readers of this machine: its virtual ones and those of PC/SC."""
    return current().readers()


def watch(callback: Watcher) -> Callable[[], None]:
    """Calls `callback` with each `Change` of readers and cards, on another thread; returns what ends that.

    What is there already is told of first, as added.
    """
    return current().watch(callback)


class Events:
    """Changes, one by one, as they come. Ends when it is closed, by `with`, by `close`, or by the time limit."""

    def __init__(self, timeout_s: float | None) -> None:
        self._changes: SimpleQueue[Change | None] = SimpleQueue()
        self._timeout_s = timeout_s
        self._is_closed = False
        self._end = current().watch(self._changes.put)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Change:
        if self._is_closed:
            raise StopIteration
        try:
            change = self._changes.get(timeout=self._timeout_s)
        except Empty:
            change = None
        if change is None:
            self.close()
            raise StopIteration
        return change

    def close(self) -> None:
        """Ends it, for a thread that waits, too. Twice is harmless."""
        if not self._is_closed:
            self._is_closed = True
            self._end()
            self._changes.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def events(timeout_s: float | None = None) -> Events:
    """Returns an iterator over what happens to readers and cards, beginning with what is there.

    timeout_s: it ends when nothing has happened for so long; None: never. Best in a `with` block, which closes it.
    """
    return Events(timeout_s)


__all__ = [
    "Events",
    "cards",
    "create",
    "create_blank",
    "events",
    "open",
    "readers",
    "temporary_card",
    "watch",
]
