"""A person at a real terminal, in front of whom a script of ours asks a question."""

import sys
from collections.abc import Mapping
from pathlib import Path

import pexpect

from tests.unit.vsc import processes

PATIENCE_S = 20
CTRL_C, CTRL_D = "\x03", "\x04"

ASK = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # A shell's background has it ignored.
from card_os.pin import CharacterRule, PinPolicy
from vsc.errors import VscError
from vsc.interaction import *
NEW, CURRENT, DELETION = QuestionKind
try:
    answer = {expression}
except VscError as error:
    print("ERROR:", error)
else:
    # As a sum: the answer itself must not be on the screen.
    print("ANSWER:", answer if answer is None or isinstance(answer, bool)
          else sum(answer.encode(errors="surrogateescape")))
"""


def answer(pin: bytes) -> str:
    """What the script prints for that PIN."""
    return f"ANSWER: {sum(pin)}\r\n"


class Person:
    """Reads until a text comes, types, and keeps all that was on the screen."""

    def __init__(self, expression: str, *, environment: Mapping[str, str] | None = None, prelude: str = "") -> None:
        script = prelude + ASK.format(expression=expression)
        self._child = pexpect.spawn(
            sys.executable,
            ["-c", script],
            env=processes.environment(Path("unused"), {"TERM": "xterm", "LC_ALL": "C.UTF-8", **(environment or {})}),
            timeout=PATIENCE_S,
            encoding="utf-8",
            codec_errors="surrogateescape",
            echo=True,
            dimensions=(30, 100),
        )
        self._child.delaybeforesend = None
        self._child.ptyproc.delayafterclose = 0
        self.screen = ""

    def reads(self, text: str) -> "Person":
        self._child.expect_exact(text)
        self.screen += self._child.before + self._child.after
        return self

    def types(self, text: str) -> "Person":
        self._child.send(text)
        return self

    def ends(self) -> str:
        """Waits for the end of the script; returns what was on the screen."""
        self._child.expect(pexpect.EOF)
        self.screen += self._child.before
        self._child.wait()
        self._child.close()
        assert "Traceback" not in self.screen, self.screen
        return self.screen
