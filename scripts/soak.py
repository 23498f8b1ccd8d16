"""The same tests many times in a row, as `make test-long` does: one that fails once in twenty runs is a broken one.

    python scripts/soak.py [--times 20] [PYTEST_ARGUMENT...]

Without arguments for pytest: the whole suite as `make test` runs it. Stops at the first run that fails, and ends with
its exit code.
"""

import argparse
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
SUITE = ["-n", "4", "--dist", "worksteal", "-m", "not long"]


def main() -> int:
    parser = argparse.ArgumentParser(description="Run tests many times in a row.")
    parser.add_argument("--times", type=int, default=20)
    options, pytest_arguments = parser.parse_known_args()
    # A shell has what it starts in the background ignore it, and tests of Ctrl-C would wait for ever.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in range(1, options.times + 1):
        started = time.monotonic()
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *(pytest_arguments or SUITE)]
        done = subprocess.run(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        if done.returncode != 0:
            print(done.stdout)
        last = done.stdout.strip().splitlines()[-1:] or ["no output"]
        print(f"run {number} of {options.times}, {time.monotonic() - started:.0f} s: {last[0]}", flush=True)
        if done.returncode != 0:
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
