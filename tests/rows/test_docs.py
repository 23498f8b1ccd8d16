"""docs/windows.md: its blocks run, and say what is so."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rows.worlds import ROOT
from vsc.winrt import hresult
from vsc.winrt.installation import MODULES

TEXT = (ROOT / "docs" / "windows.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_row_37_a_block_of_the_guide_runs(block: str, tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("VSC_", "PCSCLITE"))}
    done = subprocess.run(
        [sys.executable, "-c", block],
        env={**env, "PYTHONPATH": str(ROOT), "VSC_HOME": str(tmp_path / "cards")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_row_04_the_guide_says_that_no_capability_is_needed() -> None:
    assert "no capability to declare" in TEXT


def test_row_28_the_guide_says_that_nobody_has_to_be_an_administrator() -> None:
    assert "Nobody has to be an administrator" in TEXT


def test_every_code_in_the_guide_is_one() -> None:
    names = set(re.findall(r"`((?:E|RO|NTE|SCARD|ERROR|PYWINRT)_[A-Z_]+)`", TEXT))
    assert len(names) > 10
    assert [name for name in names if not hasattr(hresult, name)] == []


def test_the_guide_counts_the_modules_right() -> None:
    assert len(MODULES) == 8
    assert "eight modules" in TEXT
