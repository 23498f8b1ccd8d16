"""A private service for the bench: `python -m bench.served READERS`, a null card in each; prints the socket's path.

Ends when its standard input does.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bench.null_card import NullCard
from vsc.pcsc import Service
from vsc.reader import Reader


@contextmanager
def served(readers: int) -> Iterator[tuple[int, str]]:
    """A service in a process of its own; yields its pid and the path of its socket."""
    command = [sys.executable, "-m", "bench.served", str(readers)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.pid, process.stdout.readline().strip()
    finally:
        process.communicate(timeout=30)


def main() -> None:
    readers = [Reader(f"Null {number:02}") for number in range(int(sys.argv[1]))]
    for reader in readers:
        reader.insert(NullCard())
    service = Service(readers)
    with service:
        print(service.socket_path, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
