"""The blocks of the README and of docs/tour.md run as they stand, those of a page in one shell, under a real pcscd."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.tables import PAGES
from tests.interop.need import require_tool
from tests.interop.pcscd_harness import PrivatePcscd

ROOT = Path(__file__).parents[2]
README, TOUR = ROOT / "README.md", ROOT / "docs" / "tour.md"
BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [(page.stem, *block) for page in (README, TOUR) for block in BLOCK.findall(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_tables_are_those_of_the_code(page: Path) -> None:
    assert PAGES[page]() == page.read_text(encoding="utf-8"), "run: PYTHONPATH=. .venv/bin/python scripts/tables.py"


def test_there_is_something_to_run() -> None:
    assert [(page, language) for page, language, _ in BLOCKS] == [
        *(("README", "bash"), ("README", "python")),
        *(("tour", language) for language in ("bash", "python", "python", "python")),
    ]


def test_the_readme_is_a_front_page() -> None:
    """Short enough to be read; its links are there."""
    text = README.read_text(encoding="utf-8")
    assert len(text.encode()) < 8 * 1024
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text)]
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize(
    ("page", "language", "block"), BLOCKS, ids=[f"{page}-{number}" for number, (page, *_) in enumerate(BLOCKS)]
)
def test_block(page: str, language: str, block: str, pcscd: PrivatePcscd, tmp_path: Path) -> None:
    for tool in ("opensc-tool", "pkcs11-tool", "pkcs15-tool", "openssl", "bash"):
        require_tool(tool)
    command = ["bash", "-euxo", "pipefail", "-c", block]
    if language == "python":
        (tmp_path / "test_block.py").write_text(block, encoding="utf-8")
        is_test = block.startswith("# test_")
        command = [sys.executable, *(["-m", "pytest", "-q"] if is_test else []), "test_block.py"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = pcscd.popen_inside(
        command,
        cwd=tmp_path,
        env={"PATH": path, "VSC_HOME": str(tmp_path / "cards")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = process.communicate(timeout=300)  # A bound for a hang; a busy machine takes its time.
    # kill and wait report SIGTERM's exit: vsc attach ends with 0, as the README relies on with -e.
    assert process.returncode == 0, output
    if language == "bash":
        assert "GIDS Smart Card" in output
    if (page, language) == ("tour", "bash"):
        assert "Verified OK" in output
        assert "RSA 2048" in output
