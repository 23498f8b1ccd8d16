"""Each status word that a PIV card answers, by the command that gets it (piv.md; SP 800-73-5 part 1, 5.6)."""

from dataclasses import replace

import pytest

from card_os.apps.piv import Piv, PivState, Rules
from card_os.apps.piv.wire import PinPolicy
from card_os.atr import Atr, Interface
from card_os.card import Card
from card_os.command import TRIES_LEFT
from card_os.memory import Persistent
from tests.unit.card_os.apps.piv.piv_card import (
    NEW_PIN,
    PIN,
    PUK,
    STRICT,
    YUBIKEY,
    PivCard,
    contactless,
    new_state,
    slot_of,
)
from tests.unit.card_os.apps.piv.test_messages import card_with_key, opened
from vsc.testing.quick import QuickEnv

SIGN = "267C2482008120" + "11" * 32 + "00"
WRONG = "393939393939FFFF"
LONG = new_state().with_object(0x5FC105, bytes(600))
ROWS: list[tuple[str, PivState | None, Rules, list[str]]] = [
    ("9000", None, STRICT, ["0020008008" + PIN]),
    ("6100", LONG, STRICT, ["00CB3FFF055C035FC10500"]),
    ("610C", None, STRICT, ["00CB3FFF035C017E08"]),
    ("63C2", None, STRICT, ["0020008008" + WRONG]),
    ("63C0", None, STRICT, ["0020008008" + WRONG] * 3),
    ("6700", None, STRICT, ["0020008007" + "31" * 7]),
    ("6881", None, STRICT, ["01200080"]),
    ("6882", None, STRICT, ["0C2000800A8E080000000000000000"]),
    ("6884", None, STRICT, ["1024008010" + PIN + NEW_PIN]),
    ("6982", None, STRICT, ["00CB3FFF055C035FC10900"]),
    ("6982", new_state(slot_of(0x9A)), STRICT, ["0087119A" + SIGN]),
    ("6982", None, STRICT, ["0047009A05AC03800111"]),
    ("6982", None, STRICT, ["0087039B047C02810000", "0087039B0C7C0A8208" + "00" * 8]),
    ("6983", None, STRICT, ["0020008008" + WRONG] * 3 + ["0020008008" + PIN]),
    ("6983", None, STRICT, ["002C008010" + WRONG + NEW_PIN] * 3 + ["002C008010" + PUK + NEW_PIN]),
    ("6983", None, YUBIKEY, ["0020008008" + WRONG] * 3 + ["00200080"]),
    ("6985", None, STRICT, ["00C0000000"]),
    ("6985", None, STRICT, ["0087039B0C7C0A8208" + "00" * 8]),
    ("6985", None, YUBIKEY, ["00FB0000"]),
    ("6A80", None, STRICT, ["0020008008" + "FF" * 8]),
    ("6A80", None, STRICT, ["00CB3FFF02" + "5C00"]),
    ("6A80", None, YUBIKEY, ["0020008008" + PIN, "0087119A" + SIGN]),
    ("6A81", None, contactless(), ["00DB3FFF055C035FC102"]),
    ("6A81", None, contactless(), ["002C008010" + PUK + NEW_PIN]),
    ("6A82", None, STRICT, ["00CB3FFF055C035FC10500"]),
    ("6A82", None, STRICT, ["00A4040007627601FF000000"]),
    ("6A86", None, STRICT, ["00CB3FFE055C035FC10500"]),
    ("6A86", None, STRICT, ["0020008008" + PIN, "0087119A" + SIGN]),
    ("6A86", new_state(slot_of(0x9A)), STRICT, ["0087149A" + SIGN]),
    ("6A88", None, STRICT, ["0020008108" + PUK]),
    ("6A88", None, YUBIKEY, ["00F7009A"]),
    ("6D00", None, STRICT, ["00CADF3005"]),
    ("6D00", None, STRICT, ["00FD0000"]),
    ("6E00", None, STRICT, ["80CB3FFF035C017E"]),
    ("6E00", None, STRICT, ["FF00000000"]),
]


@pytest.mark.parametrize(
    ("sw", "state", "rules", "commands"), ROWS, ids=[f"{n} {row[0]}" for n, row in enumerate(ROWS)]
)
def test_a_status_word(sw: str, state: PivState | None, rules: Rules, commands: list[str]) -> None:
    card = PivCard(state, rules)
    for command in commands:
        answer = card.run(command)
    assert answer[-4:] == sw


def test_6a84_where_there_is_no_room() -> None:
    card = PivCard(rules=replace(STRICT, max_object_bytes=10))
    card.administer()
    assert card.put("5FC105", bytes(11)) == "6A84"


def test_6581_where_the_store_fails_and_the_state_stays() -> None:
    def fail(_: Persistent) -> None:
        raise OSError("full")

    application = Piv()
    state = new_state(slot_of(0x9C, pin_policy=PinPolicy.ALWAYS))
    persistent = Persistent(((application.aid, state),))
    atr = Atr((Interface(), Interface(protocol=1)))
    card = Card([application], persistent, QuickEnv(1), atr=atr, store=fail)
    assert card.transmit(bytes.fromhex("0020008008" + WRONG)).hex() == "6581"
    assert card.persistent == persistent
    assert card.transmit(bytes.fromhex("0020008008" + PIN)).hex() == "6581"
    assert card.transmit(bytes.fromhex("00200080")).hex() == "63c3"


def test_6300_6987_and_6988_of_secure_messaging() -> None:
    card = card_with_key()
    host = opened(card)
    assert host.unwrap(card.card.transmit(host.wrap(0x20, 0x00, 0x98, b"00000000"))) == (b"", 0x6300)
    assert card.run("0C20008000") == "6987"
    opened(card)
    assert card.run("0C2000800A8E08000000000000000000") == "6988"


def test_rows_name_what_their_handlers_answer() -> None:
    """What a row does not name, no test here may provoke."""
    table = Piv(YUBIKEY).table
    for sw, _, rules, commands in ROWS:
        raw = bytes.fromhex(commands[-1])
        row = table.find(raw[1], raw[2] << 8 | raw[3])
        if row is None or raw[0] & 0xEF or rules.is_contactless or sw[:2] in ("90", "61", "67", "6D", "68"):
            continue
        number = TRIES_LEFT if sw.startswith("63C") else int(sw, 16)
        assert number in row.answers() or sw == "6A86", (row.name, sw)
