"""An OpenPGP card in memory for tests: commands and answers in hexadecimal, and the steps that most begin with."""

from dataclasses import replace

from card_os import key as keys
from card_os.apps.openpgp import OpenPgp, OpenPgpState, Rules, Yubico
from card_os.apps.openpgp.algorithm import attributes
from card_os.apps.openpgp.personalisation import factory_state
from card_os.apps.openpgp.state import StoredKey
from card_os.apps.openpgp.wire import Key, Origin
from card_os.atr import Atr, Interface
from card_os.card import Card
from card_os.command import TRIES_LEFT
from card_os.env import Env
from card_os.key_kind import KeyKind
from card_os.memory import Persistent
from vsc.testing.quick import QuickEnv

PIN, ADMIN, CODE = "313233343536", "3132333435363738", "3837363534333231"
NEW_PIN = "363534333231"
STRICT = Rules()
TELLING = Rules(wrong_password=TRIES_LEFT)
YUBIKEY = Rules(yubico=Yubico((5, 7, 1)), manufacturer=0x0006)
VERIFY_SIGNING, VERIFY_USER = "0020008106" + PIN, "0020008206" + PIN
VERIFY_ADMIN = "0020008308" + ADMIN


def with_key(state: OpenPgpState, key: Key, kind: KeyKind, number: int = 0) -> OpenPgpState:
    """The same key in every run, and the attributes that go with it."""
    env = QuickEnv(number)
    made = keys.generate(kind, env.random_bytes, env.rsa_key)
    slot = state.slot(key)
    assert slot is not None
    stored = StoredKey(made, Origin.GENERATED)
    return state.with_slot(replace(slot, attributes=attributes(kind, key), stored=stored))


def card_with(*kinds: KeyKind, rules: Rules = STRICT) -> "OpenPgpCard":
    """A card with keys SIG, DEC, AUT of these kinds."""
    state = factory_state(rules, 0x42)
    for key, kind in zip(Key, kinds, strict=False):
        state = with_key(state, key, kind)
    return OpenPgpCard(state, rules)


class OpenPgpCard:
    """A card with one application. state: by default that of a new card with the serial number 42."""

    def __init__(self, state: OpenPgpState | None = None, rules: Rules = STRICT, env: Env | None = None) -> None:
        self.application = OpenPgp(rules)
        persistent = Persistent(((self.application.aid, state or factory_state(rules, 0x42)),))
        atr = Atr((Interface(), Interface(protocol=1)))
        self.card = Card([self.application], persistent, env or QuickEnv(7), atr=atr)

    @property
    def state(self) -> OpenPgpState:
        found = self.card.persistent.state(self.application.aid)
        assert isinstance(found, OpenPgpState)
        return found

    @property
    def tries(self) -> tuple[int, int, int]:
        return self.state.pin.tries_left, self.state.resetting_code.tries_left, self.state.admin.tries_left

    def run(self, *commands: str) -> str:
        """Commands one after another; the last answer with its status word."""
        answer = b""
        for command in commands:
            answer = self.card.transmit(bytes.fromhex(command))
        return answer.hex().upper()

    def send(self, header: str, data: bytes | str = b"") -> str:
        """A command with any data, in the extended form; the whole answer."""
        raw = bytes.fromhex(data) if isinstance(data, str) else data
        body = b"\x00" + len(raw).to_bytes(2, "big") + raw + b"\x00\x00" if raw else b"\x00\x00\x00"
        return self.card.transmit(bytes.fromhex(header) + body).hex().upper()

    def get(self, tag: str) -> str:
        return self.send(f"00CA{tag:0>4}")

    def put(self, tag: str, value: bytes | str = b"") -> str:
        return self.send(f"00DA{tag:0>4}", value)

    def read(self, header: str, data: bytes | str = b"") -> bytes:
        """The data of an answer that must be 9000."""
        answer = self.send(header, data)
        assert answer[-4:] == "9000", answer
        return bytes.fromhex(answer[:-4])


def admin_card(state: OpenPgpState | None = None, rules: Rules = STRICT) -> OpenPgpCard:
    """A card whose admin PIN is verified."""
    card = OpenPgpCard(state, rules)
    assert card.run(VERIFY_ADMIN) == "9000"
    return card
