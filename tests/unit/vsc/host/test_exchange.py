"""Chaining, GET RESPONSE, wrong Le, and status words as errors."""

import pytest

from tests.unit.vsc.host.cards import Double, Script
from vsc.errors import AuthenticationRequired, CardUnresponsive, UnexpectedStatus
from vsc.host import DirectConnection
from vsc.host.exchange import Exchange


def exchange(card: Double) -> Exchange:
    return Exchange(DirectConnection(card))


def test_a_command_without_anything() -> None:
    script = Script(("00200080", "63C3"))
    assert exchange(script).send(0x20, 0x0080).sw == 0x63C3
    script.check_done()


@pytest.mark.parametrize(
    ("size", "parts"),
    [(1, [1]), (255, [255]), (256, [255, 1]), (510, [255, 255]), (511, [255, 255, 1])],
)
def test_long_data_are_chained(size: int, parts: list[int]) -> None:
    heads = [f"{0 if last else 0x10:02X}DB3FFF{part:02X}" for part, last in zip(parts, _last(parts), strict=True)]
    script = Script(*((f"{head}{'5A' * part}", "9000") for head, part in zip(heads, parts, strict=True)))
    assert exchange(script).send(0xDB, 0x3FFF, b"\x5a" * size).sw == 0x9000
    script.check_done()


def _last(parts: list[int]) -> list[bool]:
    return [False] * (len(parts) - 1) + [True]


def test_a_refused_part_ends_the_chain() -> None:
    script = Script((f"10DB3FFFFF{'5A' * 255}", "6A84"))
    assert exchange(script).send(0xDB, 0x3FFF, b"\x5a" * 300).sw == 0x6A84
    script.check_done()


def test_long_answers_are_fetched() -> None:
    script = Script(
        ("00CBA010045C02DF2400", "AA" * 256 + "6100"), ("00C0000000", "BB" * 256 + "6102"), ("00C0000002", "CCDD9000")
    )
    answer = exchange(script).send(0xCB, 0xA010, bytes.fromhex("5C02DF24"), answers=True)
    assert answer.data == b"\xaa" * 256 + b"\xbb" * 256 + b"\xcc\xdd"
    assert answer.sw == 0x9000
    script.check_done()


def test_an_answer_in_pieces_as_t0_has_it() -> None:
    """No data with the first 61xx, and 6Cxx to a GET RESPONSE."""
    script = Script(("00CBA010025C0000", "6110"), ("00C0000010", "6C03"), ("00C0000003", "0102039000"))
    assert exchange(script).run(0xCB, 0xA010, b"\x5c\x00", answers=True, command="reading") == b"\x01\x02\x03"
    script.check_done()


def test_a_wrong_le_is_put_right_once() -> None:
    script = Script(("00CBA010025C0000", "6C02"), ("00CBA010025C0002", "01029000"))
    assert exchange(script).send(0xCB, 0xA010, b"\x5c\x00", answers=True).data == b"\x01\x02"
    script.check_done()
    script = Script(("0047000001AA", "6C05"), ("0047000001AA05", "6C06"))
    assert exchange(script).send(0x47, 0x0000, b"\xaa").sw == 0x6C06
    script.check_done()


def test_an_error_after_part_of_the_answer_is_the_answer() -> None:
    script = Script(("00CB3FFF", "AA6101"), ("00C0000001", "6F00"))
    assert exchange(script).send(0xCB, 0x3FFF).sw == 0x6F00


class Endless(Double):
    def __init__(self, answer: str) -> None:
        self.answer = bytes.fromhex(answer)

    def transmit(self, command: bytes) -> bytes:
        return self.answer


@pytest.mark.parametrize("answer", ["6100", "AA" * 256 + "6100"])
def test_an_answer_without_end(answer: str) -> None:
    with pytest.raises(CardUnresponsive, match="no end"):
        exchange(Endless(answer)).send(0xCB, 0x3FFF)


@pytest.mark.parametrize("answer", ["", "90"])
def test_an_answer_without_status_word(answer: str) -> None:
    with pytest.raises(CardUnresponsive, match="status word"):
        exchange(Endless(answer)).send(0xCB, 0x3FFF)


def test_refusals_are_errors() -> None:
    with pytest.raises(AuthenticationRequired, match="writing x needs the PIN first"):
        exchange(Script(("00DBA010", "6982"))).run(0xDB, 0xA010, command="writing x")
    with pytest.raises(UnexpectedStatus, match="refused writing x: 6A84, not enough memory") as caught:
        exchange(Script(("00DBA010", "6A84"))).run(0xDB, 0xA010, command="writing x")
    assert caught.value.sw == 0x6A84
