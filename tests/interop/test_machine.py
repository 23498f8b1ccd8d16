"""Machines with real PC/SC clients (vsc.machine): the same checks over every way to plug a card in.

Each check runs in a process of its own (`machine/checks.py`): over the private service with libpcsclite, beside it,
inside `vsc run`, and with pcscd and vpcd.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.interop.machine.checks import CHECKS
from tests.interop.need import unavailable
from tests.interop.pcscd_harness import PrivatePcscd

ROOT = Path(__file__).parents[2]
SERVICE_GOES = "the_service_goes_and_comes_back"
WITHIN_S = 60


@pytest.fixture(scope="session")
def libpcsclite() -> None:
    """For tests whose programs use PC/SC outside the harness."""
    found = subprocess.run(
        [sys.executable, "-c", "import ctypes; ctypes.CDLL('libpcsclite.so.1'); import smartcard.scard"],
        check=False,
        capture_output=True,
    )
    if found.returncode:
        unavailable("libpcsclite or pyscard is not installed")


def program(world: str, check: str) -> list[str]:
    return [sys.executable, "-m", "tests.interop.machine.checks", world, check]


def converse(process: subprocess.Popen[str], actions: Mapping[str, Callable[[], object]]) -> str:
    """Does what the program asks for; returns what it says at the end. One that hangs is killed."""
    assert process.stdin is not None
    assert process.stdout is not None
    said = ""
    late = threading.Timer(WITHIN_S, process.kill)
    late.start()
    try:
        with process, process.stdin, process.stdout:
            for line in process.stdout:
                if not line.startswith("> "):
                    said += line
                    continue
                actions[line[2:].strip()]()
                print("done", file=process.stdin, flush=True)
    finally:
        late.cancel()
    assert process.returncode == 0, said
    return said


def run_here(command: list[str], home: Path) -> None:
    theirs = ("PCSCLITE", "VSC_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(theirs)}
    done = subprocess.run(
        command,
        env={**env, "VSC_HOME": str(home), "PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "done\n"


@pytest.mark.usefixtures("libpcsclite")
@pytest.mark.parametrize("check", [name for name in CHECKS if name != SERVICE_GOES])
@pytest.mark.parametrize("world", ["direct", "beside a service"])
def test_in_process(world: str, check: str, tmp_path: Path) -> None:
    run_here(program(world, check), tmp_path / "cards")


@pytest.mark.usefixtures("libpcsclite")
@pytest.mark.parametrize("check", CHECKS)
def test_through_the_private_service(check: str, tmp_path: Path) -> None:
    run_here(program("through a service", check), tmp_path / "cards")


@pytest.mark.usefixtures("libpcsclite")
@pytest.mark.parametrize("check", [name for name in CHECKS if name != SERVICE_GOES])
def test_inside_vsc_run(check: str, tmp_path: Path) -> None:
    vsc = [sys.executable, "-m", "vsc.cli", "run", "--new", "gids", "--reader", "First ☂", "--"]
    run_here([*vsc, *program("served", check)], tmp_path / "cards")


@pytest.mark.parametrize("check", CHECKS)
def test_with_pcscd_and_vpcd(check: str, pcscd: PrivatePcscd, tmp_path: Path) -> None:
    process = pcscd.popen_inside(
        program("vpcd", check),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={
            "PYTHONPATH": str(ROOT),
            "VSC_HOME": str(tmp_path / "cards"),
            "VPCD_PORT": str(pcscd.slots[0].port),
        },
    )
    assert converse(process, {"kill": pcscd.kill, "restart": pcscd.restart}) == "done\n", pcscd.log()
