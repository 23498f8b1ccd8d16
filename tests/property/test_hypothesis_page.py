"""docs/hypothesis.md: each block runs, and names everything that there is."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from vsc.testing import strategies
from vsc.testing.machine import CardMachine

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "hypothesis.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)

CONFTEST = """
from hypothesis import HealthCheck, settings
settings.register_profile("page", deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("page")
"""


def test_the_blocks_run(tmp_path: Path) -> None:
    for number, block in enumerate(BLOCKS):
        (tmp_path / f"test_block_{number}.py").write_text(block, encoding="utf-8")
    # The machine may be busy with other workers' tests: a slow example is no wrong one.
    (tmp_path / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={tmp_path}", str(tmp_path)]
    env = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, *words], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    count = len(re.findall(r"^(?:def test_|Test\w+ =)", PAGE, re.MULTILINE))
    assert f"{count} passed" in done.stdout


@pytest.mark.parametrize("name", [name for name in strategies.__all__ if name[0].islower()])
def test_every_strategy_is_on_the_page(name: str) -> None:
    assert re.search(rf"^\| `{name}\(", PAGE, re.MULTILINE), f"{name} has no row"
    assert any(f"{name}(" in block for block in BLOCKS), f"{name} has no example"


def test_every_option_of_the_machine_is_on_the_page() -> None:
    options = [name for name in CardMachine.__annotations__ if name not in ("card", "model")]
    assert len(options) > 6
    assert [name for name in options if f"`{name}`" not in PAGE] == []
