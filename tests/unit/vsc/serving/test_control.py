"""vsc.serving.control: acting on a running vsc through its socket."""

import json
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsc.errors import CardInUseError, CardNotFoundError
from vsc.factory import create
from vsc.serving.control import NAME, VARIABLE, ControlError, ControlServer, ask, contents
from vsc.serving.desk import Desk

READER = "Virtual Smart Card 00 00"


class Settled:
    """Counts how often clients were given time to see."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


@pytest.fixture
def settled() -> Settled:
    return Settled()


@pytest.fixture
def desk() -> Iterator[Desk]:
    with Desk() as desk:
        desk.add_reader()
        desk.add_new_card("gids")
        yield desk


@pytest.fixture
def server(tmp_path: Path, desk: Desk, settled: Settled) -> Iterator[ControlServer]:
    with ControlServer(tmp_path / NAME, desk, settled) as server:
        yield server


def test_a_card_goes_in_is_reset_and_comes_out(server: ControlServer, desk: Desk, settled: Settled) -> None:
    assert ask(server.path, {"do": "insert", "what": "new-1", "reader": None}) == READER
    assert [reader.card is None for reader in desk.readers] == [False]
    assert ask(server.path, {"do": "reset", "what": "new-1", "cold": True}) == READER
    other = desk.add_new_card("gids")
    assert ask(server.path, {"do": "swap", "what": READER, "card": other}) == READER
    assert ask(server.path, {"do": "eject", "what": other}) == READER
    assert [reader.card is None for reader in desk.readers] == [True]
    assert settled.count == 4


def test_the_socket_is_found_by_its_folder_its_neighbour_or_the_variable(
    server: ControlServer, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (server.path.parent, server.path.parent / "service"):
        ask(path, {"do": "insert", "what": "new-1"})
        ask(path, {"do": "eject", "what": "new-1"})
    monkeypatch.setenv(VARIABLE, str(server.path))
    assert ask(None, {"do": "insert", "what": "new-1"}) == READER


def test_the_socket_is_ours_alone_and_goes_with_the_server(tmp_path: Path, desk: Desk, settled: Settled) -> None:
    with ControlServer(tmp_path / NAME, desk, settled) as server:
        assert stat.S_IMODE(server.path.stat().st_mode) == 0o600
    assert not server.path.exists()


def test_refusals_come_back_as_sentences(server: ControlServer) -> None:
    with pytest.raises(ControlError, match="called 'nobody'"):
        ask(server.path, {"do": "eject", "what": "nobody"})


def test_an_unknown_card_is_not_found(server: ControlServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VSC_HOME", str(tmp_path / "cards"))
    with pytest.raises(CardNotFoundError):
        ask(server.path, {"do": "insert", "what": "nobody"})


def test_cards_are_plugged_in_listed_and_unplugged(
    server: ControlServer, settled: Settled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VSC_HOME", str(tmp_path / "cards"))
    create("work", pin=b"12345678")
    assert contents(server.path) == {READER: None}
    name = ask(server.path, {"do": "plug", "what": "work"})
    assert contents(server.path) == {READER: None, name: "work"}
    with pytest.raises(CardInUseError, match="in reader"):
        ask(server.path, {"do": "plug", "what": "work"})
    with pytest.raises(CardNotFoundError):
        ask(server.path, {"do": "plug", "what": "nobody"})
    assert ask(server.path, {"do": "unplug", "what": "work"}) == name
    with pytest.raises(CardNotFoundError):
        ask(server.path, {"do": "unplug", "what": "work"})
    assert contents(server.path) == {READER: None}


def test_many_readers_are_listed(server: ControlServer, desk: Desk) -> None:
    names = [desk.add_reader(f"Reader {number} " + "☂" * 30).name for number in range(100)]
    assert list(contents(server.path)) == [READER, *names]


@pytest.mark.parametrize("request_", [{}, {"do": "dance", "what": "new-1"}, {"do": "insert"}, {"do": 5, "what": []}])
def test_a_request_that_makes_no_sense_is_refused(server: ControlServer, request_: dict[str, object]) -> None:
    with pytest.raises(ControlError, match=r"not understood|called"):
        ask(server.path, request_)


def test_rubbish_neither_ends_the_server_nor_changes_anything(server: ControlServer, desk: Desk) -> None:
    @given(st.binary(max_size=300))
    def send(rubbish: bytes) -> None:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(server.path))
            client.sendall(rubbish + b"\n")
            client.shutdown(socket.SHUT_WR)
            with client.makefile("rb") as answer:
                assert "error" in json.loads(answer.readline())

    send()
    assert desk.readers[0].events == ()
    assert ask(server.path, {"do": "insert", "what": "new-1"}) == READER


def test_a_client_may_ask_more_than_once(server: ControlServer) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(server.path))
        client.sendall(b'{"do": "list"}\n{"do": "insert", "what": "new-1"}\n')
        with client.makefile("rb") as answers:
            assert [json.loads(answers.readline())["ok"] for _ in "ab"] == [{READER: None}, READER]


@pytest.mark.parametrize("rubbish", [b"[" * 1500 + b"\n", b'{"do": ' * 600 + b"\n", b"x" * 5000])
def test_a_request_that_is_deep_or_long_ends_nothing(server: ControlServer, rubbish: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(server.path))
        client.sendall(rubbish)
        with client.makefile("rb") as answer:
            assert "error" in json.loads(answer.readline())
    assert contents(server.path) == {READER: None}


def test_a_slow_client_keeps_nobody_out_and_is_hung_up_on(
    tmp_path: Path, desk: Desk, settled: Settled, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ControlServer(tmp_path / NAME, desk, settled) as server, socket.socket(socket.AF_UNIX) as slow:
        slow.connect(str(server.path))
        slow.sendall(b"{")
        assert contents(server.path) == {READER: None}
    monkeypatch.setattr(ControlServer, "client_s", 0.01)
    with ControlServer(tmp_path / NAME, desk, settled) as server, socket.socket(socket.AF_UNIX) as slow:
        slow.connect(str(server.path))
        slow.sendall(b"{")
        assert slow.recv(1) == b""


def test_who_is_not_there_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ControlError, match="no vsc answers"):
        ask(tmp_path / NAME, {"do": "eject", "what": "work"})
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(ControlError, match="which vsc"):
        ask(None, {"do": "eject", "what": "work"})


def test_the_socket_of_somebody_else_stays(tmp_path: Path, desk: Desk, settled: Settled) -> None:
    """What a killed server left is for `Folder` to know, which has the lock."""
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / NAME))
    with pytest.raises(ControlError, match="in use"), ControlServer(tmp_path / NAME, desk, settled):
        pass
    assert (tmp_path / NAME).is_socket()


def test_a_path_that_something_else_has_is_said(tmp_path: Path, desk: Desk, settled: Settled) -> None:
    (tmp_path / NAME).write_text("mine")
    with pytest.raises(ControlError, match="no control socket"), ControlServer(tmp_path / NAME, desk, settled):
        pass
    assert (tmp_path / NAME).read_text() == "mine"


def test_a_server_that_is_silent_or_takes_nobody_in_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`vsc eject` waited for ever."""
    monkeypatch.setattr("vsc.serving.control._ANSWER_S", 0.05)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / NAME))
        silent.listen(0)
        for _ in range(3):  # The first two fill the queue.
            with pytest.raises(ControlError, match="has not answered for"):
                contents(tmp_path / NAME)


@pytest.mark.parametrize("answer", [b"[" * 100_000, b"[]\n", b"5\n", b'"ok"\n', b"\xff\n", b"", b"null\n"])
def test_what_answers_but_is_no_vsc_is_said(tmp_path: Path, answer: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / NAME))
        other.listen()

        def serve() -> None:
            client, _ = other.accept()
            with client:
                client.recv(100)
                client.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(ControlError, match="vsc"):
            contents(tmp_path / NAME)
        thread.join()


def test_a_client_for_which_there_is_no_thread_is_sent_away(
    server: ControlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        with pytest.raises(ControlError, match="no vsc answers"):
            contents(server.path)
    assert contents(server.path) == {READER: None}
