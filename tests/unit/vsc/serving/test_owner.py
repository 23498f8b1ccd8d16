"""vsc.serving.owner: the process that serves this one is started, called, and ended."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from vsc.errors import VscError
from vsc.pcsc import PcscError
from vsc.reader import CardRemovedError
from vsc.serving.control import ask, contents
from vsc.serving.owner import ServiceEndedError, ServiceProcess
from vsc.serving.travel import TravelError
from vsc.testing import SoftCard

SELECT = bytes.fromhex("00A4040009A00000039742544659")
WITHIN_S = 30


@pytest.fixture(scope="module")
def process() -> Iterator[ServiceProcess]:
    with ServiceProcess() as process:
        yield process


@pytest.fixture
def slot(process: ServiceProcess) -> Iterator[int]:
    slot = process.call("add", "One")
    yield slot
    process.call("close", [slot])
    process.call("forget", [slot], [])


def test_a_card_travels_there_and_answers(process: ServiceProcess, slot: int) -> None:
    number = process.new_card_number()
    process.call("lay", number, SoftCard.make())
    process.call("reader", slot, "insert", number)
    assert process.call("reader", slot, "transmit", SELECT)[-2:] == b"\x90\x00"
    assert process.call("look", slot).card == number
    assert process.call("reader", slot, "eject") == number
    with pytest.raises(CardRemovedError):
        process.call("reader", slot, "transmit", SELECT)


def test_it_has_a_control_socket_as_every_desk(process: ServiceProcess, slot: int) -> None:
    process.call("lay", 1000, SoftCard.make())
    process.call("reader", slot, "insert", 1000)
    assert contents(process.control_path) == {"One": None}
    assert ask(process.control_path, {"do": "eject", "what": "One"}) == "One"


def test_only_what_is_meant_to_be_called_is(process: ServiceProcess, slot: int) -> None:
    for work in (("_take_away",), ("clear",), ("reader", slot, "subscribe", print)):
        with pytest.raises((AssertionError, AttributeError)):
            process.call(*work)


def test_its_path_follows_ours(process: ServiceProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a_card_of_mine.py").write_text("class Mine:\n    atr = b'\\x3b\\x00'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import a_card_of_mine  # type: ignore[import-not-found,unused-ignore]

    process.call("lay", 1001, a_card_of_mine.Mine())
    assert process.call("card", 1001, "atr") == b"\x3b\x00"
    del sys.modules["a_card_of_mine"]


def test_who_waits_keeps_nobody_out(process: ServiceProcess, slot: int) -> None:
    found: list[object] = []
    waiting = threading.Thread(target=lambda: found.append(process.call("events", slot, 0, wait_s=WITHIN_S)))
    waiting.start()
    process.call("lay", 1002, SoftCard.make())
    process.call("reader", slot, "insert", 1002)
    waiting.join()
    assert len(found) == 1


def test_what_cannot_travel_is_an_error_and_changes_nothing(process: ServiceProcess) -> None:
    with pytest.raises(TravelError, match="lock"):
        process.call("lay", 1003, threading.Lock())
    with pytest.raises(KeyError):
        process.call("card", 1003, "atr")


def test_a_child_that_was_forked_asks_for_itself(process: ServiceProcess) -> None:
    process.call("ping")
    if (pid := os.fork()) == 0:
        try:
            process.call("ping")
            process.stop()  # It is its parent's.
        except BaseException:
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    process.call("ping")


def test_one_that_was_killed_is_told_of() -> None:
    with ServiceProcess() as process:
        os.kill(process.pid, signal.SIGKILL)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        with pytest.raises(ServiceEndedError, match="is gone: it ended with status -9"):
            process.call("ping")
    with pytest.raises(ServiceEndedError, match="is gone"):
        process.call("ping")


def test_one_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(PcscError, match="cannot be started: No such file"):
        ServiceProcess().start()
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(PcscError, match="has ended at once"):
        ServiceProcess().start()
    with pytest.raises(VscError, match="is gone: it does not run"):
        ServiceProcess().call("ping")


def test_stopping_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    with ServiceProcess() as process:
        assert process.socket_path.is_socket()
        assert process.environment["PCSCLITE_CSOCK_NAME"] == str(process.socket_path)
    assert list(tmp_path.iterdir()) == []
