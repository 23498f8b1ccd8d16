"""Questions by pinentry, the program with which GnuPG asks for PINs: in a window, or on a terminal that it is told of.

One question is one run of the program: it is started, told what to ask, and ends with the answer.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from vsc.errors import VscError
from vsc.interaction.assuan import CANCELLED_CODES, MAX_LINE_BYTES, AssuanError, Line, command, parse
from vsc.interaction.port import Question
from vsc.interaction.terminal import DEFAULT_PATH, TerminalInteraction
from vsc.interaction.wording import details, problem, title, violation

PROGRAM = "pinentry"
_CANCELLED = Line("ERR", b"99")


_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "GPG_TTY")


class PinentryError(VscError):
    """The pinentry program is missing, or failed."""


class PinentryInteraction:
    """Asks by a pinentry program. A new PIN is asked twice, by pinentry itself where it can.

    program: its name or path. terminal: where one without a window is to ask; None: GPG_TTY, else the terminal of
    this process, if it has one.
    """

    def __init__(self, program: str = PROGRAM, *, terminal: str | None = None) -> None:
        self._program = program
        self._terminal = terminal

    @staticmethod
    def is_available(program: str = PROGRAM) -> bool:
        """Whether there is the program, and a screen or a terminal on which it can ask."""
        has_screen = any(map(os.environ.get, _SCREENS)) or _own_terminal() is not None
        return has_screen and shutil.which(program) is not None

    def new_pin(self, question: Question) -> str | None:
        complaint = problem(question)
        while True:  # Until a person has typed the same twice, or cancels.
            with self._conversation(question, prompt="New PIN:", complaint=complaint) as pinentry:
                pinentry.try_to_set("SETREPEAT", "Repeat:")
                pinentry.try_to_set("SETREPEATERROR", "The two differ.")
                pin, is_repeated = pinentry.get_pin()
            if not pin or is_repeated:
                return pin or None
            if complaint := violation(question, pin):
                continue
            with self._conversation(question, prompt="Repeat the new PIN:") as pinentry:
                again, _ = pinentry.get_pin()
            if again is None or again == pin:
                return again
            complaint = "The two differ."

    def current_pin(self, question: Question) -> str | None:
        with self._conversation(question, prompt="PIN:", complaint=problem(question)) as pinentry:
            return pinentry.get_pin()[0] or None

    def consent_to_deletion(self, question: Question) -> bool:
        with self._conversation(question) as pinentry:
            pinentry.try_to_set("SETOK", "Delete")
            pinentry.try_to_set("SETCANCEL", "Cancel")
            return pinentry.confirm()

    @contextmanager
    def _conversation(
        self, question: Question, *, prompt: str | None = None, complaint: str | None = None
    ) -> Iterator["_Pinentry"]:
        with _Pinentry(self._path()) as pinentry:
            for option in self._options():
                pinentry.try_to_set("OPTION", option)
            pinentry.set("SETTITLE", "Virtual smart card")
            pinentry.set("SETDESC", "\n".join((title(question), *details(question))))
            if complaint:
                pinentry.set("SETERROR", complaint)
            if prompt:
                pinentry.set("SETPROMPT", prompt)
            yield pinentry

    def _path(self) -> str:
        path = shutil.which(self._program)
        if path is None:
            raise PinentryError(
                f"there is no program {self._program!r} to ask with: install one (on Debian: pinentry-curses)"
            )
        return path

    def _options(self) -> Iterator[str]:
        terminal = self._terminal or os.environ.get("GPG_TTY") or _own_terminal()
        if terminal:
            yield f"ttyname={terminal}"
            yield f"ttytype={os.environ.get('TERM', 'dumb')}"
        # Without it, pinentry takes the screen for one of ASCII alone.
        locales = filter(None, map(os.environ.get, ("LC_ALL", "LC_CTYPE", "LANG")))
        yield f"lc-ctype={next(locales, 'C.UTF-8')}"


def _own_terminal() -> str | None:
    """Returns the path of the terminal at stdin, stdout or stderr, else of this process; None if it has none."""
    for descriptor in range(3):
        with suppress(OSError):
            return os.ttyname(descriptor)
    return DEFAULT_PATH if TerminalInteraction.is_available() else None


class _Pinentry:
    """A pinentry that runs, and waits for commands."""

    def __init__(self, path: str) -> None:
        self._name = Path(path).name
        try:
            self._process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        except OSError as error:
            raise PinentryError(f"{path} cannot be started: {error.strerror}") from None

    def __enter__(self) -> Self:
        try:
            self._expect_ok("the start", self._answer()[-1])
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(politely=kind is None)

    def set(self, word: str, text: str) -> None:
        self._expect_ok(word, self._say(word, text)[-1])

    def try_to_set(self, word: str, text: str) -> None:
        """The same for what not every pinentry knows."""
        self._say(word, text)

    def get_pin(self) -> tuple[str | None, bool]:
        """Returns the PIN and whether it was asked twice; None: cancelled."""
        *data, end = self._ask("GETPIN")
        if not self._is_ok("GETPIN", end):
            return None, False
        pin = b"".join(line.rest for line in data if line.word == "D")
        is_repeated = any(line.word == "S" and line.rest.startswith(b"PIN_REPEATED") for line in data)
        return pin.decode(errors="surrogateescape"), is_repeated

    def confirm(self) -> bool:
        return self._is_ok("CONFIRM", self._ask("CONFIRM")[-1])

    def _ask(self, word: str) -> list[Line]:
        """Sends what a person is to answer; a Ctrl-C meanwhile is a cancellation."""
        self._send(command(word))
        try:
            return self._answer()
        except KeyboardInterrupt:
            # The terminal sent it to pinentry, too, which puts the screen in order and then says so, or just ends.
            with suppress(PinentryError):
                self._answer()
            return [_CANCELLED]

    def _is_ok(self, word: str, line: Line) -> bool:
        if line.word == "ERR" and line.error_code in CANCELLED_CODES:
            return False
        self._expect_ok(word, line)
        return True

    def _expect_ok(self, word: str, line: Line) -> None:
        if line.word != "OK":
            reason = line.rest.partition(b" ")[2].decode(errors="replace") or line.word
            raise PinentryError(f"{self._name} refused {word}: {reason}")

    def _say(self, word: str, text: str = "") -> list[Line]:
        """Sends a command; returns the lines of the answer, OK or ERR as the last."""
        self._send(command(word, text))
        return self._answer()

    def _answer(self) -> list[Line]:
        lines: list[Line] = []
        while not lines or lines[-1].word not in ("OK", "ERR"):
            lines.append(self._receive())
            if lines[-1].word == "INQUIRE":
                self._send(command("CAN"))  # It asks us something (the quality of a PIN, say): no answer.
        return lines

    def _receive(self) -> Line:
        assert self._process.stdout is not None
        raw = self._process.stdout.readline(MAX_LINE_BYTES + 2)
        if not raw:
            raise PinentryError(f"{self._name} ended without an answer")
        try:
            return parse(raw)
        except AssuanError as error:
            raise PinentryError(f"{self._name} does not speak as a pinentry: {error}") from None

    def _send(self, line: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except OSError:
            raise PinentryError(f"{self._name} ended without an answer") from None

    def _end(self, *, politely: bool = False) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if politely:
            with suppress(PinentryError):
                self._send(command("BYE"))
        else:
            self._process.terminate()
        with suppress(OSError):
            self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()
