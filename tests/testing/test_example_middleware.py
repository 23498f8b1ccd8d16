"""examples/middleware: its own tests run as a user runs them; they show the bug found and the new version passing."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "middleware"


def test_card_machine_finds_the_bug_and_the_fixed_version_passes(tmp_path: Path) -> None:
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={tmp_path}", str(EXAMPLE)]
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_the_bug_is_what_the_readme_says() -> None:
    text = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    for words in (
        "state.change(knows_old=True, new='0000')",
        "state.remove_and_insert()",
        "state.read(logs_in=False, number=0, private=True)",
    ):
        assert words in text
