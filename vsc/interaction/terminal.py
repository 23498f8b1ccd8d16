"""Questions on the terminal of this process: /dev/tty, wherever stdin and stdout go."""

import os
import termios
from collections.abc import Iterator
from contextlib import contextmanager

from vsc.errors import VscError
from vsc.interaction.port import Question
from vsc.interaction.wording import details, problem, title, violation

DEFAULT_PATH = "/dev/tty"
"""The terminal of this process."""

_LOCAL_FLAGS, _CONTROL_CHARACTERS = 3, 6
"""Places in what termios.tcgetattr returns."""
_MAX_LINE_BYTES = 4096
"""The longest line that a terminal in line mode gives."""


class TerminalInteraction:
    """Asks on a terminal. PINs are not shown; a new one is asked twice. Empty, Ctrl-C and Ctrl-D cancel.

    path: the terminal. Works in any thread: Ctrl-C is read as a key, never sent as a signal.
    """

    def __init__(self, path: str = DEFAULT_PATH) -> None:
        self._path = path

    @staticmethod
    def is_available(path: str = DEFAULT_PATH) -> bool:
        """Whether this process has a terminal that can be opened."""
        try:
            os.close(_opened(path))
        except OSError:
            return False
        return True

    def new_pin(self, question: Question) -> str | None:
        with open_terminal(self._path) as terminal:
            terminal.explain(question)
            while True:  # Until a person has typed the same twice, or cancels.
                pin = terminal.ask("New PIN: ")
                if not pin:
                    return None
                if broken := violation(question, pin):
                    terminal.write(f"{broken}\n")
                    continue
                again = terminal.ask("Repeat the new PIN: ")
                if again is None:
                    return None
                if again == pin:
                    return pin
                terminal.write("The two differ.\n")

    def current_pin(self, question: Question) -> str | None:
        with open_terminal(self._path) as terminal:
            terminal.explain(question)
            return terminal.ask("PIN: ") or None

    def consent_to_deletion(self, question: Question) -> bool:
        with open_terminal(self._path) as terminal:
            return terminal.confirms(title(question))


@contextmanager
def open_terminal(path: str = DEFAULT_PATH) -> Iterator["Terminal"]:
    """Gives a terminal to ask on, in which Ctrl-C is a key. VscError if there is none."""
    try:
        descriptor = _opened(path)
    except OSError as error:
        raise VscError(f"there is no terminal to ask on: {error.strerror}") from None
    try:
        with _keys_as_text(descriptor):
            yield Terminal(descriptor)
    except termios.error as error:
        raise VscError(f"{path} is no terminal to ask on: {error.args[-1]}") from None
    finally:
        os.close(descriptor)


def _opened(path: str) -> int:
    return os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)


@contextmanager
def _keys_as_text(descriptor: int) -> Iterator[None]:
    """Makes Ctrl-C and its like end a line in place of sending a signal, which only the main thread would get.

    What was typed before the question is dropped: it was no answer to it.
    """
    before = termios.tcgetattr(descriptor)
    ours = termios.tcgetattr(descriptor)
    ours[_LOCAL_FLAGS] = (ours[_LOCAL_FLAGS] | termios.ICANON) & ~termios.ISIG
    controls = ours[_CONTROL_CHARACTERS]
    controls[termios.VEOL] = controls[termios.VINTR]
    controls[termios.VEOL2] = controls[termios.VQUIT]
    try:
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, ours)
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


class Terminal:
    """An open terminal in line mode."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, text: str) -> None:
        data = text.encode(errors="replace")
        while data:
            data = data[os.write(self._descriptor, data) :]

    def explain(self, question: Question) -> None:
        for line in (problem(question), title(question), *details(question)):
            if line:
                self.write(f"{line}\n")

    def ask(self, prompt: str, *, hidden: bool = True) -> str | None:
        """Returns a line as it was typed; None for any end but Enter (Ctrl-C, Ctrl-D, the terminal is gone)."""
        with self._echo(on=not hidden):
            self.write(prompt)
            line = os.read(self._descriptor, _MAX_LINE_BYTES)
            if hidden or not line.endswith(b"\n"):
                self.write("\n")
        # Bytes that are no UTF-8 are kept: they are the PIN.
        return line[:-1].decode(errors="surrogateescape") if line.endswith(b"\n") else None

    def confirms(self, question: str) -> bool:
        """Asks for yes or no; whatever is not yes is no."""
        answer = self.ask(f"{question} [y/N]: ", hidden=False)
        return (answer or "").strip().lower() in ("y", "yes")

    @contextmanager
    def _echo(self, *, on: bool) -> Iterator[None]:
        before = termios.tcgetattr(self._descriptor)
        ours = termios.tcgetattr(self._descriptor)
        ours[_LOCAL_FLAGS] = ours[_LOCAL_FLAGS] | termios.ECHO if on else ours[_LOCAL_FLAGS] & ~termios.ECHO
        termios.tcsetattr(self._descriptor, termios.TCSADRAIN, ours)
        try:
            yield
        finally:
            termios.tcsetattr(self._descriptor, termios.TCSADRAIN, before)
