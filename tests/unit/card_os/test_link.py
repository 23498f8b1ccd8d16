"""card_os.link: command chains and answers in parts (iso7816.md sections 2 and 4)."""

import pytest

from card_os.apdu import CommandApdu, ResponseApdu
from card_os.link import MAX_CHAIN_BYTES, Link
from card_os.sw import SW, CardError

DATA = bytes(range(256)) * 3


def part(
    data: bytes = b"", ne: int = 0, *, cla: int = 0x10, ins: int = 0xDB, p1: int = 0x3F, p2: int = 0xFF
) -> CommandApdu:
    return CommandApdu(cla, ins, p1, p2, data, ne, extended=len(data) > 255)


def refused(link: Link, apdu: CommandApdu) -> int:
    with pytest.raises(CardError) as error:
        link.get_response(apdu)
    return error.value.sw


# --- command chaining ------------------------------------------------------------------------------------------------


def test_a_single_command_passes_as_it_is() -> None:
    apdu = part(b"\x01", 5, cla=0)
    assert Link().collect(apdu, is_last=True) is apdu


def test_the_parts_of_a_chain_become_one_command() -> None:
    link = Link()
    assert link.collect(part(b"\x01\x02"), is_last=False) is None
    assert link.collect(part(b""), is_last=False) is None
    assert link.collect(part(b"\x03"), is_last=False) is None
    whole = link.collect(part(b"\x04", 7, cla=0), is_last=True)
    assert whole == CommandApdu(0, 0xDB, 0x3F, 0xFF, b"\x01\x02\x03\x04", 7)
    assert link.chain is None


def test_more_than_255_bytes_make_an_extended_command() -> None:
    link = Link()
    link.collect(part(DATA[:255]), is_last=False)
    whole = link.collect(part(DATA[255:256], cla=0), is_last=True)
    assert whole == CommandApdu(0, 0xDB, 0x3F, 0xFF, DATA[:256], 0, extended=True)


def test_parts_may_be_extended_themselves() -> None:
    link = Link()
    link.collect(part(DATA), is_last=False)
    link.collect(CommandApdu(0x10, 0xDB, 0x3F, 0xFF, ne=256, extended=True), is_last=False)
    whole = link.collect(part(b"\x01", cla=0), is_last=True)
    assert whole is not None
    assert whole.data == DATA + b"\x01"


def test_a_chain_of_nothing_is_a_command_without_data() -> None:
    link = Link()
    link.collect(CommandApdu(0x10, 0xDB, 0x3F, 0xFF, ne=512, extended=True), is_last=False)
    assert link.collect(part(cla=0), is_last=True) == part(cla=0)


def test_le_in_a_part_is_tolerated_and_forgotten() -> None:
    link = Link()
    link.collect(part(b"\x01", 256), is_last=False)
    whole = link.collect(part(b"\x02", cla=0), is_last=True)
    assert whole is not None
    assert (whole.data, whole.ne) == (b"\x01\x02", 0)


def test_a_chain_may_hold_exactly_its_limit() -> None:
    link = Link()
    link.collect(part(bytes(MAX_CHAIN_BYTES - 1)), is_last=False)
    whole = link.collect(part(b"\x01", cla=0), is_last=True)
    assert whole is not None
    assert len(whole.data) == MAX_CHAIN_BYTES


@pytest.mark.parametrize("is_last", [True, False])
def test_a_chain_beyond_its_limit_is_dropped(is_last: bool) -> None:
    link = Link()
    link.collect(part(bytes(MAX_CHAIN_BYTES)), is_last=False)
    with pytest.raises(CardError) as error:
        link.collect(part(b"\x01"), is_last=is_last)
    assert error.value.sw == SW.WRONG_LENGTH
    fresh = part(b"\x02", cla=0)
    assert link.collect(fresh, is_last=True) is fresh


