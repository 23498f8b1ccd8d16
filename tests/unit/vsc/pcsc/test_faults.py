"""Faults over the private PC/SC: what the engine answers, and who must go.

With libpcsclite at the other end: tests/interop/test_faults.py.
"""

import socket
from collections.abc import Iterator

import pytest

from tests.unit.vsc.pcsc.peer import Peer, raw_request
from tests.unit.vsc.pcsc.test_service import Client
from vsc.faults import Fault, inject
from vsc.pcsc import Service
from vsc.pcsc import messages as m
from vsc.pcsc.codes import Command, Disposition, Protocol, ReturnCode
from vsc.pcsc.engine import Engine
from vsc.reader import Reader
from vsc.testing import SoftCard

VERIFY = bytes.fromhex("0020008008") + b"12345678"
FRAME_BYTES = 32 + 2
"""A reply to TRANSMIT: the struct, and a status word."""


@pytest.fixture
def card() -> SoftCard:
    return SoftCard.make(seed=1)


@pytest.mark.parametrize(
    ("text", "rv", "answer"),
    [
        ("sw 6F00 on VERIFY", ReturnCode.SUCCESS, "6f00"),
        ("answer DEADBEEF9000 on VERIFY", ReturnCode.SUCCESS, "deadbeef9000"),
        ("delay 1ms on VERIFY", ReturnCode.SUCCESS, "9000"),
        ("garble on VERIFY", ReturnCode.SUCCESS, "6fff"),
        ("mute on VERIFY", ReturnCode.NOT_TRANSACTED, ""),
        ("lose on VERIFY", ReturnCode.NOT_TRANSACTED, ""),
        ("share before VERIFY", ReturnCode.SHARING_VIOLATION, ""),
        ("remove before VERIFY", ReturnCode.REMOVED_CARD, ""),
        ("remove on VERIFY", ReturnCode.REMOVED_CARD, ""),
        ("remove before VERIFY and back", ReturnCode.REMOVED_CARD, ""),
        ("swap before VERIFY", ReturnCode.REMOVED_CARD, ""),
        ("reset before VERIFY", ReturnCode.RESET_CARD, ""),
    ],
)
def test_what_transmit_returns(engine: Engine, peer: Peer, reader: Reader, text: str, rv: int, answer: str) -> None:
    handle = peer.handle(reader)
    plan = inject(reader, text)
    reply, data = peer.transmit(handle, VERIFY)
    assert (reply.rv, data.hex()) == (rv, answer)
    plan.check()
    assert not engine.faults


def test_removed_after_a_command(peer: Peer, reader: Reader) -> None:
    handle = peer.handle(reader)
    inject(reader, "remove after VERIFY")
    assert peer.transmit(handle, VERIFY)[1] == b"\x90\x00"
    assert peer.transmit(handle, VERIFY)[0].rv == ReturnCode.REMOVED_CARD


