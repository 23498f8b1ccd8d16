"""The terminal that stdout or stderr is, if it is one."""

import shutil
import sys
from typing import TextIO

_MIN_WIDTH = 40


def width(stream: TextIO | None = None) -> int | None:
    """How many characters a line may have: those of the terminal; None if there is none. stream: None: stdout."""
    if not (stream or sys.stdout).isatty():
        return None
    return max(shutil.get_terminal_size().columns, _MIN_WIDTH)


def shortened(text: str, most: int) -> str:
    """At most so many characters of it, the last one `…` if there are more."""
    return text if len(text) <= most else f"{text[: max(most - 1, 0)]}…"