OTHERS = {
    "INS": part(b"\x09", cla=0x00, ins=0x2A),
    "P1": part(b"\x09", cla=0x00, p1=0x00),
    "P2": part(b"\x09", cla=0x00, p2=0x00),
    "secure messaging": part(b"\x09", cla=0x04),
    "channel": part(b"\x09", cla=0x01),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_another_header_breaks_a_chain_and_starts_afresh(other: CommandApdu) -> None:
    link = Link()
    link.collect(part(b"\x01"), is_last=False)
    assert link.collect(other, is_last=True) is other
    rest = part(b"\x02", cla=0)
    assert link.collect(rest, is_last=True) is rest


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_an_application_may_refuse_the_command_that_breaks_a_chain(other: CommandApdu) -> None:
    link = Link()
    link.collect(part(b"\x01"), is_last=False)
    with pytest.raises(CardError) as error:
        link.collect(other, is_last=True, refuses_breaks=True)
    assert error.value.sw == SW.LAST_COMMAND_OF_CHAIN_EXPECTED
    # Only once: the chain is gone.
    assert link.collect(other, is_last=True, refuses_breaks=True) is other


def test_a_chain_that_breaks_another_one_is_collected() -> None:
    link = Link()
    link.collect(part(b"\x01"), is_last=False)
    link.collect(part(b"\x02", ins=0x2A), is_last=False)
    whole = link.collect(part(b"\x03", cla=0, ins=0x2A), is_last=True)
    assert whole is not None
    assert whole.data == b"\x02\x03"


# --- response chaining -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 255, 256])
def test_an_answer_that_fits_is_not_cut(size: int) -> None:
    link = Link()
    answer = ResponseApdu(DATA[:size], 0x6285)
    assert link.cut(answer, 256) is answer
    assert link.pending is None


@pytest.mark.parametrize(
    ("size", "ne", "sw"),
    [
        (2, 1, 0x6101),
        (256, 1, 0x61FF),
        (257, 1, 0x6100),
        (257, 256, 0x6101),
        (511, 256, 0x61FF),
        (512, 256, 0x6100),
        (768, 256, 0x6100),
    ],
)
def test_61xx_says_exactly_how_much_is_left(size: int, ne: int, sw: int) -> None:
    link = Link()
    assert link.cut(ResponseApdu(DATA[:size]), ne) == ResponseApdu(DATA[:ne], sw)


@pytest.mark.parametrize("ne", [1, 100, 255, 256])
def test_get_response_fetches_all_of_it_in_order(ne: int) -> None:
    link = Link()
    answer = link.cut(ResponseApdu(DATA, 0x6285), ne)
    got = answer.data
    while answer.sw >> 8 == 0x61:
        answer = link.get_response(CommandApdu(0, 0xC0, 0, 0, ne=ne))
        assert len(answer.data) <= ne
        got += answer.data
    # The status word of the answer itself comes last.
    assert (got, answer.sw) == (DATA, 0x6285)
    assert link.pending is None


def test_get_response_without_le_fetches_up_to_256_bytes() -> None:
    link = Link(pending=ResponseApdu(DATA))
    assert link.get_response(CommandApdu(0, 0xC0, 0, 0)) == ResponseApdu(DATA[:256], 0x6100)


def test_get_response_with_an_extended_le_fetches_the_lot() -> None:
    link = Link(pending=ResponseApdu(DATA))
    assert link.get_response(CommandApdu(0, 0xC0, 0, 0, ne=65536, extended=True)) == ResponseApdu(DATA)


def test_asking_for_more_than_is_left_gives_what_is_left() -> None:
    link = Link(pending=ResponseApdu(b"\x01\x02"))
    assert link.get_response(CommandApdu(0, 0xC0, 0, 0, ne=200)) == ResponseApdu(b"\x01\x02")


def test_get_response_with_nothing_pending_is_6985() -> None:
    assert refused(Link(), CommandApdu(0, 0xC0, 0, 0, ne=256)) == SW.CONDITIONS_NOT_SATISFIED
