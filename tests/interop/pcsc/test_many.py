"""Many services at once, and many readers on one."""

import socket
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from bench.null_card import NullCard
from tests.interop.pcsc import winscard as w
from tests.interop.pcsc.conftest import Start
from tests.interop.pcsc.puppet import Puppet
from tests.unit.vsc.pcsc.peer import ANY, raw_request, states_in
from vsc.pcsc import Service
from vsc.pcsc import messages as m
from vsc.pcsc.codes import Command, ReturnCode, ShareMode
from vsc.reader import DEFAULT_NAME, Reader

SERVICES = 8
APDUS = 50
DEADLINE_S = 30.0


class Numbered(NullCard):
    """A card that answers with its serial number."""

    def __init__(self, serial: int) -> None:
        self.serial = serial.to_bytes(4, "big")

    def transmit(self, command: bytes) -> bytes:
        return self.serial + b"\x90\x00"


def numbered(serial: int, name: str = DEFAULT_NAME) -> Reader:
    reader = Reader(name)
    reader.insert(Numbered(serial))
    return reader


def test_8_services_with_8_clients_at_once(start: Start) -> None:
    """All readers have the same name, so that whoever came to the wrong service would not notice by that."""
    together = threading.Barrier(SERVICES, timeout=DEADLINE_S)

    def client(env: Mapping[str, str]) -> set[str]:
        with Puppet(env) as puppet:
            together.wait()
            assert puppet("list_readers", "$context") == ["SUCCESS", [DEFAULT_NAME]]
            answers = set()
            for _ in range(APDUS):
                assert puppet("connect", "$context", DEFAULT_NAME, w.EXCLUSIVE, keep="card")[0] == "SUCCESS"
                answers.add(puppet("transmit", "$card", "hex:00ca0000")[1])
                assert puppet("disconnect", "$card", w.RESET) == ["SUCCESS"]
            together.wait()
            return answers

    environments = [start(numbered(serial)) for serial in range(SERVICES)]
    with ThreadPoolExecutor(SERVICES) as pool:
        found = list(pool.map(client, environments))
    assert found == [{f"{serial:08x}9000"} for serial in range(SERVICES)]


def test_libpcsclite_sees_as_many_readers_as_its_protocol_has(start: Start) -> None:
    """16 up to 4:5 (libpcsclite 1.9.9 of Debian 12 speaks 4:4), all with 4:6; each is the reader that it says."""
    names = [f"Many {number:02}" for number in range(64)]
    with Puppet(start(*map(numbered, range(64), names))) as puppet:
        _, listed = puppet("list_readers", "$context")
        assert listed == names[: len(listed)]
        assert len(listed) in (16, 64)
        for serial, name in enumerate(listed):
            assert puppet("connect", "$context", name, keep="card")[0] == "SUCCESS"
            assert puppet("transmit", "$card", "hex:00ca0000")[1] == f"{serial:08x}9000"
            assert puppet("disconnect", "$card") == ["SUCCESS"]


def test_64_readers_for_a_client_of_protocol_4_6(monkeypatch: pytest.MonkeyPatch) -> None:
    """Byte by byte on the socket, in this very process: no libpcsclite of Debian 12 speaks 4:6."""
    monkeypatch.setattr("vsc.pcsc.service._own_process", lambda: 0)
    names = [f"Many {number:02}" for number in range(64)]
    service = Service([numbered(serial, name) for serial, name in enumerate(names)])
    with ExitStack() as undo:
        undo.enter_context(service)
        sock = undo.enter_context(socket.socket(socket.AF_UNIX))
        sock.settimeout(DEADLINE_S)
        sock.connect(str(service.socket_path))

        def ask(command: Command, body: m.Message | None = None, payload: bytes = b"", *, size: int) -> bytes:
            sock.sendall(raw_request(command, bytes(body) if body else b"", payload))
            return sock.recv(size, socket.MSG_WAITALL)

        assert m.Version.parse(ask(Command.VERSION, m.Version(4, 6), size=m.Version.SIZE)) == m.Version(4, 6)
        raw = ask(Command.ESTABLISH_CONTEXT, m.EstablishContext(2), size=m.EstablishContext.SIZE)
        context = m.EstablishContext.parse(raw).context
        entries = m.ArraySize.parse(ask(Command.GET_READERS_STATE_SIZE, size=m.ArraySize.SIZE)).entries
        assert entries == 64
        states = states_in(ask(Command.GET_READERS_STATE_ARRAY, size=64 * m.ReaderState.SIZE))
        assert [state.name.rstrip(b"\0").decode() for state in states] == names
        for serial, name in enumerate(names):
            connect = m.Connect(context, m.padded_name(name.encode()), ShareMode.SHARED, ANY)
            connected = m.Connect.parse(ask(Command.CONNECT, connect, size=m.Connect.SIZE))
            assert connected.rv == ReturnCode.SUCCESS
            transmit = m.Transmit(connected.card, 2, 16, 4, 2, 16, 100)
            raw = ask(Command.TRANSMIT, transmit, bytes(4), size=m.Transmit.SIZE + 6)
            assert raw[m.Transmit.SIZE :] == serial.to_bytes(4, "big") + b"\x90\x00"
