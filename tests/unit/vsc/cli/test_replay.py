"""`vsc replay`: what it refuses, before any program is started."""

from pathlib import Path

import pytest

from tests.unit.vsc.cli.shell import Shell

LOG = "> 00A40400\n< 9000\n"


@pytest.fixture
def log(tmp_path: Path) -> str:
    path = tmp_path / "log"
    path.write_text(LOG)
    return str(path)


def test_a_log_without_an_atr(shell: Shell, log: str) -> None:
    result = shell("replay", log, "--", "true")
    assert (result.code, result.err) == (
        1,
        "vsc: the log does not tell the card's ATR: say which it has (--atr, atr=)\n",
    )


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--atr", "3"], 2, "an ATR is 2 to 33 bytes in hexadecimal"),
        (["--atr", "3B" * 34], 2, "an ATR is 2 to 33 bytes in hexadecimal"),
        (["--admin-key", "default"], 2, "only mode learnt has a use for it"),
        (["--mode", "learnt", "--admin-key", "env:NO_SUCH"], 2, "the environment variable NO_SUCH is not set"),
        (["--mode", "loose"], 2, "'loose' is not one of"),
        (["--reader", "R"], 1, "the log has no APDU of a reader 'R'; it has those of: ''"),
    ],
)
def test_options(shell: Shell, log: str, words: list[str], code: int, said: str) -> None:
    for order in ([*words, log], [log, *words]):
        result = shell("replay", *order, "--", "true")
        assert result.code == code
        assert said in result.err


def test_files(shell: Shell, tmp_path: Path) -> None:
    result = shell("replay", str(tmp_path / "nothing"), "--", "true")
    assert (result.code, "does not exist" in result.err) == (2, True)
    (tmp_path / "log").write_text("hello")
    result = shell("replay", str(tmp_path / "log"), "--", "true")
    assert result.code == 1
    assert result.err.startswith(f"vsc: {tmp_path / 'log'}: this is no log that can be read; known are: ")
    (tmp_path / "log").write_text(LOG + "< 9000\n")
    result = shell("replay", str(tmp_path / "log"), "--", "true")
    assert result.err == f"vsc: {tmp_path / 'log'}: line 3: an answer without a command before it\n"


def test_a_command_must_be_said(shell: Shell, log: str) -> None:
    assert shell("replay", log).code == 2
    assert shell("record", "-o", "x").code == 2
    assert "-o" in shell("record", "--", "true").err


def test_what_was_not_asked_for_is_counted(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(LOG)
    result = shell("replay", str(path), "--atr", "3B8001", "--", "true")
    assert (result.code, result.err) == (0, "vsc: the last APDU of the log was not asked for\n")
    apdu = '{"kind": "apdu", "reader": "%s", "command": "00A40400", "response": "9000"}\n'
    path.write_text('{"format": "vsc trace", "version": 2}\n' + apdu % "One" + (apdu % "Two") * 2)
    result = shell("replay", str(path), "--atr", "3B8001", "--", "true")
    assert result.err == (
        "vsc: in 'One' the last APDU of the log was not asked for\n"
        "vsc: in 'Two' the last 2 APDUs of the log were not asked for\n"
    )


def test_a_reader_that_cannot_be(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "log").write_text(
        '{"format": "vsc trace", "version": 2}\n'
        '{"kind": "apdu", "reader": "\\u0007", "command": "00A40400", "response": "9000"}\n'
    )
    result = shell("replay", str(tmp_path / "log"), "--atr", "3B8001", "--", "true")
    assert result.code == 1
    assert "the log has a reader that cannot be" in result.err
