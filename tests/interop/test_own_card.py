"""docs/own-card.md: its files run, its transcripts are so, and a card takes few lines: 30, with a PIN of its own 80."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.interop.need import require_tool

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "own-card.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"This\s+is\s+`(\w+\.py)`:\n\n```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
TRANSCRIPTS = re.findall(r"^```console\n\$ python (\w+\.py)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
LINES = {"echo.py": 30, "purse.py": 30, "wallet.py": 80}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def run(folder: Path, *words: str) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PCSCLITE", "VSC_", "PYTEST_"))}
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_block_of_the_page_is_one_of_these() -> None:
    assert list(FILES) == [
        *("echo.py", "purse.py", "pay.py", "locked.py", "guess.py", "cuts.py", "test_purse.py", "wallet.py")
    ]
    assert PAGE.count("\n```python\n") == len(FILES)
    assert [name for name, _ in TRANSCRIPTS] == ["echo.py", "pay.py", "guess.py", "cuts.py"]


@pytest.mark.parametrize("name", LINES)
def test_a_card_takes_few_lines(name: str) -> None:
    assert len(FILES[name].splitlines()) < LINES[name]


@pytest.mark.parametrize(("name", "said"), TRANSCRIPTS, ids=[name for name, _ in TRANSCRIPTS])
def test_a_transcript(folder: Path, name: str, said: str) -> None:
    require_tool("opensc-tool")
    assert [line.rstrip() for line in run(folder, name).splitlines()] == said.splitlines()


def test_the_test_of_the_page(folder: Path) -> None:
    assert "1 passed" in run(folder, "-m", "pytest", "-q", "-p", "vsc.testing.plugin", "-p", "no:cacheprovider")
