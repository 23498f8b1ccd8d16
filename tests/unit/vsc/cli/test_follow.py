"""`vsc trace show --follow`: in a process of its own, each line waited for before the next thing is done."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vsc.reader import Reader
from vsc.testing import SoftCard
from vsc.trace.recorder import Recorder

SELECT, GET_DATA, PROBE = "00A4040009A00000039742544659", "00CBA014045C02DF2000", "00A4040006A00000000101"


@contextmanager
def following(*words: str | Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "vsc.cli", "trace", "show", "--follow", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def read(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


def test_lines_come_as_they_are_written(tmp_path: Path) -> None:
    path, reader = tmp_path / "log.jsonl", Reader("Desk")
    path.touch()
    with following(path) as process:
        with Recorder(path) as recorder:
            recorder.follow(reader)
            reader.insert(SoftCard.make())
            first = read(process)
            if first == "-- the log begins anew":
                first = read(process)
            assert "-- card inserted: GIDS" in first
            reader.transmit(bytes.fromhex(GET_DATA))
            assert "-> 6982" in read(process)
            assert "why: EF A014" in read(process)
            for _ in range(3):
                reader.transmit(bytes.fromhex(PROBE))
            reader.transmit(bytes.fromhex(SELECT))
            probing = read(process)
            while "SELECT GIDS" not in (line := read(process)):
                probing += line  # We were slow: the run was thought to have ended.
            assert "AID A00000000101" in probing
        with Recorder(path) as recorder:
            recorder.follow(reader)
            assert read(process) == "-- the log begins anew"
            assert "-- card inserted: GIDS" in read(process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    counts = out.splitlines()[1]
    assert re.fullmatch("5 commands to GIDS.*: 1 done, 1 refused, 3 asked for what is not there", counts)


def test_as_json(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("> 00A4")
    with following("--json", path) as process:
        with path.open("a") as file:
            file.write("0000\n< 9000\n")
        assert json.loads(read(process))["sw"] == "9000"
        process.send_signal(signal.SIGINT)
        assert process.communicate() == ("", "")


def test_what_is_no_log(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("hello\n")
    with following(path) as process:
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (1, "")
    assert "this is no log that can be read" in err
