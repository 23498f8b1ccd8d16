"""Ten thousand cards come, meet a fault and go, under the plugin, and no client misses anything (rounds.py)."""

from pathlib import Path

import pytest

from tests.interop.need import require_module

ROUNDS = Path(__file__).with_name("rounds.py")
TESTS = [pytest.param(3, id="300"), pytest.param(100, id="10000", marks=pytest.mark.long)]


@pytest.mark.parametrize("tests", TESTS)
def test_rounds(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tests: int) -> None:
    require_module("smartcard")
    monkeypatch.setenv("ROUND_TESTS", str(tests))
    pytester.makepyfile(ROUNDS.read_text(encoding="utf-8"))
    pytester.makeini("[pytest]\nfilterwarnings = error\n")
    result = pytester.runpytest_subprocess("-p", "vsc.testing.plugin", "-q")
    result.assert_outcomes(passed=tests)
