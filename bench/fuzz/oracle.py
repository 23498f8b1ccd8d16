"""What must hold for every answer, whatever was sent. A `Finding` is a bug of the card, or of the oracle."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.fuzz.start import Start
from card_os.access import Right
from card_os.admin import CRYPTOGRAM_BYTES, AdminKey, Challenge, decrypt, encrypt
from card_os.apdu import CommandApdu
from card_os.card import Outcome
from card_os.channel import Channel
from card_os.memory import Persistent
from card_os.pin import Pin
from card_os.sw import CardError, meaning
from vsc.testing.card import SoftCard
from vsc.testing.counters import counters, without_counters
from vsc.testing.quick import QuickEnv

_DONE = frozenset({0x90, 0x61, 0x62})
_PIN_COMMANDS = frozenset({0x20, 0x24, 0x2C})
_GENERAL_AUTHENTICATE, _PUT_DATA, _PUT_KEY = 0x87, 0xDB, b"\xdb\x3f\xff"
_SHORTEST_SECRET = 6
"""Shorter PINs turn up in an answer by chance."""


class Finding(AssertionError):
    """An answer that must not be. rule: which oracle says so."""

    def __init__(self, rule: str, what: str) -> None:
        super().__init__(f"{rule}: {what}")
        self.rule = rule


@dataclass(slots=True)
class Secrets:
    """What a card must never say, by application: PINs and admin keys as they are now."""

    pins: list[bytes]
    keys: list[bytes]

    @classmethod
    def of(cls, persistent: Persistent) -> "Secrets":
        found = cls([], [])
        for _, state in persistent.applications:
            found._add(state)
        return found

    def _add(self, value: Any) -> None:
        if isinstance(value, Pin):
            if value.value is not None:
                self.pins.append(value.value.reveal())
        elif isinstance(value, AdminKey):
            self.keys.append(value.value.reveal())
        elif isinstance(value, tuple):
            for one in value:
                self._add(one)
        elif hasattr(value, "__dataclass_fields__"):
            for name in value.__dataclass_fields__:
                self._add(getattr(value, name))


class WatchedCard(SoftCard):
    """A card of which every answer is judged.

    sent: all that went in, None for a reset. wire: what carries a host's commands; None: they come as they are.
    """

    def __init__(self, start: Start, seed: str) -> None:
        super().__init__(start.profile, start.persistent, QuickEnv(seed))
        self.start, self.seed = start, seed
        self.sent: list[bytes | None] = []
        self.wire: Callable[[bytes], bytes] | None = None
        self._secrets = Secrets.of(start.persistent)

    def reset(self) -> bytes:
        self.sent.append(None)
        return self.card.reset()

    def power_on(self) -> bytes:
        return self.reset()

    def power_off(self) -> None:
        self.reset()

    def transmit(self, command: bytes) -> bytes:
        return bytes(self.judge(command).response) if self.wire is None else self.wire(command)

    def judge(self, command: bytes) -> Outcome:
        """Sends one command; Finding if anything about what happens is wrong."""
        self.sent.append(command)
        before, rights = self.card.persistent, _rights(self.card)
        channel = _channel(self.card, command)
        chain = channel.link.chain.data if channel and channel.link.chain else b""
        challenge = getattr(channel.volatile, "challenge", None) if channel else None
        try:
            outcome = self.card.exchange(command)
        except Exception as error:
            raise Finding("no exception", f"{type(error).__name__}: {error}") from error
        self._judge_answer(command, outcome)
        is_done = outcome.response.sw >> 8 in _DONE
        proof = Proof(self._secrets, command, (_data(command), chain + _data(command)), challenge)
        if self.card.persistent is not before:
            self._judge_change(before, is_done, proof, rights)
        _judge_rights(rights, _rights(self.card), channel, proof, self.card)
        if self.card.persistent is not before:
            self._secrets = Secrets.of(self.card.persistent)
        return outcome

    def _judge_answer(self, command: bytes, outcome: Outcome) -> None:
        sw, data = outcome.response.sw, outcome.response.data
        if sw == 0x6F00 or sw >> 8 not in (0x90, *range(0x61, 0x70)) or meaning(sw) == "unknown status word":
            raise Finding("lawful status words", f"{sw:04X}")
        if data and sw >> 8 not in (*_DONE, 0x63):
            raise Finding("no data with an error", f"{len(data)} bytes with {sw:04X}")
        if data and len(data) > CommandApdu.parse(command).effective_ne:
            raise Finding("no more data than asked for", f"{len(data)} bytes")
        if sw >> 8 not in _DONE and (outcome.reason is None or not str(outcome.reason)):
            raise Finding("a reason for every refusal", f"{sw:04X} has none")
        if data:
            self._judge_secrecy(data)

    def _judge_secrecy(self, data: bytes) -> None:
        for secret in (*self._secrets.pins, *self._secrets.keys):
            if len(secret) >= _SHORTEST_SECRET and secret in data and not self._was_told(secret):
                raise Finding("no secret in an answer", f"{len(secret)} bytes of a PIN or key")

    def _was_told(self, secret: bytes) -> bool:
        """Whether the secret is on the card as data, too: somebody wrote it there."""
        told = b"".join(
            command[5:] + b"|" + command[7:] + b"|"
            for command in self.sent
            if command and command[1] not in _PIN_COMMANDS and command[1:4] != _PUT_KEY
        )
        if secret in told:
            return True
        kept = b"".join(one.encode(self.start.persistent.state(one.aid)) for one in self.start.profile.applications)
        return kept.count(secret) > 1

    def _judge_change(self, before: Persistent, is_done: bool, proof: "Proof", rights: dict[int, Right]) -> None:
        now = self.card.persistent
        if not is_done and without_counters(now) != without_counters(before):
            raise Finding("refused means unchanged", "the state has changed, and not only a retry counter")
        for left, limit in counters(now):
            if not 0 <= left <= (255 if limit is None else limit):
                raise Finding("tries in range", f"{left} of {limit}")
        for one in self.profile.applications:
            state = now.state(one.aid)
            if one.decode(one.encode(state)) != state:
                raise Finding("a state is read as it was written", one.name)
        old, new = counters(before), counters(now)
        if len(old) == len(new) and any(b > a for (a, _), (b, _) in zip(old, new, strict=True)):
            # Before a card is operational its secrets are set, not proved.
            is_open = any(not getattr(state, "is_operational", True) for _, state in before.applications)
            is_admin = any(right & Right.EXTERNAL for right in rights.values())
            if not (is_open or is_admin or proof.is_right or self._renews(proof.command)):
                raise Finding("a try comes back only by the right secret", f"{old} became {new}")

    def _renews(self, command: bytes) -> bool:
        """Whether a row says that this command gives tries back and asks for no secret."""
        rows = (one.table.find(command[1], int.from_bytes(command[2:4], "big")) for one in self.profile.applications)
        return any(row is not None and row.renews for row in rows)


@dataclass(slots=True)
class Proof:
    """What a command says to prove something. data: its own, and with what the open chain held before it.

    challenge: the one that was open before.
    """

    secrets: Secrets
    command: bytes
    data: tuple[bytes, bytes]
    challenge: Challenge | None

    @property
    def ins(self) -> int:
        return self.command[1] if len(self.command) > 1 else 0

    @property
    def of_pin(self) -> bool:
        return self.ins in _PIN_COMMANDS and any(
            data.startswith(pin) for data in self.data for pin in self.secrets.pins
        )

    @property
    def of_key(self) -> bool:
        if self.ins != _GENERAL_AUTHENTICATE or self.challenge is None:
            return False
        return any(_answers(self.challenge, key, data) for data in self.data for key in self.secrets.keys)

    @property
    def is_right(self) -> bool:
        return self.of_pin or self.of_key


def _answers(challenge: Challenge, key: bytes, data: bytes) -> bool:
    """Whether data end with the right response to a challenge."""
    if not challenge.is_mutual:
        return data.endswith(encrypt(key, challenge.card))
    cryptogram = data[-CRYPTOGRAM_BYTES:]
    is_whole = len(cryptogram) == CRYPTOGRAM_BYTES
    return is_whole and decrypt(key, cryptogram)[:32] == challenge.card + challenge.host


def _data(command: bytes) -> bytes:
    try:
        return CommandApdu.parse(command).data
    except CardError:
        return b""


def _channel(card: Any, command: bytes) -> Channel | None:
    """The logical channel that a command is for, as it is before the command."""
    cla = command[0] if command else 0xFF
    number = cla & 0x03 if cla < 0x20 else 4 + (cla & 0x0F) if 0x40 <= cla < 0x80 else None
    found: Channel | None = card._volatile.channels.get(number)
    return found


def _rights(card: Any) -> dict[int, Right]:
    """What has been proved on each channel. Looks inside: a question by APDU would change what is asked for."""
    channels = card._volatile.channels.items()
    return {number: getattr(channel.volatile, "granted", Right.NONE) for number, channel in channels}


def _judge_rights(
    before: dict[int, Right], now: dict[int, Right], channel: Channel | None, proof: Proof, card: Any
) -> None:
    if before == now:
        return
    for number, right in now.items():
        gained = right & ~before.get(number, Right.NONE)
        if not gained:
            continue
        here = card._volatile.channels[number] is channel
        if Right.USER in gained and not (here and proof.of_pin):
            raise Finding(
                "no right without its proof", f"the PIN is verified on channel {number} after {proof.ins:02X}"
            )
        if Right.EXTERNAL in gained and not (here and proof.of_key):
            raise Finding("no right without its proof", f"the admin key is proved on channel {number}")
