"""card_os.words: phrases, and looks into any bytes."""

from hypothesis import given
from hypothesis import strategies as st

from card_os.tlv import Tlv, join
from card_os.words import byte_count, either, inside, joined, objects, only, value

ONE, TWO = Tlv(0x80, b"\x01"), Tlv(0x7C, bytes(Tlv(0x81, b"\x02")))


def test_phrases() -> None:
    assert [byte_count(n) for n in (0, 1, 2)] == ["0 bytes", "1 byte", "2 bytes"]
    assert joined("a", "", "b") == "a, b"
    assert either("a", "", "b") == "a; or b"
    assert joined() == either("") == ""


def test_looks_inside() -> None:
    assert objects(join([ONE, TWO])) == (ONE, TWO)
    assert only(bytes(ONE)) == ONE
    assert only(join([ONE, TWO])) is None
    assert inside(bytes(TWO), 0x7C) == (Tlv(0x81, b"\x02"),)
    assert inside(bytes(TWO), 0x7D) == inside(b"", 0x7C) == ()
    assert (value((ONE, TWO), 0x80), value((ONE,), 0x81)) == (b"\x01", None)


@given(st.binary(max_size=40), st.integers(0, 0xFF))
def test_any_bytes_can_be_looked_into(raw: bytes, tag: int) -> None:
    assert only(raw) is None or bytes(only(raw) or ONE)
    assert isinstance(inside(raw, tag), tuple)
