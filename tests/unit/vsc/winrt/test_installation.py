"""`install`: ours under PyWinRT's names, in processes of their own."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]


def python(code: str, *path: Path) -> str:
    command = [sys.executable, "-c", code]
    env = {"PYTHONPATH": ":".join(map(str, [ROOT, *path])), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, env=env, cwd="/", capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_scripts_find_their_modules() -> None:
    assert (
        python("""
import vsc.winrt
vsc.winrt.install()
vsc.winrt.install()
import winrt.windows.devices.smartcards as smartcards
from winrt.windows.devices.enumeration import DeviceInformation
from winrt.windows.security.cryptography import CryptographicBuffer
from winrt.windows.security.cryptography.core import CryptographicEngine
from winrt.windows.storage.streams import IBuffer
from winrt.windows.foundation import AsyncStatus
from winrt.system import hresult, Object
from winrt.system.hresult import E_INVALIDARG
import winrt
assert winrt.windows.devices.smartcards is smartcards is vsc.winrt.devices_smartcards
assert isinstance(CryptographicBuffer.generate_random(1), IBuffer)
print(smartcards.SmartCardReader.__name__)
""")
        == "SmartCardReader\n"
    )


def test_without_it_there_is_nothing() -> None:
    python("""
import vsc.winrt
try:
    import winrt.windows.devices.smartcards
except ImportError:
    pass
else:
    raise SystemExit("found")
""")


def test_what_we_do_not_have_is_not_found() -> None:
    python("""
import vsc.winrt
vsc.winrt.install()
try:
    import winrt.windows.media
except ImportError:
    pass
else:
    raise SystemExit("found")
""")


@pytest.mark.parametrize("real", ["winrt/system/__init__.py", "winrt/windows/devices/smartcards/__init__.py"])
def test_the_real_one_is_not_hidden(tmp_path: Path, real: str) -> None:
    module = tmp_path / real
    module.parent.mkdir(parents=True)
    module.write_text("")
    name = ".".join(Path(real).parent.parts)
    python(
        f"""
import vsc.winrt, sys
try:
    vsc.winrt.install()
except vsc.winrt.RealWinrtError as error:
    assert {name!r} in str(error)
else:
    raise SystemExit("installed")
import {name}
assert {name}.__file__ == {str(module)!r}
""",
        tmp_path,
    )
