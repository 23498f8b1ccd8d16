"""The test's end of `actor.py`."""

import json
import select
import subprocess
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from tests.interop.pcsc.worlds import program


class Puppet:
    """A client process with a context of its own. `tell` only sends; `hear` reads the answer; calling does both."""

    def __init__(self, env: Mapping[str, str], *prefix: str, python: str | None = None) -> None:
        command = program("actor", python=python) if python else program("actor")
        self.process = subprocess.Popen(
            [*prefix, *command], env=dict(env), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        assert self("establish", keep="context")[0] == "SUCCESS"

    def __call__(self, call: str, *arguments: object, keep: str | None = None) -> list[Any]:
        self.tell(call, *arguments, keep=keep)
        return self.hear()

    def tell(self, call: str, *arguments: object, keep: str | None = None) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([call, arguments, *([keep] if keep else [])]) + "\n")

    def hear(self) -> list[Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the client has ended"
        answer: list[Any] = json.loads(line)
        return answer

    def is_silent(self, for_s: float) -> bool:
        """Whether nothing has been answered for that long."""
        assert self.process.stdout is not None
        return not select.select([self.process.stdout], [], [], for_s)[0]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.process.kill()
        self.process.communicate()
