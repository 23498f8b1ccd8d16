"""card_os.apps.yubico_management: what a YubiKey says of itself."""

import pytest

from card_os.apps.yubico_management import AID, Device, Management
from card_os.atr import Atr, Interface
from card_os.card import Card
from card_os.memory import Persistent
from card_os.wire import WireError
from vsc.world import SeededEnv

SERIAL = bytes.fromhex("00BC614E")


def card() -> Card:
    application = Management(Device((5, 4, 3)))
    return Card(
        [application], Persistent(((AID, SERIAL),)), SeededEnv(1), atr=Atr((Interface(), Interface(protocol=1)))
    )


def run(command: str) -> str:
    return card().transmit(bytes.fromhex(command)).hex().upper()


def test_select_answers_a_text_that_ends_in_the_version() -> None:
    answer = card().transmit(bytes.fromhex("00A4040008A000000527471117"))
    assert answer == b"Virtual mgr - FW version 5.4.3\x90\x00"


def test_what_there_is_on_the_key() -> None:
    assert run("001D0000") == (
        "2B" + "01020010" + "020400BC614E" + "03020010" + "040101" + "0503050403" + "06020000" + "07010F" + "080100"
        "0A0100" + "9000"
    ).replace("2B", f"{(len('01020010020400BC614E0302001004010105030504030602000007010F0801000A0100')) // 2:02X}", 1)


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("001D0100", "6A80"),
        ("001D0001", "6A86"),
        ("001D000001AA", "6700"),
        ("001C000001AA", "6D00"),
        ("001F0000", "6D00"),
    ],
)
def test_there_is_one_page_and_nothing_can_be_changed(command: str, answer: str) -> None:
    assert run(command) == answer


def test_the_state_is_the_serial_number() -> None:
    application = Management(Device((5, 4, 3)))
    assert application.decode(application.encode(SERIAL)) == SERIAL
    (fact,) = application.facts(SERIAL)
    assert fact.shown == "12345678"
    with pytest.raises(WireError):
        application.decode(b"123")


def test_answers_are_told_in_words() -> None:
    ((_, row),) = Management(Device((5, 4, 3))).table
    data = bytes.fromhex(run("001D0000")[:-4])
    from card_os.apdu import CommandApdu

    assert row.answer_words(CommandApdu(0, 0x1D, 0, 0), data) == "version 5.4.3"
    assert (
        row.answer_words(CommandApdu(0, 0x1D, 0, 0), b"")
        == row.answer_words(CommandApdu(0, 0x1D, 0, 0), b"\x01\x05")
        == ""
    )
