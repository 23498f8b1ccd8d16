"""No event is lost, however many there are: libpcsclite's event counter beside what was done.

The counter is the upper half of a state, 16 bits, and counts insertions and removals: 20 000 fit.
"""

from collections.abc import Mapping

import pytest

from bench.null_card import NullCard
from tests.interop.pcsc import winscard as w
from tests.interop.pcsc.puppet import Puppet
from vsc.reader import DEFAULT_NAME as NAME
from vsc.reader import Reader

COUNTER = 0xFFFF_0000
CYCLES = [pytest.param(300, id="short"), pytest.param(10_000, id="full", marks=pytest.mark.long)]


def seen(puppet: Puppet) -> tuple[int, int]:
    """What ended the wait: the counter, and EMPTY or PRESENT."""
    state = puppet.hear()[0]
    return state >> 16, state & (w.EMPTY | w.PRESENT)


@pytest.mark.parametrize("cycles", CYCLES)
def test_each_event_ends_a_wait(reader: Reader, env: Mapping[str, str], cycles: int) -> None:
    """One step after the other: the client asks for event n, n happens, and n is what it sees."""
    card = NullCard()
    with Puppet(env) as client:
        for number in range(1, 2 * cycles + 1):
            client.tell("wait_for", "$context", NAME, COUNTER, number << 16)
            if number % 2:
                reader.insert(card)
            else:
                reader.eject()
            assert seen(client) == (number, w.PRESENT if number % 2 else w.EMPTY)


@pytest.mark.parametrize("cycles", CYCLES)
def test_events_faster_than_clients_are_all_counted(reader: Reader, env: Mapping[str, str], cycles: int) -> None:
    """Nobody waits for anybody: all clients, asleep or late, arrive at the same last number."""
    card = NullCard()
    # libpcsclite takes a counter of 0 for "not known": who has seen 0 is not told of a card that came and went.
    reader.insert(card)
    reader.eject()
    last = 2 + 2 * cycles
    with Puppet(env) as one, Puppet(env) as two:
        for client in (one, two):
            client.tell("wait_for", "$context", NAME, COUNTER, last << 16)
        for _ in range(cycles):
            reader.insert(card)
            reader.eject()
        assert seen(one) == seen(two) == (last, w.EMPTY)
