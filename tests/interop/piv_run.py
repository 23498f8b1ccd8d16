"""PIV cards and YubiKeys of the store, served to programs of an ordinary user, for interop tests."""

import os
import shlex
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import CompletedProcess
from typing import Self

from tests.interop.need import require_tool
from tests.interop.vsc_run import Vsc, ordinary_user

PIN, PUK = "123456", "12345678"
ADMIN_KEY = "0102030405060708" * 3


class PivCards:
    """Cards of one store. The first program that wants a card finds it in a reader, where it stays to the end."""

    def __init__(self, vsc: Vsc, undo: ExitStack) -> None:
        self.vsc = vsc
        self._undo = undo
        self._served: dict[str, tuple[ExitStack, dict[str, str]]] = {}

    @classmethod
    @contextmanager
    def of_user(cls) -> Iterator[Self]:
        with ordinary_user(Vsc) as vsc, ExitStack() as undo:
            yield cls(vsc, undo)

    def make(self, name: str, profile: str) -> None:
        """Makes a card with the PIN, PUK and management key that its clients take for granted."""
        self.vsc("create", name, "--profile", profile, "--pin", "default", "--admin-key", "default")

    def _reach(self, card: str) -> dict[str, str]:
        """What a program's environment must say to find that card, and no other."""
        if card not in self._served:
            service = self._undo.enter_context(ExitStack())
            process = service.enter_context(self.vsc.popen("serve", "--card", card))
            service.callback(process.terminate)
            assert process.stdout is not None
            words = shlex.split(process.stdout.readline().removeprefix("export "))
            assert words, f"vsc serve: {process.communicate()[1]}"
            self._served[card] = service, dict(word.split("=", 1) for word in words)
        return self._served[card][1]

    def leave(self, card: str) -> None:
        """Takes a card out of its reader, if it is in one."""
        if card in self._served:
            self._served.pop(card)[0].close()

    def run(self, card: str, *command: str | Path, check: bool = True, **env: str) -> CompletedProcess[str]:
        """Runs a program with that card; AssertionError, with what it said, if it fails and `check` is set."""
        with self.vsc.start(*command, **self._reach(card), **env) as process:
            out, err = process.communicate(timeout=120)
        done = CompletedProcess([str(word) for word in command], process.returncode, out, err)
        assert not check or done.returncode == 0, f"{done.args}: {done.returncode}\n{out}\n{err}"
        return done

    def file(self, name: str, content: bytes | str | None = None) -> Path:
        """A file in this user's folder."""
        path = self.vsc.folder / name
        if content is not None:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            if os.geteuid() == 0:
                shutil.chown(path, 65534, 65534)
        return path

    def openssl(self, *words: str | Path) -> str:
        """openssl, which knows nothing of cards."""
        with self.vsc.start(require_tool("openssl"), *words) as process:
            out, err = process.communicate(timeout=60)
        assert process.returncode == 0, f"openssl {words}: {out}{err}"
        return out + err

    def pkcs11(self, card: str, *words: str | Path, module: str = "", check: bool = True) -> CompletedProcess[str]:
        """pkcs11-tool, with OpenSC's module or another one."""
        chosen: Sequence[str | Path] = ("--module", module) if module else ()
        return self.run(card, require_tool("pkcs11-tool"), *chosen, *words, check=check)
