"""vsc.serving.package, and what is said of a program that is not there."""

import shutil
import subprocess

import pytest

from tests.interop.need import require_tool
from vsc.serving.child import CannotStartError
from vsc.serving.package import _PACKAGES, package_of


def test_a_program_that_is_not_there_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    error = CannotStartError("ykman", FileNotFoundError())
    assert str(error) == "ykman cannot be started: not found (on Debian it is in the package yubikey-manager)"
    assert str(CannotStartError("xyzzy", FileNotFoundError())) == "xyzzy cannot be started: not found"


def test_one_that_cannot_be_run_is_not_missing() -> None:
    error = CannotStartError("/bin/opensc-tool", PermissionError(13, "Permission denied"))
    assert str(error) == "/bin/opensc-tool cannot be started: Permission denied"


PROGRAMS = {program: package for package, programs in _PACKAGES.items() for program in programs.split()}


def test_no_program_is_in_two_packages() -> None:
    assert sum(len(programs.split()) for programs in _PACKAGES.values()) == len(PROGRAMS)
    assert package_of("pkcs11-tool") == "opensc"


def test_dpkg_says_the_same() -> None:
    """Of those that are installed here, where they are a package's own."""
    dpkg = require_tool("dpkg-query")
    paths = {found: name for name in PROGRAMS if (found := shutil.which(name, path="/usr/bin:/usr/sbin"))}
    told = subprocess.run([dpkg, "--search", *paths], capture_output=True, text=True, check=False).stdout
    lines = [line.split(": ", 1) for line in told.splitlines() if not line.startswith("diversion")]
    owned = {paths[path]: packages.split(", ") for packages, path in lines if path in paths}
    assert "pkcs11-tool" in owned
    assert {name: PROGRAMS[name] in packages for name, packages in owned.items()} == dict.fromkeys(owned, True)
