"""What a test with a virtual card waits for: set-up and end, in a service of this process and in one of its own.

python -m bench.fixtures
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from vsc.serving.owner import ServiceProcess
from vsc.testing import CardFactory, Lab

FLOOR = "set-up, readers in this process (floor)"
SETUPS = 20
APDUS = 1000
SELECT = [*bytes.fromhex("00A4040009A00000039742544659")]


def setup_ms(lab: Lab, *, ends: bool = False) -> float:
    """A reader that clients see, with a fresh card without a key; ends: until it is gone again."""
    took = 0.0
    for _ in range(SETUPS):
        started = time.perf_counter()
        with lab.bench() as bench:
            bench.reader().insert(CardFactory()())
            if not ends:
                took += time.perf_counter() - started
        if ends:
            took += time.perf_counter() - started
    return took / SETUPS * 1000


def start_ms() -> float:
    """Until the process that serves can be used."""
    started = time.perf_counter()
    with ServiceProcess():
        return (time.perf_counter() - started) * 1000


def apdus_per_second(lab: Lab) -> float:
    """From pyscard in the process of the test."""
    from smartcard.System import readers  # type: ignore[import-untyped]

    with lab.bench() as bench:
        bench.reader().insert(CardFactory()())
        connection = readers()[0].createConnection()
        connection.connect()
        started = time.perf_counter()
        for _ in range(APDUS):
            connection.transmit(SELECT)
        took = time.perf_counter() - started
        connection.disconnect()
    return APDUS / took


def import_ms(module: str) -> float:
    """Of one module, in a process that has pytest."""
    code = f"import time, pytest; t = time.perf_counter(); import {module}; print((time.perf_counter() - t) * 1000)"
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)


@contextmanager
def measures() -> Iterator[tuple[dict[str, Callable[[], float]], dict[str, Callable[[], float]]]]:
    """Those in ms, the floor first, and those in APDUs a second."""
    with Lab(in_this_process=False) as here, Lab() as there:
        in_ms: dict[str, Callable[[], float]] = {
            FLOOR: partial(setup_ms, here),
            "set-up": partial(setup_ms, there),
            "set-up and end": partial(setup_ms, there, ends=True),
            "start of the process that serves": start_ms,
            "import of the plugin": partial(import_ms, "vsc.testing.plugin"),
        }
        yield in_ms, {"pyscard in the test's process, GIDS card": partial(apdus_per_second, there)}


def main() -> None:
    from bench.__main__ import in_turns, show

    with measures() as (in_ms, in_apdus):
        show("What a test with a card waits for", in_turns(in_ms), FLOOR, "ms")
        show("SELECT", in_turns(in_apdus), next(iter(in_apdus)))


if __name__ == "__main__":
    main()
