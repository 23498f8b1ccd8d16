"""Each line with `pip install` that a page has: it installs from the source, and is run in a clean environment."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.interop.vsc_run import Vsc, ordinary_user

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "examples").glob("*/README.md"))]
REQUIREMENT = re.compile(
    r"""["']?(virtual-smart-card(?:\[[a-z,]+\])?(?: @ \$VSC)?|\.(?:\[[a-z,]+\])?)["']?(?= |$|`|\n)"""
)


def lines() -> set[str]:
    """What pip is told to install, page by page, as it is typed."""
    found = set()
    for page in PAGES:
        for line in re.findall(r"(?:pip|pipx) install ([^`\n]*)", page.read_text(encoding="utf-8")):
            found |= {one for one in REQUIREMENT.findall(line) if one != "."}
    return found


ADDED_LATER = ("virtual-smart-card[pcsc]", "virtual-smart-card[cloudpickle]")
"""Extras by their names alone, where the package is installed already: docs/install.md."""
LINES = sorted(lines())


def test_no_page_sends_people_to_an_index_that_does_not_have_it() -> None:
    assert LINES
    for line in LINES:
        assert line.endswith("@ $VSC") or line.startswith(".[") or line in ADDED_LATER, line
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        # A page with a URL of its own would have to be found, the day there is one.
        assert page.name == "install.md" or not re.search(r"git\+(https|ssh)://", text), page
        assert "@ $VSC" not in text or page.name == "install.md" or "install.md" in text, page


@pytest.mark.long
@pytest.mark.parametrize("line", LINES)
def test_a_line_installs_it_in_a_clean_environment(line: str) -> None:
    with ordinary_user(Vsc) as user:
        python = user.folder / "venv" / "bin" / "python"
        base = Path("/usr/bin/python3") if Path("/usr/bin/python3").exists() else Path(sys.executable)
        script = f'"{base}" -m venv venv\n'
        if line in ADDED_LATER:
            script += f'"{python}" -m pip install --quiet "virtual-smart-card @ $VSC"\n'
        # `.` is a clone: a copy of what is committed, without what building it leaves behind.
        script += f'cd clone\n"{python}" -m pip install --quiet "{line}"\n"{python.with_name("vsc")}" --version\n'
        clone = user.folder / "clone"
        subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, clone], check=True)
        for path in (clone, *clone.rglob("*")):
            shutil.chown(path, *_owner(user.folder))
        with user.start("sh", "-euc", script, VSC=f"file://{clone}") as process:
            out, err = process.communicate(timeout=300)
        assert process.returncode == 0, out + err
        assert out.startswith("vsc, version ")


def _owner(folder: Path) -> tuple[int, int]:
    found = folder.stat()
    return found.st_uid, found.st_gid


def test_the_page_of_clients_names_tests_that_are_there() -> None:
    rows = re.findall(r"^\|.*\|$", (ROOT / "docs" / "clients.md").read_text(encoding="utf-8"), re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(test_\w+\.py)`", row)}
    assert len(named) >= 8
    assert named <= {path.name for path in (ROOT / "tests").rglob("test_*.py")}
