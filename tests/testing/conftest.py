"""Running pytest with the plugin on small files, as other projects do."""

from typing import Protocol

import pytest

INI = "[pytest]\naddopts = --strict-markers --strict-config\nfilterwarnings = error\n"


class RunPytest(Protocol):
    def __call__(self, *words: str, conftest: str = ..., **files: str) -> pytest.RunResult: ...


@pytest.fixture
def run_pytest(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> RunPytest:
    """Runs pytest in a process of its own; files: name and content."""
    monkeypatch.delenv("PCSCLITE_CSOCK_NAME", raising=False)
    monkeypatch.setenv("COLUMNS", "400")  # Else pytest shortens its summary.
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)

    def run(*words: str, conftest: str = "", **files: str) -> pytest.RunResult:
        pytester.makeini(INI)
        if conftest:
            pytester.makeconftest(conftest)
        if files:
            pytester.makepyfile(**files)
        # The entry point has the same name, so the plugin is loaded once, whether or not it is installed.
        plugins = ("-p", "vsc.testing.plugin", "-p", "no:cacheprovider", "-p", "no:hypothesispytest")
        return pytester.runpytest_subprocess(*plugins, *words)

    return run
