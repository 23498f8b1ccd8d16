"""vsc.api.filled."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from card_os.pin import CharacterRule, PinPolicy
from tests.unit.vsc import samples
from tests.unit.vsc.filling import stuff
from vsc.api.filled import create_filled
from vsc.errors import CardExistsError, RefusedError
from vsc.factory import create
from vsc.filling.material import read_material
from vsc.store import Image, Store
from vsc.store.memory import MemoryStore
from vsc.store.summary import summarise

ADA = read_material(key=stuff.key(), certificate=stuff.certificate())


def making(**options: Any) -> Callable[[Store], Image]:
    return lambda store: create("ada", pin=samples.PIN, store=store, **options)


def test_a_card_with_a_key() -> None:
    store = MemoryStore()
    image = create_filled(making(tries=7, label="Ada's card"), ADA, pin=samples.PIN, store=store)
    assert store.read("ada") == image
    summary = summarise(image)
    (container,) = summary.containers
    assert (container.name, container.key, container.certificates) == ("Ada Lovelace", "RSA 1024", ["CN=Ada Lovelace"])
    assert summary.pin == {"tries_left": 7, "try_limit": 7}
    assert image.label == "Ada's card"


def test_nothing_is_made_where_something_is_refused() -> None:
    store = MemoryStore()
    policy = PinPolicy(digits=CharacterRule.DISALLOW)
    with pytest.raises(RefusedError):
        create_filled(making(policy=policy), ADA, pin=samples.PIN, store=store)
    assert list(store.images()) == []


def test_a_card_that_is_there_stays_as_it_is() -> None:
    store = MemoryStore()
    before = create("ada", pin=samples.PIN, store=store)
    with pytest.raises(CardExistsError):
        create_filled(making(), ADA, pin=samples.PIN, store=store)
    assert store.read("ada") == before


def test_in_the_home_store(home: Path) -> None:
    from vsc.factory import home_store

    image = create_filled(making(), ADA, pin=samples.PIN)
    assert home_store().read("ada") == image
