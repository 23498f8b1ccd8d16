"""A virtual card that is made with its key: it appears in the store filled, or not at all."""

from collections.abc import Callable

from vsc.errors import UnsupportedCard
from vsc.factory import home_store, powered
from vsc.filling.load import fitting, load
from vsc.filling.material import Contents
from vsc.host import CardWithKeys, DirectConnection, find
from vsc.profiles import PROFILES
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
