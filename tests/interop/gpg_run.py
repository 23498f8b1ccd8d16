"""GnuPG with a card of the store, as an ordinary user: its own GNUPGHOME, agent and scdaemon, which end with the test.

Questions of `gpg --command-fd` are answered by their keywords, PINs by a pinentry that goes by what it is asked for.
"""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer
from typing import Self

from tests.interop.need import require_tool
from tests.interop.vsc_run import NOBODY, Vsc, ordinary_user

PIN, ADMIN, CODE = "123456", "12345678", "87654321"
PATIENCE_S = 60

PINENTRY = """#!{python}
import sys
from pathlib import Path
from urllib.parse import unquote

folder = Path({folder!r})
said, repeats = "", False
print("OK", flush=True)
for line in sys.stdin:
    word, _, rest = line.rstrip("\\n").partition(" ")
    if word == "SETDESC":
        said = unquote(rest)
    elif word == "SETREPEAT":
        repeats = True
    elif word == "SETPROMPT":
        said = said.split("|| ")[0] + "|| " + unquote(rest)
    elif word in ("GETPIN", "CONFIRM", "MESSAGE"):
        with (folder / "asked").open("a") as log:
            log.write(word + " " + " ".join(said.split()) + "\\n")
        if word == "GETPIN":
            low = said.lower()
            kind = "new" if "new" in low else "old"
            who = "code" if "reset" in low else "admin" if "admin" in low else "pin" if "pin" in low else "key"
            last = folder / "last"
            if "repeat" not in low and "re-enter" not in low:
                last.write_text((folder / f"{{kind}}-{{who}}").read_text())
            if repeats:
                print("S PIN_REPEATED")
            print("D " + last.read_text())
    print("OK", flush=True)
    if word == "BYE":
        break
"""


@dataclass
class Answers:
    """What is answered to each keyword, one after another; the last one stays."""

    by_keyword: Mapping[str, Sequence[str]]
    given: dict[str, int] = field(default_factory=dict)

    def to(self, keyword: str) -> str | None:
        them = self.by_keyword.get(keyword)
        if them is None:
            return None
        number = self.given.get(keyword, 0)
        self.given[keyword] = number + 1
        return them[min(number, len(them) - 1)]


