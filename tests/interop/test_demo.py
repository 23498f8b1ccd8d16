"""`make demo`, which is the first that people see: it works, and fits the terminal."""

import os
import re
import shlex
import subprocess
import sys

from tests.interop.need import require_tool
from tests.unit.test_arrows import ROOT

COLUMNS = 80


def test_it_works_and_no_line_is_broken_by_the_terminal() -> None:
    for tool in ("opensc-tool", "pkcs11-tool", "openssl"):
        require_tool(tool)
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "demo.py"],
        env={**os.environ, "COLUMNS": str(COLUMNS)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    assert "Verified OK" in done.stdout
    lines = done.stdout.splitlines()
    # What a program prints (five blanks before it) is as long as it likes: OpenSC 0.26 prints a URI.
    is_printed = re.compile(r" {5}(?! {4}\S)")
    assert [line for line in lines if len(line) > COLUMNS and not is_printed.match(line)] == []
    commands = done.stdout.replace("\\\n", "").splitlines()
    shown = [shlex.split(line.removeprefix("   $ ")) for line in commands if line.startswith("   $ ")]
    assert len(shown) == 8
    assert shown[3][-1] == "demo key"
