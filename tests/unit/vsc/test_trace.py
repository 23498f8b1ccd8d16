"""vsc.trace: what goes over the wire as JSON lines, without secrets."""

import json
import os
import stat
from pathlib import Path

import pytest

from vsc.errors import VscError
from vsc.trace import Recorder

PIN = "3132333435363738"


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_trace_has_a_version_and_an_entry_for_each_command(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    with Recorder(path) as record:
        record("Reader ☂", bytes.fromhex("00CBA010045C02DF2200"), bytes.fromhex("DF22009000"))
    head, entry = lines(path)
    assert head == {"format": "vsc trace", "version": 1}
    assert entry.pop("seconds") is not None
    assert entry == {
        "reader": "Reader ☂",
        "name": "GET DATA",
        "command": "00CBA010045C02DF2200",
        "response": "DF22009000",
    }


@pytest.mark.parametrize(
    "command",
    [
        f"0020008008{PIN}",
        f"1020008008{PIN}",
        f"0024008010{PIN}{PIN}",
        f"002C028008{PIN}",
        f"00DB3FFF08{PIN}",
        f"412000800000{'08'}{PIN}",
    ],
)
def test_secrets_are_left_out(tmp_path: Path, command: str) -> None:
    path = tmp_path / "trace"
    with Recorder(path) as record:
        record("r", bytes.fromhex(command), b"\x90\x00")
    assert PIN not in path.read_text()


def test_the_file_is_ours_alone_and_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    path.write_text("old")
    path.chmod(0o644)
    with Recorder(path):
        pass
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(lines(path)) == 1


def test_a_closed_trace_takes_no_more(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    with Recorder(path) as record:
        pass
    record("r", b"\x00\x20\x00\x80", b"\x90\x00")
    assert len(lines(path)) == 1


def test_a_path_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(VscError, match="cannot be written"):
        Recorder(tmp_path / "missing" / "trace")


def test_a_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with Recorder(path) as record:
            record("r", bytes.fromhex("00A40400"), b"\x90\x00")
        assert [json.loads(line).get("name") for line in os.read(reading, 10_000).splitlines()] == [None, "SELECT"]
        assert path.is_fifo()
    finally:
        os.close(reading)


def test_what_could_not_be_written_is_told_in_the_end() -> None:
    full = Path("/dev/full")
    failure = "the trace /dev/full cannot be written: No space left on device"
    with pytest.raises(VscError, match=failure), Recorder(full) as record:
        record("r", bytes.fromhex("00A40400"), b"\x90\x00")
    assert full.is_char_device()
