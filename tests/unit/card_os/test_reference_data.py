"""card_os.reference_data: a PIN that is compared as ISO/IEC 7816-4 has it, in an application of no other kind."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from card_os.application import Application
from card_os.atr import Atr
from card_os.card import Card
from card_os.command import Command
from card_os.kept import PinKind
from card_os.memory import Persistent
from card_os.pin import Pin, PinPolicy
from card_os.reference_data import Proofs, after, pin_commands
from card_os.schema import SHORT, Field, Record
from vsc.world import SeededEnv


@dataclass(frozen=True)
class State:
    pin: Pin
    puk: Pin


class Box(Application[State, Proofs]):
    aid, name = b"\xf0BOX00", "box"
    new_volatile = staticmethod(Proofs)
    schema = Record(State, *(Field(name, PinKind(), SHORT, fact=name.upper()) for name in ("pin", "puk")))
    commands: Mapping[int, Command | tuple[Command, ...]] = {
        **pin_commands("pin", policy=PinPolicy(4, 6)),
        0x50: Command("OPEN", {0}, {0}, after("PIN"), lambda session, apdu: b"gold", "here"),
    }


class Strict(Box):
    commands = pin_commands("puk", name="PUK", p2=0x81)


def new_card(application: type[Box] = Box, pin: Pin | None = None) -> Card:
    usual = Pin(None, 3, 3).with_value(b"1234")
    state = State(pin or usual, Pin(None, 3, 3).with_value(b"87654321"))
    card = Card((application(),), Persistent(((application.aid, state),)), SeededEnv(1), atr=Atr())
    card.power_on()
    return card


def send(card: Card, *commands: str) -> list[str]:
    return [card.transmit(bytes.fromhex(command)).hex().upper() for command in commands]


VERIFY, WRONG, TRIES, LOG_OUT = "0020008004 31323334", "0020008004 30303030", "00200080", "0020FF80"
OPEN = "00500000"


def test_it_opens_what_is_behind_it() -> None:
    card = new_card()
    assert send(card, OPEN, VERIFY, OPEN, TRIES) == ["6982", "9000", "676F6C649000", "9000"]
    assert send(card, LOG_OUT, OPEN, TRIES) == ["9000", "6982", "63C3"]


def test_a_wrong_one_costs_a_try_and_what_was_verified() -> None:
    card = new_card()
    assert send(card, VERIFY, WRONG, OPEN, TRIES) == ["9000", "63C2", "6982", "63C2"]
    assert send(card, WRONG, WRONG, VERIFY, TRIES) == ["63C1", "63C0", "6983", "6983"]


def test_a_right_one_gives_the_tries_back() -> None:
    assert send(new_card(), WRONG, VERIFY, LOG_OUT, TRIES)[-1] == "63C3"


def test_a_reset_forgets() -> None:
    card = new_card()
    send(card, VERIFY)
    card.reset()
    assert send(card, OPEN) == ["6982"]


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("0024008009 31323334 3132333435", "9000"),
        ("0024008009 30303030 3132333435", "63C2"),
        ("0024008004 31323334", "6A80"),
        ("002400800B 31323334 31323334353637", "6A80"),
    ],
)
def test_changing_it(command: str, answer: str) -> None:
    card = new_card()
    assert send(card, command) == [answer]
    taken = send(card, "0020008005 3132333435", VERIFY)
    assert taken[0 if answer == "9000" else 1] == "9000"


def test_none_that_is_set() -> None:
    assert send(new_card(pin=Pin(None, 3, 3)), VERIFY) == ["6984"]


def test_another_attribute_name_and_reference() -> None:
    card = new_card(Strict)
    assert send(card, "0020008108 3837363534333231", VERIFY) == ["9000", "6A86"]


def test_the_rows_hide_and_present_what_they_compare() -> None:
    rows: Mapping[int, Command | tuple[Command, ...]] = pin_commands("pin")
    for ins, data in ((0x20, b"1234"), (0x24, b"12345678")):
        entry = rows[ins]
        row = entry[0] if isinstance(entry, tuple) else entry
        assert 0x80 in row.hides
        assert len(data) in row.nc
        assert row.changes
