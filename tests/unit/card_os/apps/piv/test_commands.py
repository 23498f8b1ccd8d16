"""card_os.apps.piv.commands: the rows, and what they tell people."""

import pytest

from card_os.apdu import CommandApdu
from card_os.apps.piv import Piv
from card_os.apps.piv.containers import CERTIFICATES, CONTAINERS, container_words
from card_os.apps.piv.wire import ALGORITHM_OF, CIPHER_OF, Ins, key_words, pin_words
from tests.unit.card_os.apps.piv.piv_card import STRICT, YUBIKEY, PivCard, new_state, slot_of


def words(command: str, hidden: int = 0) -> str:
    apdu = CommandApdu.parse(bytes.fromhex(command))
    row = Piv(YUBIKEY).table.find(apdu.ins, apdu.p1p2)
    assert row is not None
    return f"{row.name} {row.words(apdu, hidden)}".strip()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("00200080", "VERIFY PIN"),
        ("0020FF80", "VERIFY PIN"),
        ("00200098", "VERIFY pairing code"),
        ("00240081", "CHANGE REFERENCE DATA PUK"),
        ("002C0080", "RESET RETRY COUNTER PIN"),
        ("00CB3FFF055C035FC102", "GET DATA CHUID"),
        ("00CB3FFF035C017E", "GET DATA discovery object"),
        ("00CB3FFF055C035FFF00", "GET DATA object 5FFF00"),
        ("00CB3FFF0100", "GET DATA"),
        ("0CCB3FFF0A8E080000000000000000", "GET DATA under secure messaging"),
        ("00DB3FFF0A5C035FC10553037001AA", "PUT DATA certificate 9A"),
        ("00DB3FFF027E00", "PUT DATA discovery object"),
        ("0087119C", "GENERAL AUTHENTICATE signature key 9C, P-256"),
        ("0087039B", "GENERAL AUTHENTICATE management key 9B, 3DES"),
        ("0087FF82", "GENERAL AUTHENTICATE retired key 82, algorithm FF"),
        ("0047009D", "GENERATE ASYMMETRIC KEY PAIR key management key 9D"),
        ("00FE119E", "IMPORT KEY card authentication key 9E"),
        ("00F6829A", "MOVE KEY authentication key 9A, to 82"),
        ("00F6FF9A", "MOVE KEY authentication key 9A, delete"),
        ("00F70080", "GET METADATA PIN"),
        ("00F70082", "GET METADATA retired key 82"),
        ("00F99A00", "ATTEST authentication key 9A"),
        ("00FD0000", "GET VERSION"),
    ],
)
def test_commands_in_words(command: str, said: str) -> None:
    assert words(command) == said


def test_answers_in_words() -> None:
    table = Piv(YUBIKEY).table
    for ins, data, said in ((Ins.GET_VERSION, "050701", "5.7.1"), (Ins.GET_SERIAL, "00BC614E", "12345678")):
        row = table.find(ins, 0)
        assert row is not None
        assert row.answer_words(CommandApdu(0, ins, 0, 0), bytes.fromhex(data)) == said
        assert row.answer_words(CommandApdu(0, ins, 0, 0), b"") == ""


def test_what_has_a_secret_in_it_is_hidden() -> None:
    hidden = {ins for ins, row in Piv(YUBIKEY).table if 0x0080 in row.hides}
    assert hidden == {
        Ins.VERIFY,
        Ins.CHANGE_REFERENCE_DATA,
        Ins.RESET_RETRY_COUNTER,
        Ins.IMPORT_KEY,
        Ins.SET_MANAGEMENT_KEY,
    }


@pytest.mark.parametrize(
    ("command", "counters"),
    [
        ("0020008008" + "31" * 8, ("PIN tries",)),
        ("00200080", ()),
        ("0020000008" + "31" * 8, ()),
        ("0020008108" + "31" * 8, ()),
        ("0024008110" + "31" * 16, ("PUK tries",)),
        ("0024009010" + "31" * 16, ()),
        ("002C008010" + "31" * 16, ("PUK tries", "PIN tries")),
        ("002C008110" + "31" * 16, ()),
        ("0087039B047C028000", ()),
    ],
)
def test_which_counter_a_command_spends(command: str, counters: tuple[str, ...]) -> None:
    card = PivCard()
    apdu = CommandApdu.parse(bytes.fromhex(command))
    row = card.application.table.find(apdu.ins, apdu.p1p2)
    assert row is not None
    session = card.card._session(0, card.card.volatile.channels[0])
    assert row.presents(session, apdu) == counters


def test_samples_get_past_the_checks_of_their_rows() -> None:
    for ins, row in Piv(YUBIKEY).table:
        for p1p2, data in row.samples:
            assert p1p2 in row.p1p2, (row.name, p1p2)
            assert len(data) in row.nc, (row.name, p1p2)
            apdu = CommandApdu(0, ins, p1p2 >> 8, p1p2 & 0xFF, data, extended=bool(data))
            assert isinstance(row.words(apdu, 0), str)


def test_what_is_protected_is_refused() -> None:
    card = PivCard(new_state(slot_of(0x9A), slot_of(0x9C), slot_of(0x9E)))
    commands = card.application.protected(card.state)
    assert len(commands) >= 9
    for command in commands:
        answer = card.card.transmit(command).hex()
        assert answer[:3] == "63c" or answer == "6982", command.hex()


def test_a_nist_card_has_seven_commands_and_a_yubikey_nine_more() -> None:
    assert len(Piv(STRICT).commands) == 7
    assert len(Piv(YUBIKEY).commands) == 16


def test_numbers_have_names() -> None:
    assert key_words(0x00) == "key 00"
    assert key_words(0x95) == "retired key 95"
    assert pin_words(0x00) == "global PIN"
    assert pin_words(0x96) == "reference 96"
    assert container_words(0x5FC120) == "certificate 95"
    assert set(CERTIFICATES.values()) - set(CONTAINERS) == {0x5FFF01}
    assert len(ALGORITHM_OF) == 8
    assert len(CIPHER_OF) == 4
