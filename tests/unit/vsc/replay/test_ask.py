"""What a command asks for, whatever its form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_os.apdu import CommandApdu
from vsc.masking.mask import mask
from vsc.replay.ask import Ask, Header, is_success, sw_of


def ask(command: str) -> Ask:
    return Ask.of(mask(bytes.fromhex(command)))


@pytest.mark.parametrize(
    "other", ["00CB3FFF025C00", "00CB3FFF025C0000", "00CB3FFF000002 5C00", "00CB3FFF0000025C00 0000", "10CB3FFF025C00"]
)
def test_all_forms_are_one(other: str) -> None:
    assert ask(other).key == ask("00CB3FFF025C0010").key == (Header(0, 0xCB, 0x3F, 0xFF), b"\x5c\x00", 0)


def test_what_the_form_says() -> None:
    short, extended = ask("00CB3FFF025C0010"), ask("00CB3FFF0000025C000000")
    assert (short.max_answer_bytes, short.is_extended) == (16, False)
    assert (extended.max_answer_bytes, extended.is_extended) == (65_536, True)
    assert ask("00CA0000").max_answer_bytes == 256
    assert ask("10CB3FFF025C00").is_part
    assert not ask("90CB3FFF025C00").is_part


@pytest.mark.parametrize(("command", "channel"), [("00A4", 0), ("03A40000", 3), ("13A4", 3), ("4FA4", 19), ("83A4", 3)])
def test_channels(command: str, channel: int) -> None:
    assert ask(command).channel == channel


@pytest.mark.parametrize(
    ("command", "length"),
    [("00200080043132333400", 4), ("0020008004313233", 3 + 1), ("0020008000000431323334", 4), ("00200080", 0)],
)
def test_a_secret_has_its_length_only(command: str, length: int) -> None:
    assert (ask(command).data, ask(command).data_bytes) == (b"", length)


def test_pieces_make_a_whole() -> None:
    whole = ask("00CB3FFF025C00").after(ask("10CB3FFF0199"))
    assert whole.data == b"\x99\x5c\x00"


@given(st.binary(max_size=600))
def test_any_bytes_are_some_command(raw: bytes) -> None:
    assert Ask.of(mask(raw)).data_bytes <= len(raw)


@given(st.integers(0, 255), st.binary(max_size=300), st.integers(0, 65_536))
def test_the_data_of_any_command(ins: int, data: bytes, ne: int) -> None:
    apdu = CommandApdu(0, ins, 1, 2, data, ne, extended=len(data) > 255 or ne > 256)
    masked = mask(bytes(apdu))
    # What follows the header of a secret command with no Lc is hidden, for it may be a secret: it counts as data.
    assert Ask.of(masked).data_bytes == (len(data) or masked.hidden_bytes)


def test_status_words() -> None:
    assert (sw_of(b"\x01\x90\x00"), sw_of(b""), sw_of(b"\x90")) == (0x9000, 0, 0)
    assert [is_success(one) for one in (0x9000, 0x6112, 0x6282, 0x63C4, 0x6A82, 0)] == [True] * 3 + [False] * 3
