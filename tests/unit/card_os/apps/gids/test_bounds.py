"""card_os.apps.gids.bounds: what commands can make is within them, and one step further is not."""

from dataclasses import replace

import pytest

from card_os.access import AccessRule
from card_os.apps.gids import Gids
from card_os.apps.gids.bounds import check_bounds
from card_os.apps.gids.personalisation import personalised
from card_os.apps.gids.state import DataFile, GidsState, KeyFile, KeyUse
from card_os.apps.gids.wire import AID, MAX_FILES, MAX_OBJECT_BYTES, MAX_OBJECTS, Crt
from card_os.atr import Atr
from card_os.card import Card
from card_os.memory import Persistent
from card_os.tlv import Tlv
from tests.unit.card_os.apps.gids.gids_card import ADMIN_KEY, CARD_ID
from vsc.world import SeededEnv

FREE = AccessRule.parse(bytes.fromhex("030000"))
PIN = b"12345678"


def full() -> GidsState:
    """As many files as there can be, one with as many objects, one of them as large as can be; all free to write."""
    state = personalised(pin=PIN, admin_key=ADMIN_KEY, card_id=CARD_ID, tries=3)
    state = replace(state, rule=FREE)
    objects = tuple(Tlv(0xDF01 + number, b"x") for number in range(MAX_OBJECTS - 1))
    largest = Tlv(0xDF00, bytes(MAX_OBJECT_BYTES))
    state = state.with_file(DataFile(0xA020, FREE, True, objects=(largest, *objects)))
    while len(state.files) < MAX_FILES:
        state = state.with_file(DataFile(0xA100 + len(state.files), FREE, True))
    return state


def answer(state: GidsState, command: str) -> str:
    card = Card([Gids()], Persistent(((AID, state),)), SeededEnv("bounds"), atr=Atr())
    card.transmit(bytes.fromhex("0020008008") + PIN)
    return card.transmit(bytes.fromhex(command)).hex()


def test_a_full_card_is_within() -> None:
    check_bounds(full())


TOO_MUCH = {
    "a file more": (
        full().with_file(DataFile(0xA0FF, FREE)),
        "00E0000010 620E 820139 8302A0FF 8C05 8700000000",
        "65 files, and the card holds 64",
    ),
    "an object more": (
        full().with_file(DataFile(0xA020, FREE, True, objects=tuple(Tlv(0xDF00 + n, b"") for n in range(101)))),
        "00DBA02004 DF7F 01 41",
        "file A020: 101 objects, and a file holds 100",
    ),
    "a byte more": (
        full().with_file(DataFile(0xA020, FREE, True, objects=(Tlv(0xDF00, bytes(MAX_OBJECT_BYTES + 1)),))),
        f"00DBA020 00 4006 DF00 82 4001 {'00' * (MAX_OBJECT_BYTES + 1)}",
        "file A020, object DF00: 16385 bytes, and an object holds 16384",
    ),
}


@pytest.mark.parametrize(("state", "command", "words"), TOO_MUCH.values(), ids=TOO_MUCH)
def test_what_a_command_refuses_is_beyond(state: GidsState, command: str, words: str) -> None:
    assert answer(full(), command) == "6a84"
    with pytest.raises(ValueError, match=words):
        check_bounds(state)


def test_what_no_command_could_hold_is_beyond() -> None:
    uses = (KeyUse(Crt.SIGNATURE, 0x56, 0x40),) * 10_000
    with pytest.raises(ValueError, match="file B081: more than one FCP says of a key"):
        check_bounds(full().without_file(0xA020).with_file(KeyFile(0xB081, FREE, uses)))
    with pytest.raises(ValueError, match="a template of more than 65535 bytes"):
        check_bounds(replace(full(), fmd=bytes(65_536)))
