"""A PIV card in memory for tests: commands and answers in hexadecimal, and the steps that most tests begin with."""

from dataclasses import replace
from functools import cache

from card_os import key as keys
from card_os.apps.piv import Piv, PivState, Rules, Yubico
from card_os.apps.piv.personalisation import personalised
from card_os.apps.piv.rules import NIST_KINDS, SLOTS
from card_os.apps.piv.state import DEFAULT_ADMIN_KEY, Origin, Slot
from card_os.apps.piv.wire import PinPolicy, TouchPolicy
from card_os.atr import Atr, Interface
from card_os.card import Card
from card_os.env import Env
from card_os.key import PrivateKey
from card_os.key_kind import KeyKind
from card_os.memory import Persistent
from card_os.symmetric import SymmetricKey
from card_os.tlv import Tlv
from vsc.testing.quick import QuickEnv

GUID = bytes(range(0x10, 0x20))
PIN, PUK = "313233343536FFFF", "3132333435363738"
NEW_PIN, NEW_PUK = "363534333231FFFF", "3837363534333231"
ADMIN = SymmetricKey.of(KeyKind.TDES, DEFAULT_ADMIN_KEY)

STRICT = Rules()
YUBIKEY = Rules(
    short_aid=True,
    kinds=NIST_KINDS | {KeyKind.RSA_1024, KeyKind.RSA_4096, KeyKind.ED25519, KeyKind.X25519},
    agreeing=frozenset(SLOTS),
    other_objects=range(0x5F0000, 0x600000),
    counts_malformed_pins=True,
    digits_only=False,
    blocked_status=0x6983,
    no_key=0x6A80,
    yubico=Yubico((5, 7, 1)),
)


@cache
def key_of(kind: KeyKind, number: int = 0) -> PrivateKey:
    """The same key in every run."""
    env = QuickEnv(number)
    return keys.generate(kind, env.random_bytes, env.rsa_key)


def slot_of(
    reference: int,
    kind: KeyKind = KeyKind.P256,
    pin_policy: PinPolicy = PinPolicy.ONCE,
    touch_policy: TouchPolicy = TouchPolicy.NEVER,
    origin: Origin = Origin.GENERATED,
) -> Slot:
    return Slot(reference, key_of(kind), origin, pin_policy, touch_policy)


def new_state(*slots: Slot, guid: bytes | None = GUID) -> PivState:
    state = personalised(guid=guid, serial=0x00112233)
    for slot in slots:
        state = state.with_slot(slot)
    return state


class PivCard:
    """A card with one application. state: by default a personalised one without keys."""

    def __init__(self, state: PivState | None = None, rules: Rules = STRICT, env: Env | None = None) -> None:
        self.application = Piv(rules)
        persistent = Persistent(((self.application.aid, state or new_state()),))
        self.card = Card(
            [self.application], persistent, env or QuickEnv(7), atr=Atr((Interface(), Interface(protocol=1)))
        )

    @property
    def state(self) -> PivState:
        found = self.card.persistent.state(self.application.aid)
        assert isinstance(found, PivState)
        return found

    def run(self, command: str) -> str:
        """One command; the answer with its status word."""
        return self.card.transmit(bytes.fromhex(command)).hex().upper()

    def send(self, header: str, data: bytes | str = b"") -> str:
        """A command with any data, in the extended form; the whole answer."""
        raw = bytes.fromhex(data) if isinstance(data, str) else data
        body = b"\x00" + len(raw).to_bytes(2, "big") + raw + b"\x00\x00" if raw else b"\x00\x00\x00"
        return self.card.transmit(bytes.fromhex(header) + body).hex().upper()

    def read(self, header: str, data: bytes | str = b"") -> bytes:
        """The data of an answer that must be 9000."""
        answer = self.send(header, data)
        assert answer[-4:] == "9000", answer
        return bytes.fromhex(answer[:-4])

    def verify(self, pin: str = PIN) -> str:
        return self.run("0020008008" + pin)

    def tries(self) -> tuple[int, int]:
        return self.state.pin.tries_left, self.state.puk.tries_left

    def administer(self, key: SymmetricKey = ADMIN) -> None:
        """Mutual authentication as clients do it; AssertionError where it fails."""
        witness = self.read("0087009B", template("8000"))[4:]
        host = bytes(range(key.block_bytes))
        proof = Tlv(0x80, key.decrypt_block(witness)), Tlv(0x81, host)
        answer = self.read("0087009B", template(b"".join(map(bytes, proof))))
        assert answer == template(bytes(Tlv(0x82, key.encrypt_block(host))))

    def authenticate(self, algorithm: int, reference: int, inner: bytes | str) -> str:
        return self.send(f"0087{algorithm:02X}{reference:02X}", template(inner))

    def put(self, tag: str, value: bytes | str) -> str:
        raw = bytes.fromhex(value) if isinstance(value, str) else value
        return self.send("00DB3FFF", bytes(Tlv(0x5C, bytes.fromhex(tag))) + bytes(Tlv(0x53, raw)))

    def get(self, tag: str) -> str:
        return self.send("00CB3FFF", bytes(Tlv(0x5C, bytes.fromhex(tag))))


def template(inner: bytes | str) -> bytes:
    return bytes(Tlv(0x7C, bytes.fromhex(inner) if isinstance(inner, str) else inner))


def admin_card(state: PivState | None = None, rules: Rules = STRICT) -> PivCard:
    """A card whose management key has been authenticated."""
    card = PivCard(state, rules)
    card.administer(card.state.admin.key)
    return card


def contactless(rules: Rules = STRICT) -> Rules:
    return replace(rules, is_contactless=True)
