"""An answer to reset and its bytes are two forms of the same thing."""

from hypothesis import given
from hypothesis import strategies as st

from card_os.atr import MAX_BYTES, Atr
from card_os.wire import WireError
from tests.property.strategies import BYTE, atrs, damaged


@given(atrs())
def test_an_atr_comes_back_from_its_bytes(atr: Atr) -> None:
    raw = bytes(atr)
    assert Atr.parse(raw) == atr
    assert 2 <= len(raw) <= MAX_BYTES


@given(st.binary(max_size=40) | st.binary(max_size=40).map(lambda tail: b"\x3b" + tail) | damaged(atrs().map(bytes)))
def test_an_atr_that_is_accepted_is_written_the_same(raw: bytes) -> None:
    try:
        atr = Atr.parse(raw)
    except WireError:
        return
    assert bytes(atr) == raw


@given(atrs(), st.data())
def test_any_single_wrong_byte_of_an_atr_with_tck_is_noticed(atr: Atr, data: st.DataObject) -> None:
    raw = bytearray(bytes(atr))
    place = data.draw(st.integers(1, len(raw) - 1))
    raw[place] = data.draw(BYTE.filter(lambda byte: byte != raw[place]))
    try:
        other = Atr.parse(bytes(raw))
    except WireError:
        return
    # Without TCK nothing protects the bytes; a change of T0 or a TD can make it so.
    assert not (atr.has_tck and other.has_tck)
