"""vsc/__init__.py: the public names, and how little it costs to have them."""

import subprocess
import sys
from pathlib import Path

import pytest

import vsc
from tests.unit.each import each
from tests.unit.vsc.processes import ROOT

HEAVY = ("cryptography", "construct", "click", "rich", "card_os", "vpcd_bridge", "asyncio", "hypothesis")


def test_every_public_name_is_there() -> None:
    for name in each(vsc.__all__):
        value = getattr(vsc, name)
        assert value.__name__ == name
        assert value.__doc__


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="module 'vsc' has no attribute 'destroy_everything'"):
        vsc.destroy_everything  # noqa: B018


def test_the_example_in_its_docstring_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VSC_HOME", str(tmp_path / "cards"))
    with vsc.create("work", pin="12345678", policy=vsc.PinPolicy(min_length=6)) as card:
        card.change_pin(old="12345678", new="24681357")
    vsc.open("work").reset_pin(new="12345678", admin_key=card.admin_key)
    card.verify_pin("12345678")


def imported(code: str) -> set[str]:
    """Returns the top-level modules that a fresh interpreter has after some code."""
    show = "\nimport sys; print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code + show], capture_output=True, text=True, cwd=ROOT, timeout=60, check=True
    )
    return set(done.stderr.split())


def test_importing_it_imports_nothing_heavy() -> None:
    assert not imported("import vsc") & set(HEAVY)


def test_help_imports_neither_cryptography_nor_construct() -> None:
    modules = imported("from vsc.cli.__main__ import run\nassert run(['--help']) == 0")
    assert "click" in modules
    assert not modules & (set(HEAVY) - {"click", "asyncio"})
