"""examples/login: its tests pass, run as a stranger runs them, from their own folder and with pytest-xdist, too."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "examples" / "login"
MOST_LINES = 220
RUNS = 25
"""Tests of each kind: the program in a process of its own, and in the one of pytest."""


def run_pytest(*words: str) -> str:
    """Runs the tests of the example; returns pytest's last line."""
    theirs = ("PYTEST_", "PCSCLITE", "VSC_", "LOGIN_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(theirs)}
    # The entry point has the same name, so the plugin is loaded once, whether or not it is installed.
    command = [sys.executable, "-m", "pytest", "-q", "-p", "vsc.testing.plugin", "-p", "no:cacheprovider", *words]
    done = subprocess.run(command, cwd=FOLDER, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return re.sub(r" in [\d.]+s.*", "", done.stdout.splitlines()[-1])


def test_in_one_process() -> None:
    # The other half runs below; every one of its tests starts a process or more.
    assert run_pytest("-k", "inprocess") == f"{RUNS} passed, {RUNS} deselected"


def test_with_four_workers() -> None:
    assert run_pytest("-n", "4") == f"{2 * RUNS} passed"


@pytest.mark.long
def test_all_in_one_process_again_and_again() -> None:
    for _ in range(5):
        assert run_pytest() == f"{2 * RUNS} passed"


def test_the_program_knows_nothing_of_us_and_is_small() -> None:
    program = (FOLDER / "login.py").read_text(encoding="utf-8")
    assert not re.search(r"\bvsc\b|card_os|vpcd", program)
    assert sum(1 for line in program.splitlines() if line.strip()) <= MOST_LINES


def test_the_tests_use_the_public_names_only() -> None:
    tests = (FOLDER / "tests" / "test_login.py").read_text(encoding="utf-8")
    assert re.findall(r"^(?:from|import) ((?:vsc|card_os|vpcd_bridge)\S*)", tests, re.MULTILINE) == ["vsc"]


def test_the_readme_lists_the_exit_codes() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    program = (FOLDER / "login.py").read_text(encoding="utf-8")
    found = re.search(r'IntEnum\("Exit", "([A-Z_ ]+)", start=0\)', program)
    assert found is not None
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", readme, re.MULTILINE)] == [*range(len(found[1].split()))]
