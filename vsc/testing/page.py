"""Pages of tests: what passed in a test, its failure, its output and the faults that struck, as one HTML file."""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from vsc.page import write
from vsc.testing.lab import Bench

_MAX_NAME = 100
"""Characters of a test's name in that of its file."""


def page_path(folder: Path, test: str) -> Path:
    """Where the page of a test is kept: its name, as far as files can have it, and what tells it from all others."""
    words = re.sub(r"[^A-Za-z0-9_.-]+", "-", test).strip("-.")[-_MAX_NAME:]
    return folder / f"{words}-{hashlib.sha256(test.encode(errors='backslashreplace')).hexdigest()[:6]}.html"


def keep(folder: Path, test: str, bench: Bench, told: Iterable[tuple[str, str]]) -> Path:
    """Writes the page of a test. told: titles and texts from its reports. VscError if it cannot be written.

    A test's output is what it printed: whoever prints a PIN has it in the page.
    """
    path = page_path(folder, test)
    struck = "\n".join(bench.struck())
    notes = [(title, text) for title, text in (*told, ("faults that struck", struck)) if text.strip()]
    write(path, bench.entries(), title=test, notes=notes)
    return path
