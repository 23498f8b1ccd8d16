"""vpcd_bridge.frames: lengths, limits, and what counts as rubbish. Splits: tests/property/test_vpcd_frames.py."""

import pytest

from tests.unit.each import each
from vpcd_bridge.errors import ProtocolError, VpcdError
from vpcd_bridge.frames import MAX_BODY_BYTES, Control, FrameParser, encode


def test_encode_puts_a_big_endian_length_before_the_body() -> None:
    assert encode(b"\x90\x00") == bytes.fromhex("0002 9000")
    assert encode(bytes(0x0102))[:2] == bytes.fromhex("0102")


def test_encode_takes_an_empty_body() -> None:
    assert encode(b"") == b"\x00\x00"


def test_encode_takes_what_two_bytes_can_say_and_no_more() -> None:
    assert len(encode(bytes(MAX_BODY_BYTES))) == MAX_BODY_BYTES + 2
    with pytest.raises(ValueError, match="65536"):
        encode(bytes(MAX_BODY_BYTES + 1))


@pytest.mark.parametrize(("code", "control"), [(0, Control.OFF), (1, Control.ON), (2, Control.RESET), (4, Control.ATR)])
def test_a_body_of_one_byte_is_a_control_code(code: int, control: Control) -> None:
    (frame,) = FrameParser().feed(bytes([0, 1, code]))
    assert frame is control


@pytest.mark.parametrize("body", [b"\x04\x04", b"\x00\xa4\x04", bytes(MAX_BODY_BYTES)])
def test_a_longer_body_is_an_apdu_malformed_or_not(body: bytes) -> None:
    assert list(FrameParser().feed(encode(body))) == [body]


def test_several_frames_in_one_piece_come_in_order() -> None:
    raw = encode(b"\x01") + encode(b"\x00\xa4\x04\x00") + encode(b"\x04")
    assert list(FrameParser().feed(raw)) == [Control.ON, b"\x00\xa4\x04\x00", Control.ATR]


def test_an_incomplete_frame_waits_for_its_rest() -> None:
    parser = FrameParser()
    assert list(parser.feed(b"\x00")) == []
    assert list(parser.feed(b"\x02\x90")) == []
    assert parser.pending_bytes == 3
    assert list(parser.feed(b"\x00")) == [b"\x90\x00"]
    assert parser.pending_bytes == 0


def test_frames_not_asked_for_come_with_the_next_call() -> None:
    parser = FrameParser()
    parser.feed(encode(b"\x01"))
    assert list(parser.feed(encode(b"\x04"))) == [Control.ON, Control.ATR]


def test_an_empty_frame_is_rubbish() -> None:
    with pytest.raises(ProtocolError, match="empty frame"):
        list(FrameParser().feed(b"\x00\x00"))


def test_an_unknown_control_code_is_rubbish() -> None:
    for code in each([code for code in range(256) if code not in set(Control)]):
        with pytest.raises(ProtocolError, match=f"{code:02X}"):
            list(FrameParser().feed(bytes([0, 1, code])))


def test_a_frame_over_the_limit_is_refused_on_its_length_alone() -> None:
    parser = FrameParser(max_body_bytes=16)
    assert list(parser.feed(encode(bytes(16)))) == [bytes(16)]
    with pytest.raises(ProtocolError, match="17 bytes; at most 16"):
        list(parser.feed(b"\x00\x11"))


def test_frames_before_rubbish_are_delivered() -> None:
    frames = FrameParser().feed(encode(b"\x04") + b"\x00\x00")
    assert next(frames) is Control.ATR
    with pytest.raises(ProtocolError):
        next(frames)


@pytest.mark.parametrize("limit", [0, MAX_BODY_BYTES + 1])
def test_a_limit_that_no_frame_can_have_is_refused(limit: int) -> None:
    with pytest.raises(ValueError, match="max_body_bytes"):
        FrameParser(max_body_bytes=limit)


def test_protocol_error_is_a_vpcd_error() -> None:
    assert issubclass(ProtocolError, VpcdError)
