"""Real worlds for the live rows: programs of this API and PC/SC programs that are not ours, side by side.

PrivateService: `vsc serve`, as an ordinary user. Vpcd: a pcscd with vpcd of its own. In both a player (`player.py`)
does what a script for Windows does, and `tool` runs a PC/SC program against the same readers.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from tests.interop.need import require_tool, unavailable
from tests.interop.pcscd_harness import PcscdUnavailable, PrivatePcscd
from tests.interop.vsc_run import Program, Vsc, ordinary_user

ROOT = Path(__file__).resolve().parents[2]
PLAYER = [sys.executable, "-m", "tests.rows.player"]

WITHIN_S = 120

PYSCARD = "from smartcard.System import readers; print(*[reader.name for reader in readers()], sep='\\n')"
"""Prints the readers' names, a line each."""


def line_of(process: "subprocess.Popen[str]") -> str:
    """The next line of its standard output; "" if it has ended. A process that says nothing for long is killed."""
    assert process.stdout is not None
    late = threading.Timer(WITHIN_S, process.kill)
    late.start()
    try:
        return process.stdout.readline()
    finally:
        late.cancel()


class Player:
    """The other end of `player.py`."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def __call__(self, name: str, *arguments: object) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": name, "with": arguments}) + "\n")
        self._process.stdin.flush()
        line = line_of(self._process)
        assert line, "the player has ended"
        answer = json.loads(line)
        assert "ok" in answer, answer["error"]
        return answer["ok"]

    def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(timeout=60) == 0


class World(Protocol):
    """play: a step of a program for Windows. tool: a PC/SC program; its standard output."""

    play: Player
    home: Path

    def tool(self, *command: str, check: bool = True) -> str: ...


class PrivateService:
    """`vsc serve` and two programs of an ordinary user."""

    def __init__(self, vsc: Vsc, variables: Mapping[str, str], play: Player) -> None:
        self.vsc = vsc
        self.variables = variables
        self.play = play
        self.home = Path(vsc.env["VSC_HOME"])

    def tool(self, *command: str, check: bool = True) -> str:
        if command[0] != "vsc":
            require_tool(command[0])
        with self.vsc.start(*command, **self.variables) as process:
            out, err = process.communicate(timeout=60)
        assert process.returncode == 0 or not check, out + err
        return out


class Vpcd:
    """A pcscd with vpcd; the player is inside of its namespace, where vpcd's ports are."""

    def __init__(self, pcscd: PrivatePcscd, play: Player, home: Path) -> None:
        self.pcscd = pcscd
        self.play = play
        self.home = home

    def tool(self, *command: str, check: bool = True) -> str:
        require_tool(command[0])
        return self.pcscd.run(*command, check=check).stdout


@contextmanager
def private_service() -> Iterator[PrivateService]:
    with ordinary_user(Vsc) as vsc, vsc.serving() as variables:
        command = [*vsc.become, *PLAYER]
        env = {**vsc.env, **variables, "PYTHONPATH": str(ROOT)}
        with Program(
            command, env=env, cwd=vsc.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            play = Player(process)
            yield PrivateService(vsc, variables, play)
            play.end()


@contextmanager
def vpcd(home: Path) -> Iterator[Vpcd]:
    try:
        pcscd = PrivatePcscd(["Virtual PCD", "Another PCD"])
    except PcscdUnavailable as reason:
        unavailable(str(reason))
    with pcscd:
        process = pcscd.popen_inside(
            [*PLAYER, "--vpcd", str(pcscd.slots[0].port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PYTHONPATH": str(ROOT), "VSC_HOME": str(home)},
        )
        play = Player(process)
        yield Vpcd(pcscd, play, home)
        play.end()
