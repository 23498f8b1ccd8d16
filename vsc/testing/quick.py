"""A seeded world in which keys cost nothing, for tests that make thousands of cards."""

from functools import cache

from card_os.rsa import RsaPrivateKey
from vsc.world import SeededEnv


@cache
def _one_key(bits: int) -> RsaPrivateKey:
    return SeededEnv("quick").rsa_key(bits)


class QuickEnv(SeededEnv):
    """Seeded bytes, and always the same RSA key of each size: making one takes up to seconds."""

    def rsa_key(self, bits: int) -> RsaPrivateKey:
        return _one_key(bits)
