"""Every row's tests notice when its behaviour is taken out of a copy of the source (mutants.py)."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rows.mutants import MUTANTS
from tests.rows.worlds import ROOT
from tests.unit.each import each

COPIED = ("card_os", "vpcd_bridge", "vsc", "tests", "examples", "docs", "bench", "scripts")


def test_every_row_has_a_mutant() -> None:
    assert list(MUTANTS) == list(range(1, 62))


def test_what_a_mutant_replaces_is_there_once() -> None:
    for row in each(MUTANTS):
        mutant = MUTANTS[row]
        assert (ROOT / mutant.file).read_text(encoding="utf-8").count(mutant.old) == 1
        assert mutant.new != mutant.old


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The source and its tests, to be changed."""
    ignore = shutil.ignore_patterns("__pycache__", ".hypothesis")
    for name in COPIED:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignore)
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def run_tests(copy: Path, words: str, *, interop: bool) -> "subprocess.CompletedProcess[str]":
    """Runs tests of the copy, up to the first that fails."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "tests/rows", "-k", words]
    # Without this file: it would run itself.
    command += ["-m", "interop" if interop else "not interop", f"--ignore=tests/rows/{Path(__file__).name}"]
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "HYPOTHESIS_"))}
    env |= {"PYTHONDONTWRITEBYTECODE": "1", "VSC_ROWS_WAIT_S": "2", "PYTHONPATH": str(copy)}
    return subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True, timeout=300, check=False)


def words_of(row: int) -> str:
    """What `pytest -k` takes for the tests that must notice the row's mutant."""
    return " and ".join(filter(None, [f"test_row_{row:02d}", MUTANTS[row].only]))


@pytest.mark.long
@pytest.mark.parametrize("row", MUTANTS)
def test_the_rows_tests_notice_its_mutant(row: int, copy: Path) -> None:
    mutant = MUTANTS[row]
    file = copy / mutant.file
    source = file.read_text(encoding="utf-8").replace(mutant.old, mutant.new)
    compile(source, str(file), "exec")  # A text that is no Python would prove nothing.
    file.write_text(source, encoding="utf-8")
    done = run_tests(copy, words_of(row), interop=mutant.interop)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"test_row_{row:02d}" in done.stdout


@pytest.mark.long
@pytest.mark.parametrize(
    ("words", "interop"),
    [("test_row", False), *((words_of(row), True) for row, mutant in MUTANTS.items() if mutant.interop)],
)
def test_without_a_mutant_they_pass(words: str, interop: bool, copy: Path) -> None:
    """The control: else a test that fails for another reason would pass for one that notices."""
    done = run_tests(copy, words, interop=interop)
    assert done.returncode == 0, done.stdout + done.stderr
