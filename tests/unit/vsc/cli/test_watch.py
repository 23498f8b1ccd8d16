"""vsc.cli.watch: a line for each event, at once; ended by a signal. With PC/SC: tests/interop/test_cli_readers.py."""

import json
import os
import signal
import threading
from pathlib import Path

import pytest

from tests.unit.vsc import samples
from tests.unit.vsc.cli.shell import Shell
from vsc.machine import InProcessMachine
from vsc.store.sqlite import SqliteStore

ATR = "3B8D0180FBA000000397425446590201C9"


class Script:
    """Things that happen to a machine while the main thread watches: each once the line of the one before is out."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, lines: int) -> None:
        self._lines = threading.Semaphore(0)
        import click

        echo = click.echo

        def counted(message: object = None, **options: object) -> None:
            echo(message, **options)  # type: ignore[arg-type]
            self._lines.release()

        monkeypatch.setattr("vsc.cli.watch.click.echo", counted)

    def after(self, lines: int) -> None:
        for _ in range(lines):
            assert self._lines.acquire(timeout=30)


def watched(
    shell: Shell, script: Script, machine: InProcessMachine, number: signal.Signals, *options: str, first: int
) -> list[str]:
    """What is printed while a card is unplugged and another plugged in. first: lines before that."""

    def happen() -> None:
        script.after(first)
        machine.unplug("work")
        machine.plug("other")
        script.after(4)
        os.kill(os.getpid(), number)

    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    thread = threading.Thread(target=happen)
    thread.start()
    try:
        result = shell("watch", *options)
    finally:
        thread.join()
        for one, handler in before.items():
            signal.signal(one, handler)
    assert (result.code, result.err) == (0, "")
    return result.out.splitlines()


@pytest.fixture
def script(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Script:
    return Script(capsys, monkeypatch, 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_line_for_each_event(
    shell: Shell, script: Script, work: SqliteStore, machine: InProcessMachine, number: signal.Signals
) -> None:
    work.create(samples.image("other"))
    name = machine.plug("work").name
    assert watched(shell, script, machine, number, first=2) == [
        f"reader added    {name}",
        f"card added      {name}  work  {ATR}",
        f"card removed    {name}  work",
        f"reader removed  {name}",
        f"reader added    {name}",
        f"card added      {name}  other  {ATR}",
    ]


def test_as_json(shell: Shell, script: Script, work: SqliteStore, machine: InProcessMachine) -> None:
    work.create(samples.image("other"))
    name = machine.plug("work").name
    lines = watched(shell, script, machine, signal.SIGTERM, "--json", "--reader", name, first=2)
    events = [json.loads(line) for line in lines]
    assert {(event["reader"], event["kind"]) for event in events} == {(name, "virtual")}
    assert [(event["event"], event["card"], event["atr"]) for event in events] == [
        ("reader added", None, None),
        ("card added", "work", ATR),
        ("card removed", "work", None),
        ("reader removed", None, None),
        ("reader added", None, None),
        ("card added", "other", ATR),
    ]


def test_a_reader_that_is_not_there_yet_is_told(
    shell: Shell, script: Script, home: Path, machine: InProcessMachine
) -> None:
    def happen() -> None:
        script.after(1)
        os.kill(os.getpid(), signal.SIGTERM)

    handler = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    for options, text in (((), "there is no reader yet"), (("--reader", "x"), "there is no reader 'x' yet")):
        thread = threading.Thread(target=happen)
        thread.start()
        result = shell("watch", *options)
        thread.join()
        assert (result.code, result.out, result.err) == (0, "", f"vsc: {text}\n")
    signal.signal(signal.SIGTERM, handler[0])
    signal.signal(signal.SIGINT, handler[1])
