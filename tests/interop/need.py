"""What an interop test does without the software it needs: skip on a laptop, fail in CI.

A skip names what is missing. In CI (CI=true in the environment) everything is installed, so whatever is missing
there is a fault: a suite that skips itself silently proves nothing.
"""

import os
from importlib import import_module
from typing import NoReturn

import pytest

from tests.interop.namespace import tool


def unavailable(reason: str) -> NoReturn:
    """Skips the test, or fails it in CI."""
    if os.environ.get("CI", "").lower() in ("true", "1", "yes"):
        pytest.fail(f"{reason} (and this is CI, where nothing may be missing)", pytrace=False)
    pytest.skip(reason)


def require_tool(name: str) -> str:
    """The path of a program the test cannot do without."""
    try:
        return tool(name)
    except FileNotFoundError as missing:
        unavailable(str(missing))


def require_module(name: str) -> None:
    """Of Python, which the test cannot do without."""
    try:
        import_module(name)
    except ImportError as missing:
        unavailable(str(missing))
