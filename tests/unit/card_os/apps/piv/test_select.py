"""card_os.apps.piv.select: SELECT and the application property template (SP 800-73-5 part 2, 3.1.1)."""

from dataclasses import replace

import pytest

from card_os.apps.piv.wire import AID
from tests.unit.card_os.apps.piv.piv_card import STRICT, YUBIKEY, PivCard, admin_card

FULL = "61164F0BA00000030800001000010079074F05A000000308"
SHORT = "61114F0600001000010079074F05A000000308"


@pytest.mark.parametrize("size", range(5, len(AID) + 1))
def test_any_beginning_of_the_name_selects(size: int) -> None:
    name = AID[:size].hex()
    for ending in ("", "00"):
        assert PivCard().run(f"00A40400{size:02X}{name}{ending}") == FULL + "9000"


@pytest.mark.parametrize("name", ["A0000003", "A000000308000010000101", "A00000030800001000010000", "A000000309"])
def test_other_names_select_nothing(name: str) -> None:
    assert PivCard().run(f"00A40400{len(name) // 2:02X}{name}") == "6A82"


def test_what_the_card_says_of_itself() -> None:
    # A YubiKey answers the PIX alone, and yubico-piv-tool has room for 253 bytes (piv.md sections 0 and 1).
    assert PivCard(rules=YUBIKEY).run("00A4040005A000000308") == SHORT + "9000"
    labelled = PivCard(rules=replace(STRICT, label="a label")).run("00A4040005A000000308")
    assert labelled == "611F" + FULL[4:] + "5007" + b"a label".hex().upper() + "9000"
    assert PivCard().run("00A4040C05A000000308") == "9000"
    assert PivCard().run("00A4041005A000000308") == "6A86"


def test_selecting_again_keeps_what_was_proved_unless_the_card_forgets() -> None:
    for keeps in (True, False):
        card = admin_card(rules=replace(STRICT, keeps_status_on_reselect=keeps))
        card.verify()
        assert card.run("00A4040005A000000308")[-4:] == "9000"
        assert card.run("00200080") == ("9000" if keeps else "63C3")
        assert card.put("5FC105", "00") == ("9000" if keeps else "6982")


def test_a_name_that_is_not_there_keeps_the_application_and_its_status() -> None:
    card = admin_card()
    card.verify()
    for probe in ("00A4040007627601FF000000", "00A4040C0FD23300000045737445494420763335", "00CADF3005"):
        assert card.run(probe) in ("6A82", "6D00")
    assert card.run("00200080") == "9000"
    assert card.put("5FC105", "00") == "9000"


def test_ef_dir_would_say_the_same() -> None:
    card = PivCard()
    assert card.application.template(card.state).hex().upper() == FULL
