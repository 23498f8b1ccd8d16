"""vsc.decode: names of commands, and what must never be shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_os.application import Application
from card_os.apps.gids.wire import Ins
from vsc.decode import command_name, is_secret, shown
from vsc.profiles import GIDS

PIN_INSTRUCTIONS = (0x20, 0x21, 0x24, 0x25, 0x2C, 0x2D)
CLASSES = (0x00, 0x01, 0x03, 0x10, 0x11, 0x40, 0x4F, 0x50, 0x5F, 0x0C, 0x80, 0xFF)


@pytest.mark.parametrize("application", GIDS.applications, ids=lambda one: one.name)
def test_each_command_of_a_table_has_the_name_of_its_row(application: Application[object, object]) -> None:
    assert set(application.commands) == set(Ins)
    for ins, row in application.commands.items():
        for cla in CLASSES:
            assert command_name(bytes([cla, ins, 0, 0]), GIDS.applications) == row.name


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("00700000", "MANAGE CHANNEL"),
        ("00C00000", "GET RESPONSE"),
        ("00A40400", "SELECT"),
        ("00FF0000", "INS FF"),
        ("0002000005", "INS 02"),
        ("", "?"),
        ("002000", "?"),
    ],
)
def test_the_names_of_the_others(command: str, name: str) -> None:
    assert command_name(bytes.fromhex(command), GIDS.applications) == name


def test_without_applications_the_kernels_commands_have_names() -> None:
    assert command_name(bytes.fromhex("00A4040000"), ()) == "SELECT"
    assert command_name(bytes.fromhex("0020008000"), ()) == "INS 20"


@pytest.mark.parametrize("ins", PIN_INSTRUCTIONS)
@pytest.mark.parametrize("cla", CLASSES)
def test_a_pin_is_secret_on_every_channel_and_in_every_part_of_a_chain(cla: int, ins: int) -> None:
    for rest in ("00800431323334", "0080043132333400", "0080000004313233340000", "01FF0131", "00800431"):
        command = bytes([cla, ins]) + bytes.fromhex(rest)
        assert is_secret(command)
        assert "31" not in shown(command)
        assert shown(command) == f"{command[:5].hex().upper()}…"


@pytest.mark.parametrize("ins", [0xDA, 0xDB])
@pytest.mark.parametrize("cla", CLASSES)
def test_a_key_is_secret(cla: int, ins: int) -> None:
    command = bytes([cla, ins]) + bytes.fromhex("3FFF04DEADBEEF")
    assert is_secret(command)
    assert "DEADBEEF" not in shown(command)


@pytest.mark.parametrize(
    "command",
    [
        "00A4040009A00000039742544659",
        "00CB3FFF045C02DF1F00",
        "00DBA01006DF2403414243",
        "00200080",
        "0020008000",
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
def test_any_bytes_have_a_name_and_are_shown_whole_or_as_a_header(command: bytes) -> None:
    assert command_name(command, GIDS.applications)
    whole = command.hex().upper()
    assert shown(command) == (f"{whole[:10]}…" if is_secret(command) else whole)
