import pytest

from tests.unit.each import each
from tests.unit.vsc.pcsc.peer import raw_request
from vsc.pcsc import messages as m
from vsc.pcsc.codes import MAX_PAYLOAD_BYTES, Command
from vsc.pcsc.errors import HangUp
from vsc.pcsc.requests import Request, RequestParser


def parsed(raw: bytes) -> list[Request]:
    parser = RequestParser()
    parser.feed(raw)
    return list(parser)


def test_requests_come_out_whole_however_they_are_split() -> None:
    transmit = m.Transmit(1, 2, 16, 5, 2, 16, 100)
    raw = raw_request(Command.TRANSMIT, bytes(transmit), b"12345") + raw_request(Command.GET_READERS_STATE)
    expected = [Request(Command.TRANSMIT, transmit, b"12345"), Request(Command.GET_READERS_STATE, None)]
    assert parsed(raw) == expected
    parser, found = RequestParser(), []
    for byte in raw:
        parser.feed(bytes([byte]))
        found += list(parser)
    assert found == expected
    assert parser.pending_bytes == 0


@pytest.mark.parametrize("command", [0, 3, 0x0C, 0x0E, 0x18, 0xFFFF_FFFF])
def test_an_unknown_command_ends_it(command: int) -> None:
    with pytest.raises(HangUp, match="unknown command"):
        parsed(raw_request(command))


def test_a_wrong_size_ends_it_before_the_body_is_there() -> None:
    for command in each(Command):
        kind = m.REQUESTS[command]
        for size in (0xFFFF_FFFF, (kind.SIZE if kind else 0) + 1):
            with pytest.raises(HangUp, match="struct of"):
                parsed(raw_request(command, size=size))


def test_payloads_have_a_limit() -> None:
    for body in (m.Transmit(1, 2, 16, MAX_PAYLOAD_BYTES, 2, 16, 0), m.Control(1, 2, MAX_PAYLOAD_BYTES, 0)):
        command = Command.TRANSMIT if isinstance(body, m.Transmit) else Command.CONTROL
        [request] = parsed(raw_request(command, bytes(body), bytes(MAX_PAYLOAD_BYTES)))
        assert len(request.payload) == MAX_PAYLOAD_BYTES
    with pytest.raises(HangUp, match="65549"):
        parsed(raw_request(Command.TRANSMIT, bytes(m.Transmit(1, 2, 16, MAX_PAYLOAD_BYTES + 1, 2, 16, 0))))
    with pytest.raises(HangUp, match="65549"):
        parsed(raw_request(Command.CONTROL, bytes(m.Control(1, 2, MAX_PAYLOAD_BYTES + 1, 0))))
    for command in (Command.GET_ATTRIB, Command.SET_ATTRIB):
        with pytest.raises(HangUp, match="attribute of 265"):
            parsed(raw_request(command, bytes(m.GetSetAttribute(1, 2, value_bytes=265))))
