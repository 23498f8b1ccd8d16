"""Traces: what went over the wire, as JSON lines, with PINs and keys left out.

    {"format": "vsc trace", "version": 1}
    {"seconds": 0.012, "reader": "…", "name": "VERIFY", "command": "0020008008…", "response": "9000"}

`seconds` count from the start of the trace. The data of a command that carries a PIN or a key is replaced by `…`; the
length before it stays. Answers are whole: no command of a card answers a secret.
"""

import json
import os
import threading
import time
from pathlib import Path
from typing import Self

from vsc.decode import command_name, shown
from vsc.errors import VscError
from vsc.profiles import PROFILES

FORMAT = "vsc trace"
VERSION = 1


class Recorder:
    """Writes a trace to a file (0600, made anew), a line at a time; several readers may write at once."""

    def __init__(self, path: Path) -> None:
        self._applications = [application for profile in PROFILES.values() for application in profile.applications]
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self._path = path
        self._failure: OSError | None = None
        try:
            # Unbuffered: a line that cannot be written must not be tried again when the file is closed.
            self._file = os.fdopen(_opened(path), "wb", buffering=0)
        except OSError as error:
            raise self._error(error) from None
        self._write({"format": FORMAT, "version": VERSION})

    def __call__(self, reader: str, command: bytes, response: bytes) -> None:
        """Records one command and its answer."""
        self._write(
            {
                "seconds": round(time.monotonic() - self._started, 6),
                "reader": reader,
                "name": command_name(command, self._applications),
                "command": shown(command),
                "response": response.hex().upper(),
            }
        )

    def _write(self, entry: dict[str, object]) -> None:
        with self._lock:
            if self._file.closed or self._failure is not None:
                return
            line = json.dumps(entry, ensure_ascii=False).encode(errors="backslashreplace") + b"\n"
            try:
                while line:
                    line = line[self._file.write(line) :]
            except OSError as error:
                # Whoever talks to the card must not notice; it is told in the end.
                self._failure = error

    def _error(self, error: OSError) -> VscError:
        return VscError(f"the trace {self._path} cannot be written: {error.strerror}")

    def close(self) -> None:
        """VscError if not all could be written."""
        with self._lock:
            self._file.close()
        failure, self._failure = self._failure, None
        if failure is not None:
            raise self._error(failure)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _opened(path: Path) -> int:
    """Makes a file anew. A device or a pipe is written to, and never removed."""
    if path.exists() and not path.is_file():
        return os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    path.unlink(missing_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
