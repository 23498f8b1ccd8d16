"""A virtual card that is made with its keys: it appears in the store filled, or not at all."""

from collections.abc import Callable, Mapping

from vsc.errors import UnsupportedCard, VscError
from vsc.factory import home_store, powered
from vsc.filling.load import Fitting, fitting, load
from vsc.filling.material import Contents
from vsc.host import CardWithKeys, DirectConnection, HasKeys, find
from vsc.host.port import offered
from vsc.profiles import PROFILES, Profile
from vsc.profiles.options import IssuedKey
from vsc.store import Image, Store
from vsc.store.memory import MemoryStore


def create_filled(
    make: Callable[[Store], Image],
    contents: Contents,
    *,
    pin: bytes,
    store: Store | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Image:
    """Makes a card with every key that it can take, and their certificates.

    make: adds the card, with that PIN, to the store that it is given; `factory.create`. Errors: those of `make`
    and of `load`, and CardExistsError. tell: gets a sentence for what is left out, and the like.
    """
    store = store or home_store()
    workbench = MemoryStore()
    name = make(workbench).name
    with powered(name, store=workbench) as card, DirectConnection(card) as connection:
        host = find(connection, PROFILES.hosts(connection.atr))
        if not isinstance(host, CardWithKeys):
            raise UnsupportedCard("cards of this kind have no keys with certificates")
        chosen = fitting(host, contents)
        load(host, chosen.contents, pin=pin)
    image = workbench.read(name)
    store.create(image)
    for remark in chosen.remarks:
        tell(remark)
    return image


def issued_keys(
    profile: Profile,
    contents: Contents | None,
    slots: Mapping[str, Contents],
    *,
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[IssuedKey, ...]:
    """The keys for a card that has them from its issuer, as cards of the profile take them (`CardOptions.keys`).

    contents: go into the first free slots; slots: the one key for each slot that is named. Errors as for `fitting`;
    VscError for a slot with several keys.
    """
    half = None if profile.host is None else offered(profile.host, HasKeys)

    def fit(one: Contents) -> Fitting:
        # Where nobody has written a host half, the profile alone says which keys there can be.
        return Fitting(one.keys, one.remarks) if half is None else fitting(half, one)

    found = []
    for place, one in slots.items():
        chosen = fit(one)
        if len(chosen.keys) > 1:
            raise VscError(f"there are {len(chosen.keys)} keys for slot {place}: say one")
        found.append(IssuedKey(chosen.keys[0].key, chosen.keys[0].der, place))
        for remark in chosen.remarks:
            tell(remark)
    if contents is not None:
        chosen = fit(contents)
        found += [IssuedKey(material.key, material.der) for material in chosen.keys]
        for remark in chosen.remarks:
            tell(remark)
    return tuple(found)