class Gpg:
    """One user with one card in a reader."""

    def __init__(self, vsc: Vsc, card: str, variables: Mapping[str, str], trace: Path) -> None:
        self.vsc, self.card, self.trace = vsc, card, trace
        self.home = vsc.folder / "g"
        self.env = {**variables, "GNUPGHOME": str(self.home)}
        self.home.mkdir(mode=0o700)
        pinentry = self.home / "pinentry"
        pinentry.write_text(PINENTRY.format(python=sys.executable, folder=str(self.home)))
        pinentry.chmod(0o755)
        (self.home / "scdaemon.conf").write_text("disable-ccid\npcsc-shared\n")
        (self.home / "gpg-agent.conf").write_text(f"pinentry-program {pinentry}\nenable-ssh-support\n")
        (self.home / "gpg.conf").write_text("no-greeting\npersonal-digest-preferences SHA256\n")
        self.pins(pin=PIN, admin=ADMIN, code=CODE)
        self._own()
        self._silently("gpg-connect-agent", "/bye")

    def _own(self) -> None:
        if self.vsc.become:
            for path in (self.home, *self.home.iterdir()):
                shutil.chown(path, NOBODY, NOBODY)

    def pins(self, **them: str) -> None:
        """What is typed where `pin`, `admin`, `code` or `key` (the passphrase of a key) is asked for; `new_pin`…: where
        a new one is."""
        for name, value in them.items():
            kind, _, who = name.rpartition("_")
            (self.home / f"{kind or 'old'}-{who}").write_text(value)
            if not kind:
                (self.home / f"new-{who}").write_text(value)
        self._own()

    def asked(self) -> list[str]:
        """What the pinentry has been asked for, since the last time."""
        log = self.home / "asked"
        found = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return found

    def __call__(self, *words: str | Path, stdin: str | bytes = b"", code: int = 0, tool: str = "gpg") -> str:
        """Runs gpg; what it said on both streams. AssertionError for another exit status."""
        raw = stdin.encode() if isinstance(stdin, str) else stdin
        batch = ("--batch", "--yes") if tool == "gpg" else ()
        command = [*self.vsc.become, require_tool(tool), *batch, *map(str, words)]
        done = subprocess.run(
            command,
            input=raw,
            env={**self.vsc.env, **self.env},
            cwd=self.vsc.folder,
            capture_output=True,
            timeout=120,
            check=False,
        )
        said = (done.stdout + done.stderr).decode("utf-8", "replace")
        assert done.returncode == code, f"{words}: {done.returncode}\n{said}\n{self.last_apdus()}"
        return said

    def edit(self, *words: str, answers: Mapping[str, Sequence[str]], code: int | None = 0) -> str:
        """Runs gpg and answers its questions; a question without an answer fails the test."""
        script = Answers(answers)
        command = [
            *self.vsc.become,
            require_tool("gpg"),
            "--no-tty",
            "--command-fd",
            "0",
            "--status-fd",
            "1",
            "--expert",
            *words,
        ]
        said = []
        with subprocess.Popen(
            command,
            env={**self.vsc.env, **self.env},
            cwd=self.vsc.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            patience = Timer(PATIENCE_S, process.kill)
            patience.start()
            for line in process.stdout:
                said.append(line)
                asking = re.search(r"\[GNUPG:\] GET_(?:LINE|BOOL|HIDDEN) (\S+)", line)
                if asking:
                    answer = script.to(asking[1])
                    if answer is None:
                        patience.cancel()
                        process.kill()
                        raise AssertionError(f"nothing to answer to {asking[1]}\n{''.join(said)}")
                    said.append(f"> {answer}\n")
                    process.stdin.write(answer + "\n")
                    process.stdin.flush()
            process.stdin.close()
            patience.cancel()
        text = "".join(said)
        assert code is None or process.returncode == code, f"{words}: {process.returncode}\n{text}\n{self.last_apdus()}"
        return text

    def card_edit(
        self, *commands: str, answers: Mapping[str, str | Sequence[str]] | None = None, code: int | None = 0
    ) -> str:
        """`gpg --card-edit`: commands of its prompt; answers by keywords."""
        given = {name: [one] if isinstance(one, str) else one for name, one in (answers or {}).items()}
        return self.edit("--card-edit", answers={"cardedit.prompt": ["admin", *commands, "quit"], **given}, code=code)

    def status(self) -> dict[str, list[str]]:
        """`gpg --card-status --with-colons`: fields by the first word."""
        lines = self("--with-colons", "--card-status").splitlines()
        return {line.split(":")[0]: line.split(":")[1:] for line in lines if ":" in line}

    def file(self, name: str, content: str) -> Path:
        """A file in this user's folder."""
        path = self.vsc.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
        if self.vsc.become:
            for one in {path, path.parent} - {self.vsc.folder}:
                shutil.chown(one, NOBODY, NOBODY)
        return path

    def last_apdus(self) -> str:
        return "".join(self.trace.read_text(errors="replace").splitlines(keepends=True)[-40:]) if self.trace else ""

    def end(self) -> None:
        """Ends the agent and scdaemon of this home."""
        self._silently("gpgconf", "--kill", "all")

    def _silently(self, tool: str, *words: str) -> None:
        """Runs a program without pipes: an agent that it starts would keep them open."""
        subprocess.run(
            [*self.vsc.become, require_tool(tool), *words],
            env={**self.vsc.env, **self.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE_S,
            check=False,
        )

    @classmethod
    @contextmanager
    def with_card(cls, profile: str = "openpgp") -> Iterator[Self]:
        """A user whose card of this profile is in a reader."""
        for name in ("gpg", "gpgconf", "gpg-agent", "gpg-connect-agent"):
            require_tool(name)
        with ordinary_user(Vsc) as vsc, ExitStack() as undo:
            vsc("create", "card", "--profile", profile, "--pin", "default", "--admin-pin", "default")
            trace = vsc.folder / "trace.txt"
            service = undo.enter_context(vsc.popen("serve", "--card", "card", "--trace", trace))
            undo.callback(service.terminate)
            assert service.stdout is not None
            words = shlex.split(service.stdout.readline().removeprefix("export "))
            assert words, f"vsc serve: {service.communicate()[1]}"
            gpg = cls(vsc, "card", dict(word.split("=", 1) for word in words), trace)
            undo.callback(gpg.end)
            yield gpg
