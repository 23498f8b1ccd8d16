"""The frames of vpcd_bridge hold for all bodies and all splits of the stream, rubbish included."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from vpcd_bridge.errors import ProtocolError
from vpcd_bridge.frames import FRAME, Control, Frame, FrameParser, encode
from vpcd_bridge.session import Session

APDUS = st.binary(min_size=2, max_size=300)
FRAMES = st.lists(st.one_of(st.sampled_from(Control), APDUS), max_size=6)
CUTS = st.lists(st.integers(min_value=0, max_value=2000), max_size=12)


def raw_of(frame: Frame) -> bytes:
    return encode(bytes([frame]) if isinstance(frame, Control) else frame)


def pieces(raw: bytes, cuts: list[int]) -> list[bytes]:
    edges = sorted({0, len(raw), *(cut % (len(raw) + 1) for cut in cuts)})
    return [raw[start:end] for start, end in pairwise(edges)]


def parse(chunks: list[bytes]) -> tuple[list[Frame], str]:
    """All frames, and the text of the error that ended the stream, if one did."""
    parser = FrameParser()
    frames: list[Frame] = []
    try:
        for chunk in chunks:
            for frame in parser.feed(chunk):
                frames.append(frame)  # one by one: `extend` could lose those before an error
    except ProtocolError as error:
        return frames, str(error)
    return frames, ""


class Recorder:
    """A card that only remembers what was done to it."""

    atr = b"\x3b\x00"

    def __init__(self) -> None:
        self.calls: list[bytes | str] = []

    def power_on(self) -> bytes:
        self.calls.append("on")
        return self.atr

    def power_off(self) -> None:
        self.calls.append("off")

    def reset(self) -> bytes:
        self.calls.append("reset")
        return self.atr

    def transmit(self, command: bytes) -> bytes:
        self.calls.append(command)
        return command[:2] + b"\x90\x00"


@given(st.binary(max_size=300) | st.integers(0, 0xFFFF).map(bytes))
def test_a_frame_is_what_its_struct_builds_and_reads(body: bytes) -> None:
    raw = encode(body)
    assert raw == FRAME.build({"body": body})
    if len(body) > 1:
        assert parse([raw]) == ([FRAME.parse(raw).body], "")


@given(st.binary(min_size=4, max_size=300))
def test_any_bytes_are_cut_where_the_struct_ends(raw: bytes) -> None:
    size = int.from_bytes(raw[:2], "big")
    first = next(FrameParser().feed(raw), None) if size > 1 else None
    assert first == (FRAME.parse(raw).body if 1 < size <= len(raw) - 2 else None)


@given(FRAMES, CUTS)
def test_every_split_of_the_same_bytes_gives_the_same_frames(frames: list[Frame], cuts: list[int]) -> None:
    raw = b"".join(raw_of(frame) for frame in frames)
    assert parse(pieces(raw, cuts)) == (frames, "")


@given(FRAMES)
def test_byte_by_byte_gives_the_same_frames(frames: list[Frame]) -> None:
    raw = b"".join(raw_of(frame) for frame in frames)
    assert parse([raw[i : i + 1] for i in range(len(raw))]) == (frames, "")


@given(st.binary(max_size=600), CUTS)
def test_any_bytes_give_the_same_frames_and_the_same_error_in_any_split(raw: bytes, cuts: list[int]) -> None:
    assert parse(pieces(raw, cuts)) == parse([raw])


@given(st.binary(max_size=600))
def test_what_is_accepted_is_written_back_as_it_was(raw: bytes) -> None:
    frames, error = parse([raw])
    written = b"".join(raw_of(frame) for frame in frames)
    assert raw.startswith(written)
    if not error:
        rest = raw[len(written) :]
        assert len(rest) < 2 or len(rest) < 2 + int.from_bytes(rest[:2], "big")


@given(FRAMES, CUTS)
def test_a_session_acts_and_answers_alike_in_any_split(frames: list[Frame], cuts: list[int]) -> None:
    raw = b"".join(raw_of(frame) for frame in frames)
    whole, split = Recorder(), Recorder()
    in_one = Session(whole).receive(raw)
    session = Session(split)
    assert b"".join(session.receive(piece) for piece in pieces(raw, cuts)) == in_one
    assert split.calls == whole.calls
