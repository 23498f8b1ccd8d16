"""The world as the card sees it: everything that is not in its state or in the command.

`card_os` never asks a clock, a random generator or a key generator of its own. `vsc.world` has the two that exist:
the system's secure randomness, and a seeded one that makes a run reproducible byte for byte.
"""

from typing import Protocol

from card_os.rsa import RsaPrivateKey


class Env(Protocol):
    """What a card needs from outside."""

    def random_bytes(self, count: int) -> bytes:
        """Returns `count` bytes nobody can guess (or, where that was asked for, seeded ones)."""
        ...

    def rsa_key(self, bits: int) -> RsaPrivateKey:
        """Returns a new RSA key with a modulus of exactly `bits` bits and public exponent 65537."""
        ...
