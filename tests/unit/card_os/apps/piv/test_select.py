"""card_os.apps.piv.select: SELECT and the application property template (SP 800-73-5 part 2, 3.1.1)."""

from dataclasses import replace

import pytest

from card_os.application import Application
from card_os.apps.piv import Piv
from card_os.apps.piv.personalisation import new_pin, personalised
from card_os.apps.piv.wire import AID, UsagePolicy
from card_os.atr import Atr, Interface
from card_os.card import Card
from card_os.memory import Persistent
from tests.unit.card_os.apps.piv.piv_card import PIN, STRICT, YUBIKEY, PivCard, admin_card, slot_of
from vsc.testing.quick import QuickEnv

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


class Other(Application[bytes, None]):
    """Another application on the same card."""

    aid = bytes.fromhex("F000000001")
    name = "other"

    def __init__(self) -> None:
        self.commands = {}


def test_another_application_ends_all_but_the_global_pin() -> None:
    policy = UsagePolicy.PIN | UsagePolicy.GLOBAL_PIN
    state = personalised(policy=policy, preference=0x10, global_pin=new_pin(b"888888")).with_slot(slot_of(0x9A))
    piv, other = Piv(), Other()
    persistent = Persistent(((piv.aid, state), (other.aid, b"")))
    card = Card([piv, other], persistent, QuickEnv(1), atr=Atr((Interface(), Interface(protocol=1))))

    def run(command: str) -> str:
        return card.transmit(bytes.fromhex(command)).hex().upper()[-4:]

    sign = "0087119A267C2482008120" + "11" * 32 + "00"
    both = ("0020008008" + PIN, "0020000008" + b"888888".hex() + "FFFF")
    assert [run(command) for command in both] == ["9000", "9000"]
    assert run("00A4040005F000000001") == run("00A4040005A000000308") == "9000"
    assert (run("00200080"), run("00200000")) == ("63C3", "9000")
    assert run(sign) == "9000"
    # It is the status of the card: on every channel, until a reset or a log-out.
    assert (run("0070000001"), run("01200000"), run("01200080")) == ("9000", "9000", "63C3")
    assert (run("0120FF00"), run("00200000"), run(sign)) == ("9000", "63C3", "6982")
    run(both[1])
    card.reset()
    assert run("00200000") == "63C3"


def test_ef_dir_would_say_the_same() -> None:
    card = PivCard()
    assert card.application.template(card.state).hex().upper() == FULL
