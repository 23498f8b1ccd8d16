"""What a test pays for a card's states: a snapshot, going back to it, a fork, a difference; beside one command.

The card is an ordinary one: two RSA keys of 2048 bits, each with its certificate. `python -m bench.snapshot` prints
only this.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from vsc.filling.keygen import SelfSigned, generate
from vsc.filling.name import subject_name
from vsc.testing import SoftCard
from vsc.testing.diff import diff

FLOOR = "one command: VERIFY, right PIN (floor)"
VERIFY = bytes.fromhex("00200080083132333435363738")
COUNT = 1000


def ordinary_card() -> SoftCard:
    """A card with two keys and their certificates."""
    card = SoftCard.make()
    host = card.gids()
    host.verify_pin(b"12345678")
    for name in ("CN=Ada Lovelace", "CN=Charles Babbage"):
        generate(host, 2048, certificate=SelfSigned(subject_name(name), datetime.now(UTC)))
    return card


def microseconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    for _ in range(COUNT):
        run()
    return (time.perf_counter() - started) / COUNT * 1e6


def measures() -> dict[str, Callable[[], float]]:
    """What to measure, each in microseconds; restore goes back and forth between two states."""
    card, used = ordinary_card(), ordinary_card()
    filled = card.snapshot()
    card.transmit(bytes.fromhex("00200080083030303030303030"))
    spent = card.snapshot()
    verifying = card.fork()

    def back_and_forth() -> None:
        card.restore(filled)
        card.restore(spent)

    return {
        FLOOR: partial(microseconds, partial(verifying.transmit, VERIFY)),
        "snapshot": partial(microseconds, card.snapshot),
        "restore, twice": partial(microseconds, back_and_forth),
        "fork": partial(microseconds, card.fork),
        "diff, one line": partial(microseconds, partial(diff, filled, spent)),
        "diff with another card": partial(microseconds, partial(diff, filled, used)),
    }


if __name__ == "__main__":
    from bench.__main__ import in_turns, show

    show("States of a card, two RSA keys with certificates", in_turns(measures()), FLOOR, "us")
