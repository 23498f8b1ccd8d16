"""`make demo`: a card is made, and OpenSC uses it in a reader of its own; each step says what it does.

Nothing runs but the programs shown: no pcscd, no driver, no root.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

PIN = "12345678"
VSC = Path(sys.executable).with_name("vsc")
_INDENT = " " * 9
say = Console(highlight=False)


def step(number: int, text: str) -> None:
    say.print(f"\n[bold]{number}. {text}[/bold]")


def folded(command: str, width: int) -> list[str]:
    """A command as lines that a shell takes as they stand, none wider than that if a single word is not.

    shlex.join quotes words with blanks, and a blank within quotes is no place to break.
    """
    lines = [""]
    for word in re.findall(r"(?:'[^']*'|[^' ])+", command):
        if lines[-1] and len(lines[-1]) + len(word) + len(" ") > width - len(" \\"):
            lines[-1] += " \\"
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return lines


class Demo:
    """Runs commands as a reader of the README would, and shows them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {**os.environ, "VSC_HOME": str(folder / "cards")}

    def run(self, *command: str, shown: int = 20) -> None:
        """Runs a program and prints its first lines. CalledProcessError, with what it said, if it fails."""
        lines = f"\n{_INDENT}".join(folded(shlex.join(command), say.width - len(_INDENT)))
        say.print(f"   $ {lines}", style="cyan", markup=False, soft_wrap=True)
        words = [str(VSC) if word == "vsc" else word for word in command]
        result = subprocess.run(
            words,
            env=self.env,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        lines = [line for line in (result.stdout + result.stderr).splitlines() if line.strip()]
        for line in lines[:shown]:
            say.print(f"     {line}", style="dim", markup=False, soft_wrap=True)
        result.check_returncode()

    def play(self) -> None:
        with_card = ("vsc", "run", "--card", "demo", "--")
        step(1, "Make a card: a GIDS card with the PIN 12345678. It is a file in VSC_HOME.")
        self.run("vsc", "create", "demo", "--pin", "default")
        step(2, "Ask OpenSC what it sees. 'vsc run' gives it a reader of its own; it knows nothing of us.")
        self.run(*with_card, "opensc-tool", "--list-readers")
        self.run(*with_card, "opensc-tool", "--name")
        step(3, "Let the card make a key, and sign with it. The key never leaves the card.")
        login = (*with_card, "pkcs11-tool", "--login", "--pin", PIN)
        self.run(*login, "--keypairgen", "--key-type", "rsa:2048", "--id", "00", "--label", "demo key")
        (self.folder / "letter.txt").write_text("Dear reader, this was signed by a card that is not there.\n")
        files = ("--input-file", "letter.txt", "--output-file", "letter.sig")
        self.run(*login, "--sign", "--id", "00", "--mechanism", "SHA256-RSA-PKCS", *files)
        step(4, "Verify the signature with openssl and the public key that the card gives to everybody.")
        read = ("pkcs11-tool", "--read-object", "--type", "pubkey", "--id", "00", "--output-file", "key.der")
        self.run(*with_card, *read)
        verify = ("-verify", "key.der", "-keyform", "DER", "-signature", "letter.sig", "letter.txt")
        self.run("openssl", "dgst", "-sha256", *verify)
        step(5, "See what the card holds now. It is on disk.")
        self.run("vsc", "show", "demo")


def main() -> int:
    started = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="vsc-demo-") as folder:
            Demo(Path(folder)).play()
    except (subprocess.SubprocessError, OSError) as error:
        say.print(f"demo: {error}", style="red", markup=False, soft_wrap=True)
        return 1
    took = f"[bold green]Done in {time.monotonic() - started:.0f} s[/bold green]"
    say.print(f"\n{took}: a card, a reader, a key, a signature, and no hardware.")
    say.print("Next: README.md, or '.venv/bin/vsc --help'.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
