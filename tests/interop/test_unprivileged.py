"""The private PC/SC needs no root: where root runs the tests, those of the service and the PIN pad run once more as
an ordinary user. (`vsc run` and the clients in test_clients.py run as one in any case.)
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.interop.need import require_tool
from tests.interop.vsc_run import NOBODY, Vsc, ordinary_user

ROOT = Path(__file__).parents[2]
TESTS = ("tests/interop/pcsc", "tests/interop/test_pinpad.py")


def test_the_service_and_the_pin_pad_as_an_ordinary_user() -> None:
    if os.geteuid() != 0:
        return  # Then they have run as one already.
    with ordinary_user(Vsc):
        pass  # Skips, by name, where such a user cannot reach this checkout.
    folder = Path(tempfile.mkdtemp(prefix="vc", dir="/tmp"))
    runtime = folder / "run"
    runtime.mkdir(mode=0o700)
    for path in (folder, runtime):
        os.chown(path, NOBODY, NOBODY)
    become = [require_tool("setpriv"), f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--"]
    pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not long", *TESTS]
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "XDG_RUNTIME_DIR": str(runtime),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "hypothesis"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    try:
        result = subprocess.run(
            [*become, *pytest], env=env, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
        )
    finally:
        shutil.rmtree(folder)
    assert result.returncode == 0, result.stdout + result.stderr
