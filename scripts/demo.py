"""`make demo`: a card is made, plugged into a real reader, and used by OpenSC; each step says what it does.

pcscd and vpcd run in a namespace of their own, so that nothing on this machine is touched, a running pcscd included.
"""

import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from tests.interop.pcscd_harness import PcscdUnavailable, PrivatePcscd, ToolFailed

PIN = "12345678"
VSC = Path(sys.executable).with_name("vsc")
say = Console(highlight=False)


def step(number: int, text: str) -> None:
    say.print(f"\n[bold]{number}. {text}[/bold]", soft_wrap=True)


class Demo:
    """Runs commands as a reader of the README would, and shows them."""

    def __init__(self, folder: Path, pcscd: PrivatePcscd) -> None:
        self.folder = folder
        self.pcscd = pcscd

    def run(self, *command: str, shown: int = 12) -> str:
        """Runs a program outside the namespace, a PC/SC client like any other; prints its first lines."""
        shown_command = shlex.join(["vsc" if command[0] == str(VSC) else command[0], *command[1:]])
        say.print(f"   $ {shown_command}", style="cyan", markup=False, soft_wrap=True)
        result = self.pcscd.run(*command, check=True, env={"VSC_HOME": str(self.folder)}, cwd=self.folder)
        lines = [line for line in (result.stdout + result.stderr).splitlines() if line.strip()]
        for line in lines[:shown]:
            say.print(f"     {line}", style="dim", markup=False, soft_wrap=True)
        return result.stdout

    def play(self) -> None:
        step(1, "Make a card: a GIDS card with the PIN 12345678. It is a file in VSC_HOME.")
        self.run(str(VSC), "create", "demo", "--pin", "default")
        step(2, "Plug it into a reader: vpcd's, under a real pcscd.")
        say.print("   [cyan]$ vsc attach demo &[/cyan]")
        attached = self.pcscd.popen_inside(
            [VSC, "attach", "demo"], env={"VSC_HOME": str(self.folder)}, stdout=subprocess.PIPE
        )
        assert attached.stdout is not None
        say.print(f"     {attached.stdout.readline().strip()}", style="dim")
        self.pcscd.wait_for_card()
        step(3, "Ask OpenSC what it sees. It knows nothing of us.")
        self.run("opensc-tool", "--list-readers")
        self.run("opensc-tool", "--name")
        step(4, "Let the card make a key, and sign with it. The key never leaves the card.")
        login = ("pkcs11-tool", "--login", "--pin", PIN)
        self.run(*login, "--keypairgen", "--key-type", "rsa:2048", "--id", "00", "--label", "demo key")
        (self.folder / "letter.txt").write_text("Dear reader, this was signed by a card that is not there.\n")
        files = ("--input-file", "letter.txt", "--output-file", "letter.sig")
        self.run(*login, "--sign", "--id", "00", "--mechanism", "SHA256-RSA-PKCS", *files)
        step(5, "Verify the signature with openssl and the public key that the card gives to everybody.")
        self.run("pkcs11-tool", "--read-object", "--type", "pubkey", "--id", "00", "--output-file", "key.der")
        verify = ("-verify", "key.der", "-keyform", "DER", "-signature", "letter.sig", "letter.txt")
        self.run("openssl", "dgst", "-sha256", *verify)
        step(6, "Unplug it. What it holds now is on disk.")
        attached.terminate()
        attached.wait(timeout=10)
        self.run(str(VSC), "show", "demo", shown=20)


def main() -> int:
    started = time.monotonic()
    os.environ.pop("COLUMNS", None)
    try:
        with tempfile.TemporaryDirectory(prefix="vsc-demo-") as folder, PrivatePcscd() as pcscd:
            Demo(Path(folder), pcscd).play()
    except (PcscdUnavailable, ToolFailed, RuntimeError, OSError) as error:
        say.print(f"demo: {error}", style="red", markup=False)
        return 1
    took = f"[bold green]Done in {time.monotonic() - started:.0f} s[/bold green]"
    say.print(f"\n{took}: a card, a reader, a key, a signature, and no hardware.")
    say.print("Next: README.md, or '.venv/bin/vsc --help'.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
