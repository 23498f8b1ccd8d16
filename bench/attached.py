"""A card behind our bridge, for the bench: `python -m bench.attached null|gids PORT`. Ends with SIGTERM."""

import sys

from bench.null_card import NullCard
from card_os.apps.gids.personalisation import personalised
from card_os.card import Card
from vpcd_bridge import Bridge, EventKind, Stop
from vsc.factory import DEFAULT_ADMIN_KEY, DEFAULT_PIN
from vsc.profiles import GIDS
from vsc.world import SystemEnv


def gids_card() -> Card:
    """A personalised card in memory."""
    state = personalised(pin=DEFAULT_PIN, admin_key=DEFAULT_ADMIN_KEY, card_id=bytes(16), tries=5)
    return GIDS.card(GIDS.persistent(state), SystemEnv())


if __name__ == "__main__":
    card = NullCard() if sys.argv[1] == "null" else gids_card()
    with Stop() as stop:

        def tell(kind: EventKind) -> None:
            if kind == EventKind.READY:
                print("ready", flush=True)

        Bridge(card, ("127.0.0.1", int(sys.argv[2])), on_event=lambda event: tell(event.kind)).run(stop)
