"""The site of the docs, as `make docs` makes it: strictly, so a broken link is a failure."""

import os
import subprocess
import sys
from pathlib import Path

from scripts.pictures import STATES
from tests.interop.need import require_module
from vsc.profiles import PROFILES
from vsc.trace.jsonl import dump, parse

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"


def test_the_site_is_made_without_a_warning(tmp_path: Path) -> None:
    require_module("mkdocs")
    require_module("mkdocstrings")
    run = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path / "site"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "WARNING" not in run.stderr
    cards = (tmp_path / "site" / "cards.html").read_text(encoding="utf-8")
    assert [name for name in PROFILES if f"<code>{name}</code>" not in cards] == []
    assert "change_pin" in (tmp_path / "site" / "api.html").read_text(encoding="utf-8")


def test_the_pictures_that_pages_show_are_there() -> None:
    for tone in ("light", "dark"):
        assert (PICTURES / f"trace-{tone}.png").read_bytes().startswith(b"\x89PNG")
    assert "trace" in STATES


def test_the_trace_of_the_pictures_is_one_of_now() -> None:
    head, *lines = (PICTURES / "login.jsonl").read_text(encoding="utf-8").splitlines()
    assert [dump(entry) for entry in parse([head, *lines])] == lines
