"""card_os.ef_atr: what the card says that it can, it can."""

from card_os.apdu import MAX_NC, MAX_NE
from card_os.ef_atr import EF_ATR
from card_os.link import MAX_CHAIN_BYTES
from card_os.tlv import join, parse_all

FOUND = {one.tag: one.value for one in EF_ATR}


def test_the_largest_command_and_answer_are_those_of_the_extended_form() -> None:
    command, answer = parse_all(FOUND[0x7F66])
    # Header, Lc and Le take 9 bytes beside the data; the status word two beside the answer.
    assert int.from_bytes(command.value, "big") == MAX_NC + 9 == MAX_CHAIN_BYTES + 9
    assert int.from_bytes(answer.value, "big") == MAX_NE + 2


def test_chaining_extended_length_and_channels_are_told() -> None:
    third = FOUND[0x47][2]
    assert third & 0x80, "command chaining"
    assert third & 0x40, "extended Lc and Le"
    assert third & 0x18 == 0x18, "channels assigned by the host and by the card"


def test_the_bytes() -> None:
    assert join(EF_ATR).hex().upper() == "4301F44703D801DF4607" + b"virtual".hex().upper() + (
        "7F660A02030100080203010002"
    )
