"""vsc.cli.completion: a real bash, on a terminal, completes commands, options and the names of cards."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from tests.unit.vsc import processes, samples
from tests.unit.vsc.cli.shell import Shell
from vsc.store.sqlite import SqliteStore

PATIENCE_S = 30
PROMPT = "ready> "
TAB = "\t"

# Python 3.12 warns whoever forks while another thread runs, as one of pytest-xdist does.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")


class Bash:
    """An interactive bash in which `vsc` is this checkout's, with completion switched on."""

    def __init__(self, home: Path, folder: Path) -> None:
        program = folder / "vsc"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m vsc.cli "$@"\n')
        program.chmod(0o755)
        path = f"{folder}:/usr/bin:/bin"
        more = {"PATH": path, "PS1": PROMPT, "TERM": "dumb", "HISTFILE": "", "COLUMNS": "200"}
        self._child = pexpect.spawn(
            "bash",
            ["--norc", "--noprofile", "-i"],
            env=processes.environment(home, more),
            timeout=PATIENCE_S,
            encoding="utf-8",
            dimensions=(50, 200),
        )
        self._child.delaybeforesend = None
        self._child.ptyproc.delayafterclose = 0
        self._child.expect_exact(PROMPT)
        self("bind 'set bell-style none'; bind 'set enable-bracketed-paste off'; bind 'set show-all-if-ambiguous on'")
        self('source <(vsc completion bash); vsc() { printf "<%s>" "$@"; echo; }')
        # `complete` calls the program by the name that was typed: the function stands for it, the file answers.
        self(f'_real() {{ unset -f vsc; _vsc_completion "{program}"; vsc() {{ printf "<%s>" "$@"; echo; }}; }}')
        self("complete -o nosort -F _real vsc")

    def __call__(self, line: str) -> str:
        """Types a line, and Enter; returns what is on the screen after it."""
        self._child.sendline(line)
        self._child.expect_exact(f"\n{PROMPT}")
        screen: str = self._child.before
        return screen.replace("\r", "")

    def close(self) -> None:
        # By itself: close() would give it fractions of a second to end, and then fail.
        self._child.sendline("exit")
        self._child.expect(pexpect.EOF)
        self._child.wait()
        self._child.close()


@pytest.fixture
def bash(work: SqliteStore, home: Path, tmp_path: Path) -> Iterator[Bash]:
    work.create(samples.image("two words"))
    shell = Bash(home, tmp_path)
    yield shell
    shell.close()


def last(screen: str) -> str:
    return screen.splitlines()[-1]


class TestBash:
    @pytest.mark.parametrize(
        ("typed", "run"),
        [
            ("vsc tpm", "<tpmvscmgr>"),
            ("vsc adm\t ver", "<admin-key><verify>"),
            ("vsc show wo", "<show><work>"),
            ("vsc show tw", "<show><two words>"),
            ("vsc show two\\ w", "<show><two words>"),
            ("vsc pin verify wo", "<pin><verify><work>"),
            ("vsc pin change work --old", "<pin><change><work><--old-pin>"),
            ("vsc completion f", "<completion><fish>"),
        ],
    )
    def test_what_is_typed_is_completed(self, bash: Bash, typed: str, run: str) -> None:
        assert last(bash(f"{typed}{TAB}")) == run

    def test_all_that_there_is(self, bash: Bash) -> None:
        screen = bash(f"vsc show {TAB}")
        assert "two\\ words" in screen
        assert "work" in screen


@pytest.mark.parametrize("shell_name", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script_that_asks_this_program(shell: Shell, shell_name: str) -> None:
    script = shell.ok("completion", shell_name)
    assert f"_VSC_COMPLETE={shell_name}_complete" in script


def test_bash_takes_the_script(shell: Shell) -> None:
    done = subprocess.run(
        ["bash", "-euc", f"{shell.ok('completion', 'bash')}\ncomplete -p vsc"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "complete -o nosort -F _vsc_completion vsc\n"


def test_another_shell_is_a_usage_error(shell: Shell) -> None:
    assert "'tcsh' is not one of" in shell.fails(2, "completion", "tcsh")


def test_a_damaged_store_completes_nothing_and_says_nothing(home: Path) -> None:
    home.mkdir()
    (home / "cards.db").write_bytes(b"damaged")
    asked = {"COMP_WORDS": "vsc show w", "COMP_CWORD": "2", "_VSC_COMPLETE": "bash_complete"}
    assert processes.vsc(home, more=asked) == (0, "\n", "")
