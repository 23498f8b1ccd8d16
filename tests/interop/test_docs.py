"""The Python blocks of the guides in docs/ run as they stand: those of one page in order, as one program."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
GUIDES = ("pcsc.md", "piv.md", "provisioning.md")
"""The pages whose blocks are whole programs; blocks of other pages need what is around them."""
PROGRAMS = {name: "\n".join(BLOCK.findall((DOCS / name).read_text(encoding="utf-8"))) for name in GUIDES}


def test_there_is_something_to_run() -> None:
    assert PROGRAMS["provisioning.md"].count("import vsc") >= 1
    assert len(BLOCK.findall((DOCS / "provisioning.md").read_text(encoding="utf-8"))) > 10


@pytest.mark.parametrize("page", PROGRAMS)
def test_page(page: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAMS[page]],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(DOCS.parent), "VSC_HOME": str(tmp_path / "cards")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_every_public_name_of_the_api_is_somewhere_in_the_guide() -> None:
    text = (DOCS / "provisioning.md").read_text(encoding="utf-8")
    from vsc.api.provisioning import __all__

    missing = [name for name in __all__ if f"vsc.{name}" not in text and name not in ("Events",)]
    assert missing == []
