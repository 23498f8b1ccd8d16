"""What programs that only look see: the reader, the ATR, and the name OpenSC has for the card."""

import pytest

from tests.interop.conftest import PlugIn
from tests.interop.need import require_tool
from tests.interop.vsc_cards import answers, colons

BLANK_OR_NOT = pytest.mark.parametrize("options", [(), ("--blank",)], ids=["created", "blank"])


@BLANK_OR_NOT
def test_opensc_lists_the_card(plug_in: PlugIn, options: tuple[str, ...]) -> None:
    card = plug_in(*options)
    listed = card.pcscd.run("opensc-tool", "--list-readers").stdout.splitlines()
    assert listed[2:] == ["0    Yes             Virtual PCD 00 00", "1    No              Virtual PCD 00 01"]


@BLANK_OR_NOT
def test_opensc_names_the_card(plug_in: PlugIn, options: tuple[str, ...]) -> None:
    card = plug_in(*options)
    assert card.tool("opensc-tool", "--name").stdout == "GIDS Smart Card\n"
    # The other tools find the reader with the card by themselves.
    assert card.pcscd.run("opensc-tool", "--name").stdout == "GIDS Smart Card\n"


@BLANK_OR_NOT
def test_everybody_reads_the_same_atr(plug_in: PlugIn, options: tuple[str, ...]) -> None:
    card = plug_in(*options)
    atr = card.vsc.show("card")["atr"]
    assert card.pcscd.reader_state().atr.hex().upper() == atr
    assert card.tool("opensc-tool", "--atr").stdout.strip() == colons(atr)
    require_tool("pcsc_scan")
    scanned = card.pcscd.run("pcsc_scan", "-c").stdout
    assert f"ATR: {colons(atr).replace(':', ' ').upper()}\n" in scanned


def test_pcsc_scan_lists_the_readers(plug_in: PlugIn) -> None:
    card = plug_in()
    require_tool("pcsc_scan")
    listed = card.pcscd.run("pcsc_scan", "-r").stdout.splitlines()
    assert [line for line in listed if line] == ["0: Virtual PCD 00 00", "1: Virtual PCD 00 01"]


def test_a_card_answers_apdus_of_a_person(plug_in: PlugIn) -> None:
    """opensc-tool sends what one types; an unknown application, instruction and class are told apart."""
    card = plug_in()
    commands = ("00A4040009A0000003974254465A00", "00FF0000", "FF000000")
    arguments = [word for command in commands for word in ("--send-apdu", command)]
    sent = card.tool("opensc-tool", *arguments).stdout
    assert answers(sent) == ["6A82", "6D00", "6E00"]
