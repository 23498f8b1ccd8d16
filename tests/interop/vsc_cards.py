"""Our own cards in a private pcscd: a folder of cards, the `vsc` command, and cards plugged in by `vsc attach`.

`vsc create` and `vsc show` run in this process, for they are how a test begins and looks: a process for each would be
a third of these tests' time. The command itself, started as people start it, is test_cli_pcsc.py's and others'.

conftest.py hands these out as the fixtures `vsc`, `attach`, `plug_in` and `card`. OpenSC's tools get PINs as
arguments here, and in a test nobody is there to read them; our own command never takes them so.
"""

import io
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.interop.pcscd_harness import WAIT_S, PrivatePcscd, ToolFailed, run, wait_until
from vsc.cli.__main__ import cli

VSC = Path(sys.executable).with_name("vsc")
PIN = "12345678"  # what `--pin default` means
ADMIN_KEY = "00112233445566778899AABBCCDDEEFF0123456789ABCDEF"  # of no special kind, and not the default one

SELECT_GIDS = "00A4040409A0000003974254465900"


class Vsc:
    """The `vsc` command with a VSC_HOME of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.env = {"VSC_HOME": str(home)}

    def __call__(
        self, *arguments: str, check: bool = True, stdin: str = "", env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return run(
            [VSC, *arguments],
            check=check,
            stdin=stdin,
            timeout_s=60,
            env=self._environment(env or {}),
        )

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        theirs = {name: value for name, value in os.environ.items() if not name.startswith("VSC_")}
        return {**theirs, **self.env, **more}

    def _here(self, *arguments: str, **env: str) -> Any:
        """Runs a command that prints JSON in this process; what it printed. Errors are raised as they are."""
        with patch.dict(os.environ, self._environment(env), clear=True), redirect_stdout(io.StringIO()) as out:
            cli.main([*arguments, "--json"], prog_name="vsc", standalone_mode=False)
        return json.loads(out.getvalue())

    def create(self, name: str, *options: str) -> dict[str, Any]:
        """A card with the default PIN and ADMIN_KEY, or a blank one. Returns what `vsc show --json` does."""
        secrets = [] if "--blank" in options else ["--pin", "default", "--admin-key", "env:ADMIN_KEY"]
        made: dict[str, Any] = self._here("create", name, *secrets, *options, ADMIN_KEY=ADMIN_KEY)
        return made

    def show(self, name: str) -> dict[str, Any]:
        shown: dict[str, Any] = self._here("show", name)
        return shown

    def tries_left(self, name: str) -> int:
        tries: int = self.show(name)["pin"]["tries_left"]
        return tries

    def containers(self, name: str) -> list[tuple[int, str, str]]:
        """Number, use and key of each."""
        return [(one["number"], one["use"], one["key"]) for one in self.show(name)["containers"]]


class Attached:
    """A running `vsc attach`, whose cards pcscd has seen."""

    def __init__(self, pcscd: PrivatePcscd, process: subprocess.Popen[str], said: Path) -> None:
        self.pcscd = pcscd
        self.process = process
        self._said = said

    @property
    def said(self) -> str:
        """What it has written to stderr by now."""
        return self._said.read_text()

    def signal(self, number: signal.Signals) -> int:
        """Sends a signal that ends it; returns the exit code."""
        self.process.send_signal(number)
        return self.process.wait(WAIT_S)


class Attach:
    """Starts `vsc attach` inside a pcscd's namespace: attach("a", "b"), attach("a", slot=1)."""

    def __init__(self, vsc: Vsc) -> None:
        self._vsc = vsc
        self._count = 0

    def start(self, pcscd: PrivatePcscd, *arguments: str) -> Attached:
        """Starts it with these arguments and waits for nothing."""
        self._count += 1
        log = f"vsc attach {self._count}"
        process = pcscd.popen_inside([VSC, "attach", *arguments], stdout=subprocess.PIPE, env=self._vsc.env, log=log)
        return Attached(pcscd, process, pcscd.folder / "log" / log)

    def __call__(self, pcscd: PrivatePcscd, *names: str, slot: int = 0) -> Attached:
        """Returns when the command has said `ready` and pcscd shows the cards.

        It waits for the slots to be empty first. vpcd takes the next card as soon as the one before has gone, and
        of two that swap between its polls, 0.4 s apart, pcscd sees one half the time.
        """
        slots = range(slot, slot + len(names))
        for one in slots:
            pcscd.wait_for_no_card(one)
        attached = self.start(pcscd, *names, "--vpcd", pcscd.slots[slot].vpcd)
        wait_for_ready(attached)
        for one in slots:
            pcscd.wait_for_card(one)
        return attached


def wait_for_ready(attached: Attached) -> None:
    stdout = attached.process.stdout
    assert stdout is not None
    if not select.select([stdout], [], [], WAIT_S)[0] or stdout.readline() != "ready\n":
        raise ToolFailed(f"`vsc attach` did not say that it is ready\n{attached.said}")


