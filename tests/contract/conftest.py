"""Every profile that is found, ours and those of a package that is installed for these tests."""

import atexit
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.contract.installed import found, install
from vsc.profiles import PROFILES

_FOLDER = Path(tempfile.mkdtemp(prefix="own-cards-"))
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)
_CATALOGUE = found(install(_FOLDER))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`profile` is each of them; `made` those whose cards can be made; `played` those that have a host half, too."""
    profiles = tuple(_CATALOGUE.values())
    made = [one for one in profiles if one.personalisation is not None]
    for name, them in (("profile", profiles), ("made", made), ("played", [one for one in made if one.host])):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, them, ids=[one.name for one in them])


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, profile in _CATALOGUE.items():
        if name not in PROFILES:
            monkeypatch.setitem(PROFILES, name, profile)


@pytest.fixture(scope="session")
def installed() -> Path:
    """The folder of the package: on PYTHONPATH, it is installed for a program."""
    return _FOLDER
