"""Any bytes into `Card.transmit`: an answer comes, a lawful one, and nobody changes a card without the right to.

Random bytes seldom get past the first check, so most commands are built from the command table, with data fields that
are nearly right, and some are quite right: together they make whole dialogues.
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_os.access import AccessRule
from card_os.admin import AdminKey, encrypt
from card_os.apdu import CommandApdu
from card_os.apps.gids.personalisation import blank, personalised
from card_os.apps.gids.state import GidsState, KeyFile, KeyUse, LifeCycle
from card_os.apps.gids.wire import AID, Crt, Ins
from card_os.card import Card
from card_os.ec import EcPrivateKey
from card_os.key_kind import KeyKind
from card_os.memory import Persistent
from card_os.sw import CardError, meaning
from card_os.tlv import Tlv
from tests.property.strategies import commands, damaged
from vsc.profiles import GIDS
from vsc.testing.quick import QuickEnv
from vsc.testing.strategies import apdus

# Nobody draws these by chance, and no constant of the source is one.
PIN = hashlib.sha256(b"PIN").hexdigest()[:12].encode()
PUK = hashlib.sha256(b"PUK").hexdigest()[:12].encode()
ADMIN_KEY = hashlib.sha256(b"admin key").digest()[:24]

FREE_USE = AccessRule.parse(bytes.fromhex("8F10001000"))
"""Of a key: everybody may use it and read its public half; generating and importing want the PIN."""


# --- commands that are nearly right ----------------------------------------------------------------------------------

CLA = st.sampled_from([0x00] * 16 + [0x10, 0x10, 0x01, 0x11, 0x0C, 0x40, 0x80])


@st.composite
def near_valid(draw: st.DrawFn) -> bytes:
    """A command of the table, in any class."""
    raw = draw(apdus(kind="well-formed"))
    return bytes([draw(CLA)]) + raw[1:]


DIALOGUES = [
    [bytes.fromhex(command) for command in dialogue]
    for dialogue in (
        # a new card: PIN, data file, admin key, activation
        (
            "00240180 08 3132333435363738",
            "00E00000 0E 620C 820139 8302A010 8C03033000",
            "00440000",
            "00E00000 19 6217 820118 8302B080 8C04870020FF A508 A406 800102 9501C0",
            "00DB3FFF 26 7024 840180 A51F 8718 000102030405060708090A0B0C0D0E0F1011121314151617 8803 B073DC",
            "00440000",
            "00A40400 09 A00000039742544659 00",
            "00440000",
            "00200080 08 3132333435363738",
        ),
        # an RSA key: made, read, used
        (
            "00E00000 1D 621B 820118 8302B083 8C058F00000000 A50B B609 800156 830183 950140",
            "00440000",
            "00470000 08 AC06 800106 830183 00",
            "00CB3FFF 0A 7008 840183 A503 7F4980 00",
            "002241B6 06 800156 840183",
            "002A9E9A 14 000102030405060708090A0B0C0D0E0F10111213 00",
            "00E40000",
        ),
        # an elliptic curve key
        (
            "00E00000 1D 621B 820118 8302B084 8C058F00000000 A50B A409 80010C 830184 9501C0",
            "00440000",
            "00470000 08 AC06 80010C 830184 00",
            "0022C1A4 03 830184",
            "00880000 14 7C128110 101112131415161718191A1B1C1D1E1F 00",
        ),
        # keys that are there: sign, sign, decipher
        (
            "002241B6 06 800156 840181",
            "002A9E9A 14 000102030405060708090A0B0C0D0E0F10111213 10",
            "00C00000 00",
            "002241B6 06 80011C 840182",
            "002A9E9A 14 000102030405060708090A0B0C0D0E0F10111213 00",
            "002241B8 06 800146 840181",
            "002A8086 000080" + "01" * 128 + "0000",
        ),
        # admin key, both forms
        (
            "0022C1A4 03 830180",
            "00870000 04 7C028100 00",
            "00870000 0C 7C0A8208 0001020304050607",
            "00870000 14 7C128110 101112131415161718191A1B1C1D1E1F 00",
            "00870000 2C 7C2A8228" + "5A" * 40 + "00",
        ),
        # data: written in a chain, read, deleted
        (
            "10DBA010 05 DF2304AABB",
            "00DBA010 02 CCDD",
            "00CBA010 04 5C02DF23 01",
            "00C00000 00",
            "00DBA010 03 DF2300",
            "00CB3FFF 02 5C00 00",
        ),
        ("00A40000 02 B081", "00A4000C 02 A010", "00E40000", "00E60000"),
        ("00700000 01", "01A40400 09 A00000039742544659 00", "01200080 04 31323334", "01708000"),
        ("002C0280 08 3132333435363738", "00200082", "00200080"),
        # the creation state: the three templates
        (
            "00DB0000 0F 610D 4F0B A000000397425446590201",
            "00DB0000 06 6404 5F2F0140",
            "00DB0000 0A 6208 820138 8C03033030",
        ),
    )
]
"""Commands that work where the state is right for them; some of them end a card."""


@st.composite
def pieces_of_dialogues(draw: st.DrawFn) -> list[bytes]:
    dialogue = draw(st.sampled_from(DIALOGUES))
    start = draw(st.integers(0, len(dialogue) - 1))
    return dialogue[start : start + draw(st.integers(1, len(dialogue)))]


ANY_COMMAND = st.one_of(
    near_valid(),
    damaged(near_valid()),
    apdus(kind="near-miss"),
    damaged(st.sampled_from([command for dialogue in DIALOGUES for command in dialogue])),
    commands().map(bytes),
    st.binary(max_size=12),
)
SEQUENCES = st.lists(pieces_of_dialogues() | st.lists(ANY_COMMAND, min_size=1, max_size=3), min_size=1, max_size=6).map(
    lambda parts: [command for part in parts for command in part]
)


# --- cards -----------------------------------------------------------------------------------------------------------


def with_keys(state: GidsState) -> GidsState:
    """Adds an RSA and an elliptic curve key that everybody may use."""
    rsa_uses = (KeyUse(Crt.SIGNATURE, 0x56, 0x40), KeyUse(Crt.CONFIDENTIALITY, 0x46, 0x40))
    ec_uses = tuple(KeyUse(crt, algorithm, 0x40) for crt, algorithm in zip(Crt, (0x0C, 0x1C, 0x0C), strict=True))
    rsa_key, ec_key = QuickEnv(0).rsa_key(1024), EcPrivateKey(KeyKind.P256, 12345)
    for efid, uses, key in ((0xB081, rsa_uses, rsa_key), (0xB082, ec_uses, ec_key)):
        state = state.with_file(KeyFile(efid, FREE_USE, uses, is_active=True, key=key))
    return state


def operational(*, puk: bytes | None = None, admin_try_limit: int | None = None) -> GidsState:
    state = personalised(
        pin=PIN, admin_key=ADMIN_KEY, card_id=bytes(16), tries=3, puk=puk, admin_try_limit=admin_try_limit
    )
    return with_keys(state)


STATES: dict[str, Callable[[], GidsState]] = {
    "blank": lambda: blank(tries=3, admin_try_limit=2),
    "personalised": operational,
    "with a PUK and limited admin tries": lambda: operational(puk=PUK, admin_try_limit=2),
    "terminated": lambda: replace(operational(), life_cycle=LifeCycle.TERMINATED),
    "being created": lambda: GidsState(life_cycle=LifeCycle.CREATION, template=b"", fmd=b""),
}
few_states = pytest.mark.parametrize("state", [STATES["blank"], STATES["personalised"]], ids=["blank", "personalised"])
every_state = pytest.mark.parametrize("state", STATES.values(), ids=STATES)


def make_card(state: GidsState) -> Card:
    return GIDS.card(GIDS.persistent(state), QuickEnv("transmit"))


def log_in(card: Card) -> None:
    """Proves PIN and admin key, whichever the card takes."""
    card.transmit(bytes(CommandApdu(0, Ins.VERIFY, 0, 0x80, PIN)))
    card.transmit(bytes.fromhex("0022C1A403830180"))
    challenge = card.transmit(bytes.fromhex("00870000047C02810000"))[4:-2]
    if len(challenge) == 8:
        answer = bytes(Tlv(0x7C, bytes(Tlv(0x82, encrypt(ADMIN_KEY, challenge)))))
        assert card.transmit(bytes(CommandApdu(0, Ins.GENERAL_AUTHENTICATE, 0, 0, answer))) == b"\x90\x00"


def without_counters(persistent: Persistent) -> GidsState:
    """The state of the card as it would be with all tries left."""
    state = persistent.state(AID)
    assert isinstance(state, GidsState)
    for file in state.files:
        if isinstance(file, KeyFile) and isinstance(file.key, AdminKey):
            state = state.with_file(file.with_key(replace(file.key, tries_left=file.key.try_limit or 0)))
    pins = (replace(pin, tries_left=pin.try_limit) for pin in (state.pin, state.puk))
    return replace(state, pin=next(pins), puk=next(pins))


def assert_lawful(card: Card, command: bytes) -> int:
    """Sends one command; returns the status word of an answer that breaks no rule of ISO/IEC 7816-4."""
    response = card.transmit(command)
    assert len(response) >= 2
    sw, data = int.from_bytes(response[-2:], "big"), response[:-2]
    assert sw >> 8 in (0x90, *range(0x61, 0x70))
    assert sw != 0x6F00
    assert meaning(sw) != "unknown status word"
    try:
        most = CommandApdu.parse(command).effective_ne
    except CardError:
        assert response == b"\x67\x00"
        most = 0
    assert len(data) <= most
    if sw >> 8 not in (0x90, 0x61, 0x62, 0x63):
        assert data == b"", "an error has no data"
    return sw


@pytest.mark.parametrize("name", [*STATES, "personalised, logged in", "with a PUK and limited admin tries, logged in"])
@given(sequence=SEQUENCES)
def test_answers_are_lawful_and_a_refused_command_changes_nothing_but_counters(
    name: str, sequence: list[bytes]
) -> None:
    state, _, logged_in = name.partition(", ")
    card = make_card(STATES[state]())
    if logged_in:
        log_in(card)
    for command in sequence:
        before = card.persistent
        sw = assert_lawful(card, command)
        if sw >> 8 not in (0x90, 0x61, 0x62):
            assert without_counters(card.persistent) == without_counters(before)


@pytest.mark.parametrize("name", ["personalised", "with a PUK and limited admin tries", "terminated"])
@given(sequence=SEQUENCES)
def test_without_a_right_nothing_changes_but_counters_and_those_only_down(name: str, sequence: list[bytes]) -> None:
    card = make_card(STATES[name]())
    before, counters = card.persistent, counters_of(card)
    for command in sequence:
        assert_lawful(card, command)
        assert without_counters(card.persistent) == without_counters(before)
        now = counters_of(card)
        assert all(after <= earlier for after, earlier in zip(now, counters, strict=True))
        counters = now
    if name == "terminated":
        assert card.persistent == before


def counters_of(card: Card) -> list[int]:
    state = card.persistent.state(AID)
    assert isinstance(state, GidsState)
    keys = [file.key for file in state.files if isinstance(file, KeyFile)]
    return [state.pin.tries_left, state.puk.tries_left, *(k.tries_left for k in keys if isinstance(k, AdminKey))]


@few_states
@given(sequence=SEQUENCES)
def test_the_same_commands_give_the_same_answers(state: Callable[[], GidsState], sequence: list[bytes]) -> None:
    one, other = make_card(state()), make_card(state())
    assert [one.transmit(command) for command in sequence] == [other.transmit(command) for command in sequence]
    assert one.persistent == other.persistent


@few_states
@given(sequence=SEQUENCES)
def test_after_a_reset_a_card_answers_like_one_that_was_just_made(
    state: Callable[[], GidsState], sequence: list[bytes]
) -> None:
    """What is left of a session is in `Persistent`, and nowhere else."""
    used = make_card(state())
    for command in sequence:
        used.transmit(command)
    used.reset()
    fresh = GIDS.card(used.persistent, QuickEnv("another world"))
    used._env = QuickEnv("another world")
    assert [used.transmit(command) for command in sequence] == [fresh.transmit(command) for command in sequence]


@every_state
def test_every_class_byte_and_instruction_gets_a_lawful_answer(state: Callable[[], GidsState]) -> None:
    card = make_card(state())
    for cla in (0x00, 0x10, 0x01, 0x0C, 0x20, 0x40, 0x80, 0xFF):
        for ins in range(0x100):
            for tail in ("0000", "000000", "3FFF02AABB", "000000010001AA", "FFFF0000000000"):
                assert_lawful(card, bytes([cla, ins]) + bytes.fromhex(tail))
