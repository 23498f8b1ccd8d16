"""vsc.machine.choice: which machine is meant."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from vsc.factory import create, home_store
from vsc.machine import InProcessMachine, Machine, ServedMachine, current, use, use_everywhere


@pytest.fixture(autouse=True)
def outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("VSC_SOCKET", raising=False)
    yield
    use_everywhere(None)


def machine() -> InProcessMachine:
    return InProcessMachine(pcsc=False)


def test_this_process_unless_said_otherwise() -> None:
    assert isinstance(current(), InProcessMachine)
    assert current() is current()


def test_inside_vsc_run_it_is_its_service(monkeypatch: pytest.MonkeyPatch) -> None:
    before = current()
    monkeypatch.setenv("VSC_SOCKET", "/nowhere/control")
    assert isinstance(current(), ServedMachine)
    assert current() is current()
    monkeypatch.delenv("VSC_SOCKET")
    assert current() is before


def test_blocks_may_be_nested() -> None:
    outer, inner = machine(), machine()
    with use(outer) as used:
        assert current() is used is outer
        with use(inner):
            assert current() is inner
        assert current() is outer
    assert current() not in (outer, inner)


def test_a_block_is_for_its_context_alone() -> None:
    ours, everywhere = machine(), machine()
    seen: list[Machine] = []
    use_everywhere(everywhere)
    with use(ours):
        thread = threading.Thread(target=lambda: seen.append(current()))
        thread.start()
        thread.join()

        async def ask() -> Machine:
            return current()

        seen.append(asyncio.run(ask()))
    assert seen == [everywhere, ours]
    assert current() is everywhere


def test_a_child_made_by_fork_has_a_machine_of_its_own() -> None:
    code = (
        "import os, sys, vsc.machine as m\n"
        "ours = m.current()\n"
        "child = os.fork()\n"
        "if not child: os._exit(m.current() is ours)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) or m.current() is not ours)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_is_left_open_is_closed_at_exit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VSC_HOME", str(tmp_path))
    create("work", pin=b"12345678")
    code = (
        "import atexit, vsc.machine as m\n"
        "atexit.register(lambda: print(len(machine.readers())))\n"  # called last
        "import vsc.machine.left_open, threading\n"
        "atexit.unregister(vsc.machine.left_open._close_all); atexit.register(vsc.machine.left_open._close_all)\n"
        "machine = m.InProcessMachine(pcsc=False)\n"
        "machine.watch(lambda change: print(change.kind.name))\n"
        "machine.plug('work')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout.split() == ["READER_ADDED", "CARD_ADDED", "CARD_REMOVED", "READER_REMOVED", "0"]
    assert done.stderr == ""
    with home_store().open("work"):
        pass
