"""A GIDS card on a short lead: commands and answers as hexadecimal, keys made once for all tests."""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache

from card_os.admin import encrypt
from card_os.apps.gids.fcp import parse_file
from card_os.apps.gids.personalisation import blank, personalised
from card_os.apps.gids.state import GidsState, KeyFile, PrivateKey
from card_os.apps.gids.wire import AID
from card_os.card import Card, Outcome
from card_os.ec import CURVES, EcPrivateKey
from card_os.env import Env
from card_os.key_kind import KeyKind
from card_os.pin import PinPolicy
from card_os.rsa import RsaPrivateKey
from vsc.profiles import GIDS, Profile
from vsc.world import SeededEnv

PIN = b"12345678"
OTHER_PIN = b"87654321"
# The key of gids.md section 11, with three different parts.
ADMIN_KEY = bytes.fromhex("0123456789ABCDEF 23456789ABCDEF01 456789ABCDEF0123")
CARD_ID = bytes.fromhex("00112233445566778899AABBCCDDEEFF")

SELECT_GIDS = "00A4040009A0000003974254465900"
SELECT_DF = "00A4000C023FFF"
ACTIVATE = "00440000"
DELETE = "00E40000"
LOGOUT = "00200082"
MSE_ADMIN = "0022C1A403830180"
ASK_CHALLENGE = "00870000047C02810000"
GET_RESPONSE = "00C0000000"

RSA_1024, RSA_2048, P_256, P_384, P_521 = 0x6, 0x7, 0xC, 0xD, 0xE
EC_KINDS = {P_256: KeyKind.P256, P_384: KeyKind.P384, P_521: KeyKind.P521}


@cache
def rsa_key(bits: int, number: int = 0) -> RsaPrivateKey:
    """The same key in every run."""
    return SeededEnv(f"test key {bits} {number}").rsa_key(bits)


@cache
def ec_key(kind: KeyKind) -> EcPrivateKey:
    """The same key in every run."""
    return EcPrivateKey.generate(kind, SeededEnv(f"test key {CURVES[kind].key_size}").random_bytes)


class FixedEnv(SeededEnv):
    """Hands out the given random bytes first, then seeded ones; its RSA keys are made only once a test run."""

    def __init__(self, *randoms: str) -> None:
        super().__init__("fixed env")
        self._randoms = [bytes.fromhex(one) for one in randoms]
        self._keys_made = 0

    def random_bytes(self, count: int) -> bytes:
        if not self._randoms:
            return super().random_bytes(count)
        one = self._randoms.pop(0)
        assert len(one) == count
        return one

    def rsa_key(self, bits: int) -> RsaPrivateKey:
        self._keys_made += 1
        return rsa_key(bits, self._keys_made % 2)


