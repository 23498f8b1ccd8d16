"""vsc.text.byte_order_mark."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsc.text.byte_order_mark import without_mark

MARKS = {"utf-8": b"\xef\xbb\xbf", "utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}


@given(st.text(), st.sampled_from(sorted(MARKS)))
def test_text_with_a_mark_is_the_text(text: str, encoding: str) -> None:
    raw = text.encode(encoding, "surrogatepass") if encoding == "utf-8" else text.encode(encoding)
    assert without_mark(MARKS[encoding] + raw) == text.encode()


@pytest.mark.parametrize("raw", [b"", b"1234", b"\xef\xbb1", b"\xff1234", bytes(range(256))])
def test_what_has_none_stays(raw: bytes) -> None:
    assert without_mark(raw) == raw


def test_half_a_letter_is_replaced() -> None:
    assert without_mark(MARKS["utf-16-le"] + b"1\x002") == "1\ufffd".encode()
