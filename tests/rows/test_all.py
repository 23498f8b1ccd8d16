"""Every row of the table in winrt-smartcards.md, section 8, has a test; and live ones have one with real programs."""

import ast
import re
from pathlib import Path

ROWS = range(1, 62)
LIVE = {1, 2, 25, 27, 54, 59}
"""The rows that the table calls live."""


def functions_in(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name[:5] == "test_"]


def rows_in(*paths: Path) -> set[int]:
    names = (name for path in paths for name in functions_in(path))
    return {int(found[1]) for name in names if (found := re.match(r"test_row_(\d\d)_\w", name))}


FOLDER = Path(__file__).parent


def test_every_row_has_a_test() -> None:
    assert rows_in(*FOLDER.glob("test_*.py")) == set(ROWS)


def test_the_live_rows_have_a_test_with_real_programs() -> None:
    assert rows_in(FOLDER / "test_live.py") >= LIVE
