"""A mixed load on a card: wrong and right PINs, PIN changes and resets, new keys, certificates, new admin keys.

What is sent follows from the card's state and a seed alone, so whoever starts from the same image sends the same, gets
the same, and makes the same card. `python -m tests.unit.vsc.load HOME DURABILITY SEED PASSPHRASE` runs it on the card
`work` and tells each step on stdout: `>` before a command, `< <answer>` after it.
"""

import random
import sys
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from card_os.admin import AdminKey, encrypt, key_check_value
from card_os.apps.gids.state import GidsState
from card_os.card import Card
from card_os.memory import Persistent
from card_os.rsa import RsaPrivateKey
from tests.unit.card_os.apps.gids.gids_card import P_256, RSA_1024, ec_crts, exchange_crts, key_fcp, key_file
from tests.unit.vsc import samples
from tests.unit.vsc.samples import gids_state
from vsc.factory import powered
from vsc.store import Image
from vsc.store.database import Durability
from vsc.store.sqlite import SqliteStore
from vsc.world import SeededEnv

TRIES = 5
LOW_COST = 16

Commands = Generator[bytes, bytes, None]
"""Gives commands, takes their answers."""


class LoadEnv(SeededEnv):
    """Seeded; RSA keys are one of two, because making one takes long."""

    def rsa_key(self, bits: int) -> RsaPrivateKey:
        return _rsa_key(bits, self.random_bytes(1)[0] & 1)


@cache
def _rsa_key(bits: int, number: int) -> RsaPrivateKey:
    return SeededEnv(f"load {number}").rsa_key(bits)


def image(name: str = "work") -> Image:
    """The card that the load starts with: empty key files for an RSA key and a curve key, and no certificate."""
    state = samples.state(tries=TRIES, admin_tries=10)
    state = state.with_file(key_file(key_fcp(exchange_crts(RSA_1024, 0x81), 0xB081), None))
    state = state.with_file(key_file(key_fcp(ec_crts(P_256), 0xB082), None))
    return samples.image(name, state)


@dataclass(frozen=True, slots=True)
class Step:
    """A command, its answer, and the states that it committed, in order."""

    command: bytes
    answer: bytes
    commits: tuple[Persistent, ...]


@dataclass
class Load:
    """The commands for one card. tell: called before each (with nothing) and after each (with the answer)."""

    card: Card
    seed: int | str
    tell: Callable[[bytes | None], None] = lambda answer: None
    sent: bytes = b""
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(f"load {self.seed}")

    def run(self) -> Iterator[bytes]:
        """Sends without end; gives each answer. `sent` is the command."""
        yield from self._exchange(_apdus("00A4040009A0000003974254465900"))
        while True:  # Whoever takes them knows how many.
            yield from self._exchange(self.chance.choice(_ACTIONS)(self))

    def _exchange(self, commands: Commands) -> Iterator[bytes]:
        answer: bytes | None = None
        while True:  # Until there is no command left.
            try:
                self.sent = commands.send(answer) if answer is not None else next(commands)
            except StopIteration:
                return
            self.tell(None)
            answer = self.card.transmit(self.sent)
            self.tell(answer)
            yield answer

    @property
    def state(self) -> GidsState:
        return gids_state(samples.image().with_persistent(self.card.persistent))

    @property
    def pin(self) -> bytes:
        assert self.state.pin.value is not None
        return self.state.pin.value.reveal()

    @property
    def admin_key(self) -> bytes:
        file = self.state.key_file(0x80)
        assert file is not None
        assert isinstance(file.key, AdminKey)
        return file.key.value.reveal()

    def digits(self) -> bytes:
        return "".join(self.chance.choices("0123456789", k=8)).encode()

    def wrong_pin(self) -> Commands:
        if self.state.pin.tries_left > 1:
            yield _apdu("00200080", b"wrong pin")

    def right_pin(self) -> Commands:
        yield _apdu("00200080", self.pin)

    def new_pin(self) -> Commands:
        yield _apdu("00240080", self.pin + self.digits())

    def new_pin_with_a_wrong_one(self) -> Commands:
        if self.state.pin.tries_left > 1:
            yield _apdu("00240080", b"12344321" + self.digits())

    def new_key(self) -> Commands:
        yield from self.right_pin()
        number, key_id = self.chance.choice([(RSA_1024, 0x81), (P_256, 0x82)])
        yield bytes.fromhex(f"0047000008AC068001{number:02X}8301{key_id:02X}")

    def certificate(self) -> Commands:
        """In several parts: only the last one changes anything."""
        yield from self.right_pin()
        value = self.chance.randbytes(self.chance.randint(1, 900))
        data = bytes.fromhex(f"DF24 82{len(value):04X}") + value
        parts = [data[at : at + 250] for at in range(0, len(data), 250)]
        for part in parts[:-1]:
            yield _apdu("10DBA010", part)
        yield _apdu("00DBA010", parts[-1])

    def _prove_admin(self, key: bytes) -> Commands:
        yield bytes.fromhex("0022C1A403830180")
        challenge = yield bytes.fromhex("00870000047C02810000")
        response = encrypt(key, challenge[4:12])
        yield _apdu("00870000", b"\x7c\x0a\x82\x08" + response)

    def wrong_admin(self) -> Commands:
        file = self.state.key_file(0x80)
        if file is not None and isinstance(file.key, AdminKey) and file.key.tries_left > 1:
            yield from self._prove_admin(bytes(24))

    def new_admin_key(self) -> Commands:
        yield from self._prove_admin(self.admin_key)
        new = self.chance.randbytes(24)
        template = bytes.fromhex("7024 840180 A51F 8718") + new + b"\x88\x03" + key_check_value(new)
        yield _apdu("00DB3FFF", template)

    def reset_pin(self) -> Commands:
        yield from self._prove_admin(self.admin_key)
        yield _apdu("002C0280", self.digits())


_ACTIONS: tuple[Callable[[Load], Commands], ...] = (
    Load.wrong_pin,
    Load.wrong_pin,
    Load.right_pin,
    Load.new_pin,
    Load.new_pin_with_a_wrong_one,
    Load.new_key,
    Load.certificate,
    Load.wrong_admin,
    Load.new_admin_key,
    Load.reset_pin,
)


def _apdu(header: str, data: bytes) -> bytes:
    return bytes.fromhex(header) + bytes([len(data)]) + data


def _apdus(*commands: str) -> Commands:
    for command in commands:
        yield bytes.fromhex(command)


def expected(start: Image, seed: int | str) -> Iterator[Step]:
    """What the load does to a card that starts as `start`, worked out in memory."""
    commits: list[Persistent] = []
    load = Load(start.profile.card(start.persistent, LoadEnv(seed), store=commits.append), seed)
    for answer in load.run():
        yield Step(load.sent, answer, tuple(commits))
        commits.clear()


def _main(home: str, durability: str, seed: str, passphrase: str) -> None:
    store = SqliteStore(
        Path(home), durability=Durability(durability), passphrase=passphrase.encode() or None, scrypt_cost=LOW_COST
    )

    def tell(answer: bytes | None) -> None:
        sys.stdout.write(">\n" if answer is None else f"< {answer.hex()}\n")
        sys.stdout.flush()

    with powered("work", store=store, env=LoadEnv(seed)) as card:
        for _ in Load(card, seed, tell).run():
            pass


if __name__ == "__main__":
    _main(*sys.argv[1:])
