"""card_os.apdu: the seven cases byte by byte, and everything that is none of them (iso7816.md section 1)."""

import pytest

from card_os.apdu import MAX_NC, MAX_NE, Case, CommandApdu, ResponseApdu
from card_os.sw import SW, CardError
from card_os.wire import Format

H = "00A40400"

CASES = [
    ("1", H, Case.CASE_1, CommandApdu(0, 0xA4, 4, 0)),
    ("2S", H + "05", Case.CASE_2S, CommandApdu(0, 0xA4, 4, 0, ne=5)),
    ("2S Le 00", H + "00", Case.CASE_2S, CommandApdu(0, 0xA4, 4, 0, ne=256)),
    ("3S", H + "02 AABB", Case.CASE_3S, CommandApdu(0, 0xA4, 4, 0, b"\xaa\xbb")),
    ("3S 255", H + "FF" + "11" * 255, Case.CASE_3S, CommandApdu(0, 0xA4, 4, 0, b"\x11" * 255)),
    ("4S", H + "02 AABB 05", Case.CASE_4S, CommandApdu(0, 0xA4, 4, 0, b"\xaa\xbb", 5)),
    ("4S Le 00", H + "02 AABB 00", Case.CASE_4S, CommandApdu(0, 0xA4, 4, 0, b"\xaa\xbb", 256)),
    ("2E", H + "00 0100", Case.CASE_2E, CommandApdu(0, 0xA4, 4, 0, ne=256, extended=True)),
    ("2E small", H + "00 0001", Case.CASE_2E, CommandApdu(0, 0xA4, 4, 0, ne=1, extended=True)),
    ("2E Le 0000", H + "00 0000", Case.CASE_2E, CommandApdu(0, 0xA4, 4, 0, ne=65536, extended=True)),
    ("3E", H + "00 0002 AABB", Case.CASE_3E, CommandApdu(0, 0xA4, 4, 0, b"\xaa\xbb", extended=True)),
    (
        "3E 256",
        H + "00 0100" + "22" * 256,
        Case.CASE_3E,
        CommandApdu(0, 0xA4, 4, 0, b"\x22" * 256, extended=True),
    ),
    (
        "3E 65535",
        H + "00 FFFF" + "33" * 65535,
        Case.CASE_3E,
        CommandApdu(0, 0xA4, 4, 0, b"\x33" * 65535, extended=True),
    ),
    ("4E", H + "00 0002 AABB 0005", Case.CASE_4E, CommandApdu(0, 0xA4, 4, 0, b"\xaa\xbb", 5, True)),
    ("4E Le 0000", H + "00 0002 AABB 0000", Case.CASE_4E, CommandApdu(0, 0xA4, 4, 0, b"\xaa\xbb", 65536, True)),
    ("2S looks like Lc", H + "FF", Case.CASE_2S, CommandApdu(0, 0xA4, 4, 0, ne=255)),
    ("3S of one byte", H + "01 AA", Case.CASE_3S, CommandApdu(0, 0xA4, 4, 0, b"\xaa")),
    ("3S of two bytes, as long as 2E", H + "02 0000", Case.CASE_3S, CommandApdu(0, 0xA4, 4, 0, bytes(2))),
]


@pytest.mark.parametrize(("raw", "case", "command"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_the_seven_cases(raw: str, case: Case, command: CommandApdu) -> None:
    wire = bytes.fromhex(raw)
    assert Case.of(wire) is case
    assert CommandApdu.parse(wire) == command
    assert command.case is case
    assert bytes(command) == wire


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "00",
        "00A404",
        H + "02 AA",
        H + "02 AABB 00 00",
        H + "02 AABB 0000",
        H + "FF" + "11" * 254,
        H + "00 00",
        H + "00 05",
        H + "00 0000 00",
        H + "00 0000 0000",
        H + "00 0000 AABB 0000",
        H + "00 0002 AA",
        H + "00 0002 AABB 00",
        H + "00 0002 AABB 000000",
        H + "00 0100" + "22" * 255,
        H + "01 AA 0000",
    ],
    ids=lambda raw: f"{len(bytes.fromhex(raw))} bytes, {raw[8:20] or 'no body'}",
)
def test_what_fits_no_case_is_a_wrong_length(raw: str) -> None:
    with pytest.raises(CardError) as refused:
        CommandApdu.parse(bytes.fromhex(raw))
    assert refused.value.sw == SW.WRONG_LENGTH


def test_each_case_is_a_format() -> None:
    assert len(Case) == 7
    assert all(isinstance(case.value, Format) for case in Case)


@pytest.mark.parametrize(
    ("raw", "ne"),
    [
        (H, 256),
        (H + "05", 5),
        (H + "00", 256),
        (H + "02 AABB", 256),
        (H + "02 AABB 07", 7),
        (H + "00 0101", 257),
        (H + "00 0000", MAX_NE),
        (H + "00 0002 AABB", MAX_NE),
        (H + "00 0002 AABB 0003", 3),
    ],
)
def test_an_absent_le_still_serves_data(raw: str, ne: int) -> None:
    assert CommandApdu.parse(bytes.fromhex(raw)).effective_ne == ne


def test_an_absent_le_stays_visible_as_ne_0() -> None:
    assert CommandApdu.parse(bytes.fromhex(H)).ne == 0
    assert CommandApdu.parse(bytes.fromhex(H + "01AA")).ne == 0


@pytest.mark.parametrize("position", range(4))
@pytest.mark.parametrize("value", [-1, 256])
def test_header_bytes_are_bytes(position: int, value: int) -> None:
    cla, ins, p1, p2 = (value if place == position else 0 for place in range(4))
    with pytest.raises(ValueError, match="are bytes"):
        CommandApdu(cla, ins, p1, p2)


@pytest.mark.parametrize(
    ("data_bytes", "ne", "extended"),
    [
        (256, 0, False),
        (0, 257, False),
        (0, -1, False),
        (MAX_NC + 1, 0, True),
        (0, MAX_NE + 1, True),
        (0, 0, True),
    ],
)
def test_a_command_that_no_case_can_carry_cannot_be_made(data_bytes: int, ne: int, extended: bool) -> None:
    with pytest.raises(ValueError):
        CommandApdu(0, 0, 0, 0, bytes(data_bytes), ne, extended)


def test_p1p2_reads_both() -> None:
    assert CommandApdu(0, 0xCB, 0x3F, 0xFF).p1p2 == 0x3FFF


def test_a_response_is_data_and_status_word() -> None:
    assert bytes(ResponseApdu(b"\x01\x02")) == bytes.fromhex("0102 9000")
    assert bytes(ResponseApdu(sw=0x6A82)) == bytes.fromhex("6A82")
    assert ResponseApdu.parse(bytes.fromhex("0102 6285")) == ResponseApdu(b"\x01\x02", 0x6285)


@pytest.mark.parametrize("raw", [b"", b"\x90"])
def test_a_response_has_at_least_a_status_word(raw: bytes) -> None:
    with pytest.raises(ValueError, match="two bytes"):
        ResponseApdu.parse(raw)
