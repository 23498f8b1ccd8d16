"""`vsc` in this process, as a shell would see it."""

import io
import sys
from dataclasses import dataclass

import pytest

from vsc.cli.__main__ import run


@dataclass(frozen=True, slots=True)
class Result:
    """Exit code, stdout and stderr."""

    code: int
    out: str
    err: str


class Shell:
    """Runs commands; stdin is no terminal."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: str, stdin: str = "") -> Result:
        self._capsys.readouterr()
        self._monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code = run(list(arguments))
        captured = self._capsys.readouterr()
        assert "Traceback" not in captured.err
        return Result(code, captured.out, captured.err)

    def ok(self, *arguments: str, stdin: str = "") -> str:
        """Runs a command that must succeed without a word on stderr; returns its stdout."""
        result = self(*arguments, stdin=stdin)
        assert (result.code, result.err) == (0, "")
        return result.out

    def fails(self, code: int, *arguments: str, stdin: str = "") -> str:
        """Runs a command that must end with this code and nothing on stdout; returns its stderr."""
        result = self(*arguments, stdin=stdin)
        assert (result.code, result.out) == (code, ""), result.err
        assert result.err.endswith("\n")
        return result.err
