"""docs/snapshots.md and docs/tearing.md: their blocks run as they stand, in order, and print what the page shows."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.vsc.testing.gids_life import LIVES
from vsc.testing.invariants import INVARIANTS

ROOT = Path(__file__).parents[4]
PAGES = ("snapshots.md", "tearing.md")


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_a_page(page: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(blocks(page, "python"))],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "VSC_HOME": str(tmp_path / "cards")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "".join(blocks(page, "text"))
    assert done.stderr == ""


def test_the_page_has_every_invariant() -> None:
    text = (ROOT / "docs" / "tearing.md").read_text(encoding="utf-8")
    assert [one.__name__ for one in INVARIANTS if f"`{one.__name__}`" not in text] == []


def test_the_page_counts_our_cuts_right() -> None:
    text = (ROOT / "docs" / "tearing.md").read_text(encoding="utf-8")
    assert f"{sum(life.cuts for life in LIVES)} power cuts in all" in text
    for life in LIVES:
        assert f"({life.cuts})" in text
