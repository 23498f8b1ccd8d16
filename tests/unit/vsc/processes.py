"""Other processes: one that holds a card, and `vsc` itself."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[3]
VSC = (sys.executable, "-m", "vsc.cli")

_HOLD = "import sys, vsc\nwith vsc.powered(sys.argv[1]):\n print('held', flush=True)\n sys.stdin.read()"


def environment(home: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    return {**os.environ, "VSC_HOME": str(home), "PYTHONPATH": str(ROOT), **(more or {})}


def python(home: Path, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a script in a process of its own; stderr must stay empty."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    return done


def vsc(home: Path, *arguments: str, stdin: bytes = b"", more: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    """Runs the command line in a process of its own; returns exit code, stdout and stderr."""
    done = subprocess.run(
        [*VSC, *arguments],
        env=environment(home, more),
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


@contextmanager
def holding(home: Path, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """Another process has the card, until it is killed or the block ends."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, name], env=environment(home), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"held\n"
            yield process
        finally:
            process.kill()
