"""The PC/SC client that measures: in C if it can be compiled here, else by ctypes."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).with_name("pcsc_client.c")
LIBRARY = "-l:libpcsclite.so.1"  # The header alone comes with the development package.


@dataclass(frozen=True)
class Client:
    """How to call it, and what to call it; its arguments are in pcsc_client.c."""

    command: tuple[str, ...]
    name: str


@contextmanager
def client() -> Iterator[Client]:
    with tempfile.TemporaryDirectory(prefix="vsc-bench-") as folder:
        program = f"{folder}/pcsc_client"
        compiler = shutil.which("gcc")
        if compiler is not None:
            command = [compiler, "-O2", "-I/usr/include/PCSC", str(SOURCE), "-o", program, LIBRARY]
            if subprocess.run(command, capture_output=True, check=False).returncode == 0:
                yield Client((program,), "a C client")
                return
        yield Client(
            (sys.executable, "-m", "bench.pcsc_client"), "a Python client by ctypes (no gcc, or no winscard.h)"
        )
