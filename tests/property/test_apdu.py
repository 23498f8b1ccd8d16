"""Commands and responses come back from their bytes, and every string of bytes is at most one command."""

from hypothesis import given
from hypothesis import strategies as st

from card_os.apdu import MAX_NE, Case, CommandApdu, ResponseApdu
from card_os.sw import SW, CardError
from tests.property.strategies import BYTE, commands, damaged

LENGTHS = st.sampled_from([b"", b"\x00", b"\x01", b"\x02", b"\x00\x00", b"\x00\x00\x00", b"\x00\x00\x01", b"\xff"])
NEARLY = st.builds(
    lambda head, lengths, tail: head + lengths + tail, st.binary(max_size=5), LENGTHS, st.binary(max_size=9)
)


@given(commands())
def test_a_command_comes_back_from_its_bytes(command: CommandApdu) -> None:
    raw = bytes(command)
    assert CommandApdu.parse(raw) == command
    assert Case.of(raw) is command.case


@given(st.binary(max_size=12) | NEARLY | damaged(commands().map(bytes)))
def test_bytes_are_one_command_or_a_wrong_length(raw: bytes) -> None:
    refused: CardError | None = None
    try:
        assert bytes(CommandApdu.parse(raw)) == raw
    except CardError as error:
        refused = error
    assert refused is None or refused.sw == SW.WRONG_LENGTH


@given(st.binary(max_size=12) | NEARLY | damaged(commands().map(bytes)))
def test_exactly_one_case_or_none_accepts_a_string_of_bytes(raw: bytes) -> None:
    """The cases by their definition, written down a second time (iso7816.md section 1)."""
    body = raw[4:]
    n, b1 = len(body), body[0] if body else 0
    nc = int.from_bytes(body[1:3], "big")
    accepting = {
        Case.CASE_1: n == 0,
        Case.CASE_2S: n == 1,
        Case.CASE_3S: b1 != 0 and n == 1 + b1 > 1,
        Case.CASE_4S: b1 != 0 and n == 2 + b1,
        Case.CASE_2E: b1 == 0 and n == 3,
        Case.CASE_3E: b1 == 0 and n > 3 and nc != 0 and n == 3 + nc,
        Case.CASE_4E: b1 == 0 and n > 3 and nc != 0 and n == 5 + nc,
    }
    expected = [case for case, accepts in accepting.items() if accepts and len(raw) >= 4]
    assert len(expected) <= 1
    try:
        found = [Case.of(raw)]
    except CardError:
        found = []
    assert found == expected


@given(commands())
def test_what_is_served_is_never_nothing_and_never_more_than_asked_for(command: CommandApdu) -> None:
    assert 0 < command.effective_ne <= MAX_NE
    assert command.effective_ne == command.ne or command.ne == 0


@given(st.binary(max_size=300), BYTE, BYTE)
def test_a_response_comes_back_from_its_bytes(data: bytes, sw1: int, sw2: int) -> None:
    response = ResponseApdu(data, sw1 << 8 | sw2)
    assert bytes(response) == data + bytes([sw1, sw2])
    assert ResponseApdu.parse(bytes(response)) == response
