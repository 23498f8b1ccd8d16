"""The page itself: template, style, scripts and data made one file."""

import base64
import hashlib
import html
import json
import os
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from vsc.errors import VscError
from vsc.page.data import data
from vsc.trace.entry import Entry

SCRIPTS = ("bytes.js", "model.js", "recipe.js", "list.js", "lanes.js", "detail.js", "trace.js")
"""In this order: they share one scope."""
STYLE = "trace.css"
TEMPLATE = "trace.html"
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


def _text(name: str) -> str:
    return files("vsc.page").joinpath(name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    """The name of a script in a Content-Security-Policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def embedded(value: Any) -> str:
    """JSON that can stand inside a script element, whatever texts are in it: no `<` is left to end it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def document(
    entries: Sequence[Entry], *, title: str, started: float | None = None, notes: Sequence[tuple[str, str]] = ()
) -> bytes:
    """The page of a trace, in UTF-8. started: seconds since 1970. notes: titles and texts to stand above the trace."""
    scripts = [_text(name) for name in SCRIPTS]
    parts = {
        "title": html.escape(title),
        "policy": f"default-src 'none'; style-src {_hash(_text(STYLE))}; script-src {' '.join(map(_hash, scripts))}; "
        "base-uri 'none'; form-action 'none'",
        "style": _text(STYLE),
        "scripts": "\n".join(f"<script>{script}</script>" for script in scripts),
        "data": embedded(data(entries, title=title, started=started, notes=notes)),
    }
    # In one pass: what is put in place is not looked into.
    head, *rest = _text(TEMPLATE).split("{{")
    made = head + "".join(parts[name] + tail for name, _, tail in (one.partition("}}") for one in rest))
    # A lone surrogate of a log becomes its escape in JSON.
    return made.encode(errors="backslashreplace")


def write(
    path: Path,
    entries: Sequence[Entry],
    *,
    title: str,
    started: float | None = None,
    notes: Sequence[tuple[str, str]] = (),
) -> None:
    """Makes the file anew; it is its owner's alone (0600). VscError if it cannot be written."""
    raw = document(entries, title=title, started=started, notes=notes)
    try:
        path.unlink(missing_ok=True)
        with open(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600), "wb"
        ) as file:
            file.write(raw)
    except OSError as error:
        raise VscError(f"the page {path} cannot be written: {error.strerror}") from None
