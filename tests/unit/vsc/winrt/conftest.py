"""Errors that handlers raise, caught where they go."""

import pytest

from vsc.unraisable import Unraisable


@pytest.fixture
def unraised(monkeypatch: pytest.MonkeyPatch) -> list[Unraisable]:
    """What sys.unraisablehook was given."""
    given: list[Unraisable] = []
    monkeypatch.setattr("sys.unraisablehook", given.append)
    return given
