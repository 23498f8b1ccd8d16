"""What a handler raises: to Python's own hook, and to one that somebody has set."""

import sys

import pytest

from vsc.unraisable import Unraisable, report


def failing() -> None:
    raise RuntimeError("oh")


def error_of_failing() -> RuntimeError:
    with pytest.raises(RuntimeError) as raised:
        failing()
    return raised.value


def test_a_hook_of_somebodys_is_given_all_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Unraisable] = []
    monkeypatch.setattr("sys.unraisablehook", given.append)
    error = error_of_failing()
    report(error, failing)
    (one,) = given
    assert (one.exc_type, one.exc_value, one.err_msg, one.object) == (RuntimeError, error, None, failing)
    assert one.exc_traceback is error.__traceback__


def test_pythons_own_hook_cannot_be_called_so_its_words_are_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.unraisablehook", sys.__unraisablehook__)
    report(error_of_failing(), failing)
    said = capsys.readouterr().err
    assert "Exception ignored in: <function failing" in said
    assert "RuntimeError: oh" in said


def test_a_hook_that_fails_is_told_of(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def hook(_: object) -> None:
        raise ValueError("the hook")

    monkeypatch.setattr("sys.unraisablehook", hook)
    report(error_of_failing(), failing)
    assert "ValueError: the hook" in capsys.readouterr().err


def test_without_standard_error_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.unraisablehook", sys.__unraisablehook__)
    monkeypatch.setattr("sys.stderr", None)
    report(error_of_failing(), failing)
