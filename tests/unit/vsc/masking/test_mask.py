"""vsc.masking.mask: what must never be shown, of commands right and wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.each import each
from vsc.masking.command import MaskedCommand
from vsc.masking.mask import is_secret, mask, shown

PIN_INSTRUCTIONS = (0x20, 0x21, 0x24, 0x25, 0x26, 0x28, 0x2C, 0x2D)
CLASSES = (0x00, 0x01, 0x03, 0x10, 0x11, 0x40, 0x4F, 0x50, 0x5F, 0x0C, 0x80, 0xFF)


def test_a_pin_is_hidden_on_every_channel_and_in_every_part_of_a_chain() -> None:
    for ins in each(PIN_INSTRUCTIONS):
        for cla in each(CLASSES):
            for rest, lc in (
                ("00800431323334", "04"),
                ("0080043132333400", "04"),
                ("0080000004313233340000", "000004"),
                ("01FF0131", "01"),
                # No Lc, one too small, one too large, an extended one that is wrong.
                ("008031323334", ""),
                ("00800231323334", ""),
                ("00800831323334", ""),
                ("008000000531323334", ""),
                ("00800031323334", ""),
                ("008031", ""),
                ("0080003132", ""),
            ):
                command = bytes([cla, ins]) + bytes.fromhex(rest)
                seen = bytes([cla, ins]) + bytes.fromhex(rest[:4] + lc)
                assert mask(command) == MaskedCommand(seen, len(command) - len(seen))
                assert is_secret(command)
                assert shown(command) == f"{seen.hex().upper()}…"


def test_a_key_is_hidden() -> None:
    for cla in each(CLASSES):
        for p1p2 in each(["3FFF", "B080", "B081", "B0FF", "00D3"]):
            for ins in each([0xDA, 0xDB]):
                command = bytes([cla, ins]) + bytes.fromhex(p1p2 + "04DEADBEEF")
                assert shown(command) == f"{command[:5].hex().upper()}…"
                assert shown(command[:4] + command[5:]) == f"{command[:4].hex().upper()}…"


@pytest.mark.parametrize("command", ["0020", "002000", "00DB3F", "00FF"])
def test_less_than_a_header_shows_its_instruction(command: str) -> None:
    assert shown(bytes.fromhex(command)) == (command if len(command) == 4 or command == "00DB3F" else "0020…")


@pytest.mark.parametrize(
    "command",
    [
        "00A4040009A00000039742544659",
        "00CB3FFF045C02DF1F00",
        "00DBA01006DF2403414243",
        "00200080",
        "0020008000",
        "00200080000000",
        "00200082",
        "00",
        "",
        "002A9E9A0441424344",
        "0087000003414243",
    ],
)
def test_what_holds_no_secret_is_shown_whole(command: str) -> None:
    assert not is_secret(bytes.fromhex(command))
    assert shown(bytes.fromhex(command)) == command


@given(st.binary(max_size=300))
def test_any_bytes_are_shown_whole_or_as_their_beginning(command: bytes) -> None:
    masked = mask(command)
    assert command.startswith(masked.visible)
    assert len(masked.visible) + masked.hidden_bytes == len(command)
    assert shown(command) == masked.visible.hex().upper() + "…" * is_secret(command)
