"""What docs/pcsc.md says of programs that do not get the variable, typed by an ordinary user, and by root."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.need import require_tool, unavailable
from tests.interop.vsc_run import Vsc, ordinary_user
from vsc.pcsc.service import VARIABLE

TEXT = (Path(__file__).parents[2] / "docs" / "pcsc.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```bash\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture
def user() -> Iterator[Vsc]:
    require_tool("opensc-tool")
    with ordinary_user(Vsc) as user:
        user("create", "work", "--pin", "default", "--quiet")
        yield user


def test_an_emptied_environment(user: Vsc) -> None:
    (block,) = BLOCKS
    assert "env -i" in block
    with user.start("sh", "-euc", block) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, "Virtual Smart Card 00 00" in out) == (0, True), out + err


@pytest.mark.parametrize("is_allowed", [True, False])
def test_root_is_let_in_where_it_is_allowed(user: Vsc, is_allowed: bool) -> None:
    """What `sudo --preserve-env` comes to: a program of root's with the variable."""
    if os.geteuid() != 0:
        unavailable("only root can try what root sees")
    words = ("--card", "work", *(("--allow-root",) if is_allowed else ()))
    with user.serving(*words) as variables:
        listed = subprocess.run(
            ["opensc-tool", "--list-readers"],
            env={**os.environ, VARIABLE: variables[VARIABLE]},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert ("Virtual Smart Card 00 00" in listed.stdout) == is_allowed, listed
