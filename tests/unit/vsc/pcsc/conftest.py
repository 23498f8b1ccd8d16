from collections.abc import Callable

import pytest

from tests.unit.vsc.pcsc.peer import Card, Peer
from vsc.pcsc.engine import Engine
from vsc.reader import Reader

Join = Callable[..., Peer]


@pytest.fixture(autouse=True)
def clients_of_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clients of these tests are sockets of this very process, which hold nothing while they wait."""
    monkeypatch.setattr("vsc.pcsc.service._own_process", lambda: 0)


@pytest.fixture
def card() -> Card:
    return Card()


@pytest.fixture
def reader(card: Card) -> Reader:
    reader = Reader("One 00 00")
    reader.insert(card)
    return reader


@pytest.fixture
def engine(reader: Reader) -> Engine:
    engine = Engine([reader])
    slot = engine.slot_of(reader)
    reader.subscribe(lambda _: engine.catch_up(slot))
    return engine


@pytest.fixture
def peer(engine: Engine) -> Peer:
    return Peer(engine)


@pytest.fixture
def other(engine: Engine) -> Peer:
    return Peer(engine)
