"""vsc.serving.process: the control socket that its owner calls, and its end."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from vsc.serving.owner import ServiceProcess
from vsc.serving.travel import packed, unpacked

WITHIN_S = 60


def ask(process: ServiceProcess, *lines: bytes) -> list[dict[str, object]]:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(process.control_path))
        client.sendall(b"".join(line + b"\n" for line in lines))
        with client.makefile("rb") as answers:
            return [json.loads(answers.readline()) for _ in lines]


def call(work: str) -> bytes:
    return json.dumps({"do": "call", "work": work}).encode()


def test_rubbish_is_answered_and_ends_nothing() -> None:
    with ServiceProcess() as process:
        *refused, good = ask(
            process,
            b"[" * 5000,
            b"{}",
            b'{"do": "call"}',
            call("AAAA"),
            call(packed(5)),
            call(packed(("no such call", (), {}))),
            call(packed(("ping", (1, 2, 3), {}))),
            call(packed(("ping", (), {}))),
        )
        assert good == {"ok": {"value": packed(None)}}
        for answer in refused:
            raised = answer.get("ok")
            assert "error" in answer or (isinstance(raised, dict) and unpacked(raised["raised"]).again())


def started(tmp_path: Path, owner: int) -> "subprocess.Popen[str]":
    code = "import sys; from vsc.serving.process import main; main(int(sys.argv[1]))"
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    env.pop("XDG_RUNTIME_DIR", None)
    return subprocess.Popen(
        [sys.executable, "-c", code, str(owner)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, text=True
    )


@pytest.mark.parametrize("end", ["its owner is gone already", "the pipe ends", "a signal"])
def test_it_ends_and_leaves_nothing(tmp_path: Path, end: str) -> None:
    owner = os.getpid()
    if end == "its owner is gone already":
        with subprocess.Popen([sys.executable, "-c", ""]) as gone:
            owner = gone.pid
    with started(tmp_path, owner) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert len(json.loads(process.stdout.readline())) == 2
        if end == "the pipe ends":
            process.stdin.close()
        elif end == "a signal":
            process.send_signal(signal.SIGINT)  # It is for the owner.
            process.send_signal(signal.SIGTERM)
        assert process.wait(WITHIN_S) == 0
    assert list(tmp_path.iterdir()) == []