def wait_for_words(attached: Attached, words: str, times: int = 1) -> None:
    """Returns when stderr has these words so many times."""
    wait_until(lambda: attached.said.count(words) >= times, attached.pcscd.log)


class PluggedIn:
    """One of our cards in a reader, and OpenSC's tools for it."""

    def __init__(
        self,
        pcscd: PrivatePcscd,
        vsc: Vsc,
        attach: Attach,
        name: str,
        folder: Path,
        *,
        slot: int = 0,
        attached: Attached | None = None,
    ) -> None:
        """Plugs it in, unless it is there already. folder: for what the tools write."""
        self.pcscd = pcscd
        self.vsc = vsc
        self.name = name
        self.folder = folder
        self.slot = slot
        self._attach = attach
        self.attached = attached or attach(pcscd, name, slot=slot)

    def replug(self) -> None:
        """Out of the reader and, by a new process, into it again."""
        assert self.attached.signal(signal.SIGINT) == 0
        self.plug_in()

    def plug_in(self) -> None:
        self.attached = self._attach(self.pcscd, self.name, slot=self.slot)

    def tool(self, name: str, *arguments: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        """opensc-tool, gids-tool, pkcs15-tool or pkcs15-init on this card's reader."""
        return self.pcscd.run(name, "--reader", str(self.slot), *arguments, check=check)

    def pkcs11(
        self, *arguments: str | Path, login: bool = True, pin: str | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """pkcs11-tool on this card's slot, logged in unless told otherwise."""
        secret = ["--login", "--pin", pin or PIN] if login else []
        # Every slot of vpcd's reader shows, with or without a card, so the index is the slot.
        return self.pcscd.run("pkcs11-tool", "--slot-index", str(self.slot), *secret, *arguments, check=check)

    def openssl(self, *arguments: str | Path) -> str:
        return self.pcscd.run("openssl", *arguments).stdout

    def file(self, name: str, content: bytes | None = None) -> Path:
        """A path of the test's own, written if there is content."""
        path = self.folder / name
        if content is not None:
            path.write_bytes(content)
        return path

    def pins(self) -> dict[str, str]:
        """What `pkcs15-tool --list-pins` says of the PIN, without a login."""
        lines = self.tool("pkcs15-tool", "--list-pins").stdout.splitlines()
        rows = (line.split(":", 1) for line in lines if ":" in line)
        return {name.strip(): value.strip() for name, value in rows}

    def tries_left(self) -> int:
        """The counter as OpenSC reads it from the card; the image on disk must say the same."""
        tries = int(self.pins()["Tries left"])
        assert tries == self.vsc.tries_left(self.name)
        return tries

    def objects(self) -> str:
        return self.pkcs11("--list-objects").stdout

    # --- what every test of keys needs

    def generate(self, bits: int, number: int = 0, label: str = "key") -> None:
        self.pkcs11("--keypairgen", "--key-type", f"rsa:{bits}", "--id", f"{number:02x}", "--label", label)

    def public_key(self, number: int = 0) -> Path:
        """The public key on the card, as PEM."""
        der, pem = self.file(f"public{number}.der"), self.file(f"public{number}.pem")
        query = ["--read-object", "--type", "pubkey", "--id", f"{number:02x}"]
        self.pkcs11(*query, "--output-file", der, login=False)
        self.openssl("pkey", "-pubin", "-inform", "DER", "-in", der, "-out", pem)
        return pem

    def sign(self, data: Path, number: int = 0, mechanism: str = "SHA256-RSA-PKCS") -> Path:
        signature = self.file(f"{data.name}.{mechanism}.signature")
        query = ["--sign", "--mechanism", mechanism, "--id", f"{number:02x}"]
        self.pkcs11(*query, "--input-file", data, "--output-file", signature)
        return signature

    def decrypt(self, cryptogram: Path, number: int = 0) -> bytes:
        clear = self.file(f"{cryptogram.name}.clear")
        query = ["--decrypt", "--mechanism", "RSA-PKCS", "--id", f"{number:02x}"]
        self.pkcs11(*query, "--input-file", cryptogram, "--output-file", clear)
        return clear.read_bytes()


SERIAL = "0123456789ABCDEF00112233445566AA"


def initialise(card: PluggedIn, *, pin: str = PIN, serial: str = SERIAL) -> subprocess.CompletedProcess[str]:
    """`gids-tool -X`, which exits 0 whatever happened."""
    secrets = ["--admin-key", ADMIN_KEY, "--pin", pin]
    return card.tool("gids-tool", "--initialize", *secrets, "--serial-number", serial)


def answers(output: str) -> list[str]:
    """The status words `opensc-tool --send-apdu` prints, as hex."""
    found = []
    for line in output.splitlines():
        if line.startswith("Received (SW1="):
            sw1, sw2 = (part.split("x")[1][:2] for part in line.split("SW")[1:])
            found.append(sw1 + sw2)
    return found


def colons(data: str | bytes) -> str:
    """AB:CD as ab:cd, the way opensc-tool prints an ATR."""
    return (bytes.fromhex(data) if isinstance(data, str) else data).hex(":")
