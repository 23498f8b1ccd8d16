"""How hard hypothesis tries.

HYPOTHESIS_PROFILE=ci (the default) is for every day, `long` for `make test-long`. Neither has a deadline per example:
the machine may be busy with another worker's tests, and a slow example is no wrong one. A failure prints a line
that reproduces it anywhere.
"""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["pytester"]
"""For the tests of the plugin. pytest takes it from here only: this is the first conftest of every run."""

pytest.register_assert_rewrite(*(f"tests.{path.name}" for path in Path(__file__).parent.iterdir() if path.is_dir()))
"""What stands beside the tests asserts too, and shall say what it has found."""

settings.register_profile("ci", deadline=None, max_examples=50, print_blob=True)
settings.register_profile(
    "long",
    deadline=None,
    max_examples=2_000,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
