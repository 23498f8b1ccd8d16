"""tests/conftest.py: modules beside the tests assert too."""

from pathlib import Path

import pytest

from tests.unit.vsc import processes


def test_a_module_beside_the_tests_says_what_it_has_found(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="assert 'something' == ''"):
        processes.python(tmp_path, "import sys; sys.stderr.write('something')")
