"""Running a scripted client against two PC/SC services that have the same card."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path


def play(env: Mapping[str, str], actions: Mapping[str, Callable[[], object]], *arguments: str) -> list[str]:
    """Runs `script.py` and does what it asks for; returns what it says."""
    process = subprocess.Popen(
        program("script", *arguments),
        env={**env, "PCSCLITE_NO_BLOCKING": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    said = []
    with process, process.stdin, process.stdout, process.stderr:
        for line in process.stdout:
            if line.startswith("> "):
                actions[line[2:].strip()]()
                process.stdin.write("done\n")
                process.stdin.flush()
            else:
                said.append(line.rstrip("\n"))
        errors = process.stderr.read()
    assert process.returncode == 0, f"{errors}\n{said[-5:]}"
    return said


# -I leaves everything but the standard library out of sys.path.
_START = (
    "import sys, runpy; sys.path.insert(0, sys.argv.pop(1)); runpy.run_module(sys.argv.pop(1), run_name='__main__')"
)


def program(name: str, *arguments: str, python: str = sys.executable) -> list[str]:
    """The command that runs one of the programs beside this file, with any Python and as any user."""
    root = str(Path(__file__).resolve().parents[3])
    return [python, "-I", "-c", _START, root, f"tests.interop.pcsc.{name}", *arguments]
