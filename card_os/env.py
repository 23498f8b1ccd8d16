"""The world as the card sees it: everything that is not in its state or in the command.

`card_os` never asks a clock, a random generator or a key generator of its own. `vsc.world` has the two that exist:
the system's secure randomness, and a seeded one that makes a run reproducible byte for byte.
"""

from typing import Protocol

from card_os.key import PrivateKey
from card_os.key_kind import KeyKind


class Env(Protocol):
    """What a card needs from outside."""

    def random_bytes(self, count: int) -> bytes:
        """Returns `count` bytes nobody can guess (or, where that was asked for, seeded ones)."""
        ...

    def key(self, kind: KeyKind) -> PrivateKey:
        """Returns a new private key; RSA keys have public exponent 65537. ValueError for a symmetric kind."""
        ...

    def touched(self, within_s: float = 0.0) -> bool:
        """Waits for somebody to touch the card; False if nobody does in time.

        within_s: a touch at most so many seconds ago, with which a command was allowed, is enough.
        """
        ...
