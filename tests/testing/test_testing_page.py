"""The blocks of docs/testing.md run as they stand, each in a folder of its own, with its conftest.py if it has one."""

import re
from pathlib import Path

import pytest

from tests.interop.need import require_module, require_tool
from tests.testing.conftest import RunPytest
from vsc.testing import CardOptions

PAGE = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.interop
def test_the_page(run_pytest: RunPytest, pytester: pytest.Pytester) -> None:
    require_module("smartcard")
    for tool in ("pkcs11-tool", "opensc-tool", "openssl"):
        require_tool(tool)
    folders: list[Path] = []
    tests = 0
    for block in BLOCKS:
        is_conftest = block.startswith("# conftest.py\n")
        if is_conftest or not folders or (folders[-1] / "test_it.py").exists():
            folders.append(pytester.mkdir(f"example_{len(folders)}"))
        (folders[-1] / ("conftest.py" if is_conftest else "test_it.py")).write_text(block)
        tests += len(re.findall(r"^def test_", block, re.MULTILINE))
    # This process is left alone by one of them: it would be one too late for the others, so each has its run.
    alone = [folder for folder in folders if "in_this_process" in "".join(f.read_text() for f in folder.glob("*.py"))]
    rest = [folder.name for folder in folders if folder not in alone]
    counts = [
        run_pytest("--import-mode=importlib", *names).parseoutcomes()
        for names in (rest, [folder.name for folder in alone])
    ]
    assert [set(count) for count in counts] == [{"passed"}, {"passed"}]
    assert sum(count["passed"] for count in counts) == tests


def test_every_fixture_and_option_is_in_a_table(run_pytest: RunPytest) -> None:
    fixtures = run_pytest("--fixtures", "-q").stdout.str()
    ours = re.findall(r"^(\w+)(?: \[session scope\])? -- .*vsc/testing/plugin\.py", fixtures, re.MULTILINE)
    assert len(ours) >= 8
    rows = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (.*?) \|", PAGE, re.MULTILINE))))
    assert rows == {*ours, *CardOptions.__annotations__, "fault"}
