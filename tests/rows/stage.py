"""Runs the examples for Windows as they stand, in one process after another or all in this one.

    python -m tests.rows.stage [--vpcd PORT]

The parts are lines of JSON on standard input: {"script": name, "answers": [PINs, null], "admin_key": hex,
"until": text, "wait_for": name}; what the script printed comes out as one line. `until`: it goes on in the background
once it has printed that; `wait_for` says which such script must end, too. Each script is run by its path, with nothing
changed; the machine and the person at it are all that is set.
"""

import contextlib
import io
import json
import os
import runpy
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

from vsc.interaction import PinScript, set_user_interaction
from vsc.machine import VpcdMachine, current, use_everywhere

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "windows"
LONG_S = 60


class Running:
    """A script in a thread of its own, and what it prints."""

    def __init__(self, name: str, until: str | None) -> None:
        self.output = _Output(until)
        self._name = name
        self._thread = threading.Thread(target=self._run, daemon=True)
        _outputs[self._thread] = self.output
        self._thread.start()

    def _run(self) -> None:
        try:
            runpy.run_path(str(EXAMPLES / self._name), run_name="__main__")
        except SystemExit as end:
            self.output.write(f"exit: {end}\n")
        except BaseException:
            self.output.write(traceback.format_exc())
        finally:
            self.output.is_far_enough.set()

    def wait(self) -> str:
        self._thread.join(LONG_S)
        assert not self._thread.is_alive(), self.output.getvalue()
        return self.output.getvalue()


class _Output(io.StringIO):
    def __init__(self, until: str | None) -> None:
        super().__init__()
        self._until = until
        self.is_far_enough = threading.Event()

    def write(self, text: str) -> int:
        written = super().write(text)
        if self._until is not None and self._until in self.getvalue():
            self.is_far_enough.set()
        return written


_outputs: dict[threading.Thread, _Output] = {}
"""Where each script's thread prints to. Handlers print on other threads: to the last that was started."""


class _Stdout(io.TextIOBase):
    def write(self, text: str) -> int:
        output = _outputs.get(threading.current_thread()) or next(reversed(_outputs.values()))
        return output.write(text)


def play(part: dict[str, Any], background: dict[str, Running]) -> str:
    """Runs one script; returns what it printed so far."""
    set_user_interaction(PinScript(part.get("answers", [])))
    if part.get("admin_key"):
        os.environ["ADMIN_KEY"] = part["admin_key"]
    running = Running(part["script"], part.get("until"))
    if part.get("until"):
        assert running.output.is_far_enough.wait(LONG_S)
        background[part["script"]] = running
        return running.output.getvalue()
    output = running.wait()
    if part.get("wait_for"):
        rest = background.pop(part["wait_for"]).wait()
        # Read again: what a handler of the other script has printed meanwhile is in it, too.
        output = running.output.getvalue() + rest
    return output


def main() -> None:
    if "--vpcd" in sys.argv:
        use_everywhere(VpcdMachine(port=int(sys.argv[sys.argv.index("--vpcd") + 1])))
    sys.path.insert(0, str(EXAMPLES))
    background: dict[str, Running] = {}
    out = sys.stdout
    with contextlib.redirect_stdout(_Stdout()):
        for line in sys.stdin:
            print(json.dumps(play(json.loads(line), background)), file=out, flush=True)
    current().close()


if __name__ == "__main__":
    main()