class GidsCard:
    """A powered card and what tests do with it."""

    def __init__(self, state: GidsState, env: Env | None = None, profile: Profile = GIDS) -> None:
        self.card: Card = profile.card(profile.persistent(state), env or FixedEnv())

    @property
    def state(self) -> GidsState:
        state = self.card.persistent.state(AID)
        assert isinstance(state, GidsState)
        return state

    def exchange(self, command: str) -> Outcome:
        return self.card.exchange(bytes.fromhex(command))

    def send(self, command: str) -> str:
        """Sends one command; returns the answer, status word included, in upper-case hexadecimal."""
        return self.card.transmit(bytes.fromhex(command)).hex().upper()

    def sw(self, command: str) -> str:
        """Sends one command; returns the status word alone."""
        return self.send(command)[-4:]

    def run(self, *commands: str) -> None:
        """Sends commands that must all be answered 9000 or 61xx."""
        for command in commands:
            answer = self.sw(command)
            assert answer == "9000" or answer[:2] == "61", f"{command} was answered {answer}"

    def read(self, command: str) -> bytes:
        """Sends one command and fetches all of its answer, which must end in 9000."""
        answer = self.send(command)
        data = answer[:-4]
        while answer[-4:-2] == "61":
            answer = self.send(f"00C00000{answer[-2:]}")
            data += answer[:-4]
        assert answer[-4:] == "9000", f"{command} was answered {answer[-4:]}"
        return bytes.fromhex(data)

    def chain(self, header: str, data: bytes, size: int = 255) -> str:
        """Sends data in parts of `size` bytes; header: INS P1 P2. Every part but the last must give 9000."""
        for part in range(0, len(data) - size, size):
            piece = data[part : part + size]
            assert self.send(f"10{header}{len(piece):02X}{piece.hex()}") == "9000"
        rest = data[(len(data) - 1) // size * size :]
        return self.send(f"00{header}{len(rest):02X}{rest.hex()}")

    def login(self, pin: bytes = PIN) -> str:
        return self.send(f"00200080{len(pin):02X}{pin.hex()}")

    def admin_login(self, key: bytes = ADMIN_KEY) -> str:
        """The external form; returns the answer to the last command."""
        challenge = self.ask_challenge()
        return self.respond(encrypt(key, challenge)) if challenge else self.send(ASK_CHALLENGE)

    def ask_challenge(self) -> bytes:
        """Chooses the admin key and asks for a challenge; empty if the card gives none."""
        self.send(MSE_ADMIN)
        answer = bytes.fromhex(self.send(ASK_CHALLENGE))
        return answer[4:-2] if answer.endswith(b"\x90\x00") else b""

    def respond(self, response: bytes) -> str:
        size = len(response)
        return self.send(f"00870000{size + 4:02X}7C{size + 2:02X}82{size:02X}{response.hex()}00")

    def prove(self, who: str) -> None:
        """Makes the card trust nobody, user, admin or both."""
        if who in ("user", "both"):
            assert self.login() == "9000"
        if who in ("admin", "both"):
            assert self.admin_login() == "9000"

    @property
    def is_user(self) -> bool:
        """Whether the PIN is verified, by an empty VERIFY."""
        return self.send("00200080") == "9000"

    @property
    def is_admin(self) -> bool:
        """Whether the admin key is verified, by reading EF A014, which becomes the current EF."""
        return self.sw("00CBA014025C0000") == "9000"


def blank_card(env: Env | None = None, **settings: object) -> GidsCard:
    return GidsCard(blank(tries=3, **settings), env)  # type: ignore[arg-type]


def ready_state(
    *, policy: PinPolicy | None = None, puk: bytes | None = None, admin_try_limit: int | None = None, tries: int = 3
) -> GidsState:
    return personalised(
        pin=PIN,
        admin_key=ADMIN_KEY,
        card_id=CARD_ID,
        tries=tries,
        pin_policy=policy,
        puk=puk,
        admin_try_limit=admin_try_limit,
    )


def ready_card(env: Env | None = None, **settings: object) -> GidsCard:
    """A personalised card, PIN and admin key as above, three tries; settings as those of `ready_state`."""
    return GidsCard(ready_state(**settings), env)  # type: ignore[arg-type]


def crt(tag: str, algorithm: int, key_id: int = 0x81, *, usage: int = 0x40, more: str = "") -> str:
    """A control reference template as CREATE FILE carries it."""
    inner = f"8001{algorithm:02X}8301{key_id:02X}9501{usage:02X}{more}"
    return f"{tag}{len(inner) // 2:02X}{inner}"


def key_fcp(crts: Iterable[str], efid: int = 0xB081, *, rule: str = "8F10101000") -> str:
    """The template 62 of a key file."""
    joined = "".join(crts)
    inner = f"8201188302{efid:04X}8C{len(rule) // 2:02X}{rule}A5{len(joined) // 2:02X}{joined}"
    return f"62{len(inner) // 2:02X}{inner}"


def exchange_crts(number: int, key_id: int = 0x81) -> list[str]:
    """What OpenSC and Windows ask for when a key shall decipher and sign (gids.md 6.2)."""
    uses = [("B8", 0x00), ("B8", 0x80), ("B8", 0x40), ("B6", 0x10), ("B6", 0x50)]
    return [crt(tag, padding | number, key_id) for tag, padding in uses]


def ec_crts(number: int) -> list[str]:
    """One elliptic curve key for signing, agreeing and authenticating."""
    return [crt("B6", 0x10 | number), crt("B8", number), crt("A4", number)]


def create(fcp: str) -> str:
    """CREATE FILE."""
    return f"00E00000{len(fcp) // 2:02X}{fcp}"


def key_file(fcp: str, key: PrivateKey | None) -> KeyFile:
    """An active key file as an operational card has it."""
    file = parse_file(bytes.fromhex(fcp), born_operational=True)
    assert isinstance(file, KeyFile)
    return replace(file, is_active=True, key=key)


def card_with_rsa(bits: int = 1024, env: Env | None = None) -> GidsCard:
    """A personalised card with an exchange key in container 0."""
    number = {1024: 6, 2048: 7, 3072: 8, 4096: 9}[bits]
    return GidsCard(ready_state().with_file(key_file(key_fcp(exchange_crts(number)), rsa_key(bits))), env)


def card_with_ec(number: int = P_256) -> GidsCard:
    """A personalised card with an elliptic curve key in container 0."""
    return GidsCard(ready_state().with_file(key_file(key_fcp(ec_crts(number)), ec_key(EC_KINDS[number]))))


def mse(crt_tag: str, algorithm: int, key_id: int = 0x81) -> str:
    """MANAGE SECURITY ENVIRONMENT as hosts send it for signing and deciphering."""
    return f"002241{crt_tag}068001{algorithm:02X}8401{key_id:02X}"


def put(efid: int, tag: int, value: bytes) -> str:
    """PUT DATA of one object with a short value."""
    assert len(value) < 0x80
    return f"00DB{efid:04X}{len(value) + 3:02X}{tag:04X}{len(value):02X}{value.hex()}"


def get(efid: int, tag: int) -> str:
    """GET DATA of one object with a two-byte tag."""
    return f"00CB{efid:04X}045C02{tag:04X}00"
