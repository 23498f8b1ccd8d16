"""A second place that knows how often a card was changed: its lock file.

After a crash the last changes are in the database's log alone, and SQLite leaves off without a word where the log is
damaged. The lock file then says a higher revision than the row has. It is written after each change and not synced,
which costs no time: it knows all that a process did before it was killed, and after a power cut what the system had
written by itself, all but the last half minute or so. It never says more than was written durably, unless changes
need not be durable.

    0000000000000000057 3f2a9c01

The second word is the start of a SHA-256 over name and revision: what is cut, or damaged, or empty, says nothing.
"""

import hashlib
import os
from contextlib import suppress

_MAX_BYTES = 64


def read_witness(descriptor: int, name: str) -> int:
    """Returns the revision that a lock file says; 0 if it says none."""
    raw = os.pread(descriptor, _MAX_BYTES, 0)
    word = raw.split(b" ", 1)[0]
    if not word.isdigit() or raw != _line(name, int(word)):
        return 0
    return int(word)


def write_witness(descriptor: int, name: str, revision: int) -> None:
    """Writes it down, if it can be written; a full disk must not undo what is done."""
    with suppress(OSError):
        os.pwrite(descriptor, _line(name, revision), 0)


def _line(name: str, revision: int) -> bytes:
    check = hashlib.sha256(f"{name}:{revision}".encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{revision:019} {check}\n".encode()
