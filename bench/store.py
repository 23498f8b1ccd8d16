"""What it costs that a card's changes last: right PINs a second, two commits each, on one store after the other.

The floor is what version 0.1 did, and all that a file system asks for: a new file, synced, renamed over the old one,
the folder synced. All of them write the same images to the same disk, in turns.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from bench.attached import gids_card
from card_os.card import Card
from card_os.memory import Persistent
from vsc.factory import DEFAULT_PIN, powered
from vsc.profiles import GIDS
from vsc.store import Image, Store
from vsc.store.database import Durability
from vsc.store.folder import sync_folder
from vsc.store.memory import MemoryStore
from vsc.store.sqlite import SqliteStore
from vsc.world import SystemEnv

FLOOR = "a file: fsync, rename, fsync (floor)"
VERIFY = bytes([0x00, 0x20, 0x00, 0x80, len(DEFAULT_PIN)]) + DEFAULT_PIN
VERIFIES = 200
ROUNDS = 7


def per_second(card: Card) -> float:
    started = time.perf_counter()
    for _ in range(VERIFIES):
        if card.transmit(VERIFY) != b"\x90\x00":
            raise SystemExit("bench: the PIN is not taken")
    return VERIFIES / (time.perf_counter() - started)


@contextmanager
def measures() -> Iterator[dict[str, Callable[[], float]]]:
    """What to measure; the stores are in a folder here, because /tmp may be in memory."""
    image = Image("work", GIDS, gids_card().persistent)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=".bench-", dir=Path.cwd())))
        stores: dict[str, Store] = {
            "power-loss (the default)": SqliteStore(folder / "power-loss"),
            "power-loss, encrypted": SqliteStore(folder / "encrypted", passphrase=b"open sesame"),
            "process": SqliteStore(folder / "process", durability=Durability.PROCESS),
            "memory": MemoryStore(),
        }
        cards = {FLOOR: GIDS.card(image.persistent, SystemEnv(), store=partial(_replace, folder / "card", image))}
        for name, store in stores.items():
            store.create(image)
            cards[name] = stack.enter_context(powered("work", store=store))
        yield {name: partial(per_second, card) for name, card in cards.items()}


def _replace(path: Path, image: Image, persistent: Persistent) -> None:
    new = path.with_suffix(".new")
    with new.open("wb") as file:
        file.write(bytes(image.with_persistent(persistent)))
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    sync_folder(path.parent)