@pytest.mark.parametrize(("text", "sent_bytes"), [("cut on VERIFY", FRAME_BYTES // 2), ("close on VERIFY", 0)])
def test_a_frame_that_breaks_off(peer: Peer, other: Peer, reader: Reader, text: str, sent_bytes: int) -> None:
    handle, others = peer.handle(reader), other.handle(reader)
    inject(reader, text)
    send_verify(peer, handle)
    assert peer.is_closed
    assert len(peer.read()) == sent_bytes
    assert other.transmit(others, VERIFY)[1] == b"\x90\x00", "nobody else is touched"


def send_verify(peer: Peer, handle: int) -> None:
    """Without waiting for a reply."""
    body = m.Transmit(handle, Protocol.T1, 16, len(VERIFY), Protocol.T1, 16, 65_548)
    peer.send(raw_request(Command.TRANSMIT, bytes(body), VERIFY))


def test_the_lock_goes_with_the_client_whose_frame_breaks_off(peer: Peer, other: Peer, reader: Reader) -> None:
    handle = peer.handle(reader)
    assert peer.begin(handle) == ReturnCode.SUCCESS
    inject(reader, "close on VERIFY")
    send_verify(peer, handle)
    assert other.begin(other.handle(reader)) == ReturnCode.SUCCESS


def test_a_refused_command_is_seen_by_faults_all_the_same(peer: Peer, reader: Reader) -> None:
    """They strike before the handle is looked at, so they see what hosts send, not what gets through."""
    handle = peer.handle(reader)
    plan = inject(reader, "reset before VERIFY", "remove before VERIFY nth 3")
    assert peer.transmit(handle, VERIFY)[0].rv == ReturnCode.RESET_CARD
    assert peer.transmit(handle, VERIFY)[0].rv == ReturnCode.RESET_CARD
    assert peer.transmit(handle, VERIFY)[0].rv == ReturnCode.REMOVED_CARD
    plan.check()


def test_another_holds_the_lock(peer: Peer, other: Peer, reader: Reader) -> None:
    handle, others = peer.handle(reader), other.handle(reader)
    other.begin(others)
    plan = inject(reader, "sw 6F00 on VERIFY")
    assert peer.transmit(handle, VERIFY)[0].rv == ReturnCode.SHARING_VIOLATION
    assert plan.fired == ()
    assert other.transmit(others, VERIFY)[1] == b"\x6f\x00"


def test_a_predicate_that_raises_is_kept_as_a_fault_of_ours(engine: Engine, peer: Peer, reader: Reader) -> None:
    handle = peer.handle(reader)
    inject(reader, Fault.parse("remove before VERIFY", when=lambda command, count: bool(1 // 0)))
    assert peer.transmit(handle, VERIFY)[1] == b"\x90\x00"
    assert [type(one) for one in engine.faults] == [ZeroDivisionError]


def test_a_reader_that_goes_while_faults_strike(engine: Engine, peer: Peer, reader: Reader) -> None:
    handle = peer.handle(reader)

    def unplug(command: bytes, count: int) -> bool:
        engine.remove_reader(reader)
        return True

    inject(reader, Fault.parse("reset before VERIFY", when=unplug))
    assert peer.transmit(handle, VERIFY)[0].rv == ReturnCode.INVALID_VALUE


@pytest.mark.parametrize(("text", "atr"), [("atr 3B00 on reset", "3b00"), ("mute on reset", "")])
def test_an_answer_to_reset(peer: Peer, reader: Reader, text: str, atr: str) -> None:
    handle = peer.handle(reader)
    inject(reader, text)
    assert peer.disconnect(handle, Disposition.RESET) == ReturnCode.SUCCESS
    state = peer.states()[0]
    assert state.atr[: state.atr_bytes].hex() == atr


# --- the service goes away


@pytest.fixture
def service(reader: Reader) -> Iterator[Service]:
    with (service := Service([reader])):
        yield service


def test_a_service_that_goes_away_and_comes_back(service: Service, reader: Reader) -> None:
    first, second = Client(service), Client(service)
    handle = first.connect()
    inject(reader, "gone before VERIFY")
    with pytest.raises(EOFError):
        first.transmit(handle, VERIFY)
    assert second.is_hung_up_on(), "all must go"
    assert service.is_away
    assert not service.socket_path.exists()
    service.come_back()
    assert service.socket_path.exists()
    third = Client(service)
    assert third.transmit(third.connect(), VERIFY) == b"\x90\x00"
    for one in (first, second, third):
        one.close()


def test_one_that_comes_back_at_once(service: Service, reader: Reader) -> None:
    first = Client(service)
    inject(reader, "gone before VERIFY and back")
    with pytest.raises(EOFError):
        first.transmit(first.connect(), VERIFY)
    assert not service.is_away
    second = Client(service)
    assert second.transmit(second.connect(), VERIFY) == b"\x90\x00"
    for one in (first, second):
        one.close()


def test_one_that_has_gone_can_be_stopped_and_started(service: Service, reader: Reader) -> None:
    client = Client(service)
    inject(reader, "gone before VERIFY")
    with pytest.raises(EOFError):
        client.transmit(client.connect(), VERIFY)
    folder = service.folder
    service.stop()
    assert not folder.exists()
    service.start()
    other = Client(service)
    other.connect()
    for one in (client, other):
        one.close()


def test_whoever_was_at_the_door_already_is_not_let_in(service: Service, reader: Reader) -> None:
    door = str(service.socket_path)
    client = Client(service)
    handle = client.connect()
    inject(reader, "gone before VERIFY")
    with pytest.raises(EOFError):
        client.transmit(handle, VERIFY)
    late = socket.socket(socket.AF_UNIX)
    late.settimeout(20)
    late.connect(door + ".away")
    assert late.recv(1) == b""
    for one in (client, late):
        one.close()
