"""Who types on a PIN pad: somebody at the terminal, or a variable, a file, nobody. Never the command line.

A variable and a file have the PIN in their first line. For a change of PIN the first line is the current one and the
second the new one, which is typed again as the third, or if there is none as the second.
"""

import atexit
import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic

from vsc.errors import VscError
from vsc.pinpad.pad import Ask, PinKind, PinRequest
from vsc.text.byte_order_mark import without_mark
from vsc.text.reading import MAX_SECRET_BYTES, TooLargeError, read_file

SOURCES = "prompt|env:VAR|file:PATH|cancel|timeout"

_LINES = {PinKind.PIN: (0,), PinKind.CURRENT: (0,), PinKind.NEW: (1,), PinKind.REPEATED: (2, 1)}
_PROMPTS = {
    PinKind.PIN: "PIN",
    PinKind.CURRENT: "Current PIN",
    PinKind.NEW: "New PIN",
    PinKind.REPEATED: "New PIN again",
}
_ENTER = b"\r\n"
_CANCEL = b"\x03\x04\x1b"  # Ctrl-C, Ctrl-D, Escape
_ERASE = b"\x08\x7f"
_ERASE_ALL = b"\x15"  # Ctrl-U


class PinSourceError(VscError):
    """There is no PIN to be had where it was said to be."""


def pin_source(
    text: str,
    *,
    terminal: Path = Path("/dev/tty"),
    delay_s: float = 0.0,
    sleep: Callable[[float], object] = time.sleep,
) -> Ask:
    """The source that `--pinpad` names, for PinPad; PinSourceError if it is none, or nothing can be read there.

    What the variable or the file says is read when the pad asks. terminal: what `prompt` talks to. delay_s: how long
    all others wait before they answer, as a person would: Firefox's window stays for ever if the answer is there before
    the window is.
    """
    kind, _, where = text.partition(":")
    if text == "cancel":
        return _later(lambda request: None, delay_s, sleep)
    if text == "timeout":
        return _later(_time_out, delay_s, sleep)
    if text == "prompt":
        with _opened(terminal):
            return _prompt(terminal)
    if kind == "env" and where:
        return _later(_first_tried(lambda: _variable(where)), delay_s, sleep)
    if kind == "file" and where:
        return _later(_first_tried(lambda: _file(Path(where))), delay_s, sleep)
    raise PinSourceError(f"say {SOURCES}, never the PIN itself")


def _later(ask: Ask, delay_s: float, sleep: Callable[[float], object]) -> Ask:
    def answer(request: PinRequest) -> bytes | None:
        if delay_s:
            sleep(delay_s)
        return ask(request)

    return answer


def _time_out(request: PinRequest) -> bytes | None:
    raise TimeoutError


def _first_tried(read: Callable[[], bytes]) -> Ask:
    """A source of lines that is known to be readable; None (cancelled) for a line that is not there."""
    read()

    def ask(request: PinRequest) -> bytes | None:
        lines = [line.removesuffix(b"\r") for line in read().split(b"\n")]
        return next((lines[number] for number in _LINES[request.kind] if number < len(lines)), None)

    return ask


def _variable(name: str) -> bytes:
    value = os.environb.get(os.fsencode(name))
    if value is None:
        raise PinSourceError(f"the environment variable {name} is not set")
    return value.removesuffix(b"\n")


def _file(path: Path) -> bytes:
    try:
        return without_mark(read_file(path, MAX_SECRET_BYTES)).removesuffix(b"\n")
    except TooLargeError as error:
        raise PinSourceError(str(error)) from None
    except OSError as error:
        raise PinSourceError(f"{path} cannot be read: {error.strerror}") from None


# --- the terminal


@contextmanager
def _opened(terminal: Path) -> Iterator[int]:
    try:
        tty = os.open(terminal, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        raise PinSourceError(f"there is no terminal to ask on: {terminal}: {error.strerror}") from None
    try:
        if not os.isatty(tty):
            raise PinSourceError(f"there is no terminal to ask on: {terminal} is none")
        yield tty
    finally:
        os.close(tty)


@contextmanager
def _raw_keys(tty: int) -> Iterator[None]:
    """Keys come one by one, unseen, and none is a signal: Ctrl-C cancels the entry and not the program."""
    import termios  # Not on every system, and only this source needs it.

    before = termios.tcgetattr(tty)
    now = termios.tcgetattr(tty)
    now[3] &= ~(termios.ECHO | termios.ICANON | termios.ISIG | termios.IEXTEN)

    def restore() -> None:
        with suppress(termios.error):  # The terminal has hung up.
            termios.tcsetattr(tty, termios.TCSAFLUSH, before)

    # The thread that asks is a daemon: a program that ends meanwhile must not leave a terminal that shows nothing.
    atexit.register(restore)
    try:
        termios.tcsetattr(tty, termios.TCSAFLUSH, now)
        yield
    finally:
        restore()
        atexit.unregister(restore)


def _prompt(terminal: Path) -> Ask:
    """One question at a time, whichever pad asks: there is one keyboard."""
    keyboard = threading.Lock()

    def ask(request: PinRequest) -> bytes | None:
        with keyboard:
            return _prompted(request, terminal)

    return ask


def _prompted(request: PinRequest, terminal: Path) -> bytes | None:
    with _opened(terminal) as tty, _raw_keys(tty):
        limits = f"{request.min_digits} to {request.max_digits}"
        os.write(tty, f"{_PROMPTS[request.kind]} ({limits}) for {request.reader}: ".encode())
        try:
            return _keyed(tty, request)
        finally:
            with suppress(OSError):  # The terminal has hung up.
                os.write(tty, b"\r\n")


def _keyed(tty: int, request: PinRequest) -> bytes | None:
    """What is typed up to Enter; None if it is cancelled, or the terminal hangs up. TimeoutError."""
    typed = bytearray()
    key = _key(tty, monotonic() + request.timeout_s)
    deadline = monotonic() + request.key_timeout_s
    while key not in _ENTER:
        if key in _CANCEL:
            return None
        if key in _ERASE:
            del typed[-1:]
        elif key in _ERASE_ALL:
            typed.clear()
        else:
            typed += key
        key = _key(tty, deadline)
    return bytes(typed) if key else None


def _key(tty: int, deadline: float) -> bytes:
    """One byte; none when the terminal has hung up."""
    poller = select.poll()
    poller.register(tty, select.POLLIN)
    if not poller.poll(max(0.0, deadline - monotonic()) * 1000):
        raise TimeoutError
    try:
        return os.read(tty, 1)
    except OSError:
        return b""
