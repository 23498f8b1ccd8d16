"""card_os.kernel: the kernel's own commands are rows, and what they do not name is refused. More in test_channel.py."""

import pytest

from card_os.apdu import CommandApdu, ResponseApdu
from card_os.application import Application
from card_os.atr import Atr
from card_os.card import Card
from card_os.class_byte import Classes
from card_os.command import ANYBODY, Command
from card_os.kernel import KERNEL, KernelIns, kernel_row
from card_os.memory import Persistent
from vsc.world import SeededEnv

AID = b"\xf0ECHO"


class Echo(Application[bytes, None]):
    """Answers its data."""

    aid, name = AID, "echo"
    commands = {  # noqa: RUF012
        0x10: Command("ECHO", {0}, range(256), ANYBODY, lambda session, apdu: apdu.data, "this test"),
        0x11: Command(
            "OWN", {0}, range(256), ANYBODY, lambda session, apdu: apdu.data, "this test", classes=Classes.PROPRIETARY
        ),
    }


def make() -> Card:
    return Card((Echo(),), Persistent(((AID, b""),)), SeededEnv(0), atr=Atr())


def send(card: Card, command: str) -> str:
    return card.transmit(bytes.fromhex(command)).hex().upper()


@pytest.mark.parametrize("ins", KernelIns)
def test_every_instruction_has_a_row_that_says_all_of_it(ins: KernelIns) -> None:
    row = KERNEL[ins]
    assert row.name == ins.name.replace("_", " ")
    assert row.answers()
    assert row.spec.startswith("ISO 7816-4, 7.")
    for p1p2, data in row.samples:
        assert p1p2 in row.p1p2
        assert len(data) in row.nc


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("00C00001", "6A86"),
        ("00C00100", "6A86"),
        ("00C0000001FF", "6700"),
        ("00C0000101FF", "6A86"),
        ("10C00000", "6884"),
    ],
)
def test_a_malformed_get_response_is_refused_and_the_answer_can_still_be_fetched(command: str, sw: str) -> None:
    card = make()
    assert send(card, "0010000002AABB01") == "AA6101"
    assert send(card, command) == sw
    assert send(card, "00C0000000") == "BB9000"


@pytest.mark.parametrize("command", ["00A4041005F04543484F", "00A404FF00", "00A4048000"])
def test_select_by_name_with_another_p2_is_6a86(command: str) -> None:
    assert send(make(), command) == "6A86"


def test_only_select_by_name_is_the_kernels() -> None:
    assert kernel_row(KernelIns.SELECT, 0x04) is KERNEL[KernelIns.SELECT]
    assert kernel_row(KernelIns.SELECT, 0x00) is None
    assert kernel_row(KernelIns.MANAGE_CHANNEL, 0x55) is KERNEL[KernelIns.MANAGE_CHANNEL]
    assert kernel_row(0x10, 0x04) is None


def test_the_words_of_manage_channel() -> None:
    words = KERNEL[KernelIns.MANAGE_CHANNEL].words
    said = [words(CommandApdu(0, 0x70, p1, p2), 0) for p1, p2 in ((0, 0), (0, 3), (0x80, 2), (0x55, 0))]
    assert said == ["open", "open 3", "close 2", "P1 55"]


# --- proprietary classes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("8011000002CAFE", "CAFE9000"),
        ("0011000002CAFE", "6D00"),
        ("8010000002CAFE", "6D00"),
        ("8011000100", "6A86"),
        # Nobody is on a channel that is not open, so nobody knows the class.
        ("8111000000", "6E00"),
        ("8411000000", "6882"),
        ("9011000001CA", "6884"),
        # The kernel's own commands are interindustry, but for GET RESPONSE.
        ("80700000", "6D00"),
        ("80A4040005F04543484F", "6D00"),
        ("80C00000", "6985"),
        ("FF110000", "6E00"),
        ("20110000", "6E00"),
    ],
)
def test_a_command_is_known_in_the_classes_that_its_row_says(command: str, answer: str) -> None:
    assert send(make(), command) == answer


def test_a_proprietary_class_has_channels() -> None:
    card = make()
    assert send(card, "00700003") == "9000"
    assert send(card, "8311000001AA") == "AA9000"
    assert send(card, "00700004") == "9000"
    assert send(card, "C011000001AA") == "AA9000"


def test_without_a_row_for_it_a_proprietary_class_is_6e00_on_any_channel() -> None:
    class Interindustry(Echo):
        commands = {0x10: Echo.commands[0x10]}  # noqa: RUF012

    card = Card((Interindustry(),), Persistent(((AID, b""),)), SeededEnv(0), atr=Atr())
    assert {send(card, f"{cla:02X}100000") for cla in range(0x80, 0x100)} == {"6E00"}
    assert send(Card((), Persistent(), SeededEnv(0), atr=Atr()), "80100000") == "6E00"


def test_the_answer_of_a_proprietary_command_is_fetched_in_either_class() -> None:
    for cla in ("00", "80"):
        card = make()
        assert send(card, "8011000002AABB01") == "AA6101"
        assert send(card, f"{cla}C0000001") == "BB9000"


def test_an_answer_is_a_value() -> None:
    assert make().exchange(bytes.fromhex("00100000")).response == ResponseApdu()
