"""vsc.serving.child: a command, its signals, its status, and what it leaves behind. Each in a process of its own."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from vsc.serving import child

RUN = "import os, sys; from vsc.serving.child import run; sys.exit(run(sys.argv[1:], os.environ) % 256)"


def running(*command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", RUN, *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ran(*command: str) -> tuple[int, str]:
    with running(*command) as process:
        output, errors = process.communicate(timeout=30)
        assert "Traceback" not in errors
        return process.returncode, output


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("status", [0, 1, 7, 255])
def test_the_exit_status_is_the_commands(status: int) -> None:
    assert ran("sh", "-c", f"exit {status}")[0] == status


def test_output_and_environment_pass_through() -> None:
    assert ran("sh", "-c", "echo $HOME") == (0, f"{os.environ['HOME']}\n")


def test_a_command_that_a_signal_ended_says_which() -> None:
    assert ran("sh", "-c", "kill -USR1 $$")[0] == 256 - signal.SIGUSR1


WAITS_FOR = """
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [{number}])
print("up", flush=True)
sys.exit(42 if signal.sigwait([{number}]) else 1)
"""
"""Not by a handler: a signal that came just before the wait would be missed."""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_signals_are_passed_on(number: signal.Signals) -> None:
    script = WAITS_FOR.format(number=int(number))
    with running(sys.executable, "-c", script) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.send_signal(number)
        assert process.wait(timeout=30) == 42


def test_a_signal_that_comes_before_the_command_is_passed_on_once_it_is_there() -> None:
    script = WAITS_FOR.format(number=int(signal.SIGUSR1))
    with child._forwarding(on_terminal=False) as to:
        signal.raise_signal(signal.SIGUSR1)
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"up\n"
            to(process)
            assert process.wait(timeout=30) == 42


@pytest.mark.parametrize(
    "leave",
    [
        "sleep 1000 & echo $!",
        "setsid sh -c 'echo $$; exec sleep 1000' &",
        "(setsid sh -c 'trap \"\" TERM HUP; echo $$; while :; do sleep 1; done' &) ; sleep 0.2",
    ],
    ids=["a child", "a daemon", "a daemon that ignores SIGTERM"],
)
def test_what_a_command_leaves_behind_is_ended(leave: str, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    status, _ = ran("sh", "-c", f"{{ {leave} \n}} > {pid_file} 2>&1 < /dev/null; until [ -s {pid_file} ]; do :; done")
    assert status == 0
    assert not is_alive(int(pid_file.read_text()))


def test_a_command_without_a_terminal_has_a_session_of_its_own() -> None:
    status, output = ran(sys.executable, "-c", "import os; print(os.getsid(0) == os.getpid())")
    assert (status, output) == (0, "True\n")


@pytest.mark.parametrize(("command", "code"), [("/nonexistent/command", 127), ("/etc/passwd", 126)])
def test_a_command_that_cannot_start(command: str, code: int) -> None:
    script = (
        "import os, sys\nfrom vsc.serving.child import CannotStartError, run\n"
        "try:\n    run(sys.argv[1:], os.environ)\nexcept CannotStartError as error:\n    sys.exit(error.exit_code)"
    )
    assert subprocess.run([sys.executable, "-c", script, command], check=False).returncode == code


def test_a_command_ends_with_us_however_we_end() -> None:
    """SIGKILL gives nobody time to end anything: the kernel does it."""
    with running("sh", "-c", "trap '' TERM HUP; echo $$; exec sleep 1000") as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        end = os.pidfd_open(pid)
        process.kill()
        assert select.select([end], [], [], 30)[0], "the command lives on"
        os.close(end)


@pytest.mark.parametrize(
    "leave",
    [
        "sleep 1000 & echo $!",
        "setsid sh -c 'echo $$; exec sleep 1000' &",
        "setsid sh -c 'trap \"\" TERM HUP; echo $$; exec sleep 1000' &",
        "env -i sh -c 'echo $$; exec sleep 1000' &",
    ],
    ids=["a child", "a daemon", "a daemon that ignores signals", "one without environment"],
)
def test_what_a_command_has_started_ends_with_us_however_we_end(leave: str) -> None:
    with running("sh", "-c", f"{leave}\nexec sleep 1000") as process:
        assert process.stdout is not None
        end = os.pidfd_open(int(process.stdout.readline()))
        process.kill()
        assert select.select([end], [], [], 30)[0], "what it has started lives on"
        os.close(end)
