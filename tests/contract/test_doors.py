"""A card of an installed package at every door of the command line: the wallet of docs/own-card.md.

Each program finds it by its entry point, as it would be for anybody who has installed that package.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.contract.installed import PAGE
from tests.interop.need import require_tool

SELECT, WRONG, RIGHT = "00A4040007F057414C4C4554", "0020008004 30303030", "0020008004 31323334"
DEBIT = "0054000002 0064"
APDUS = (SELECT, DEBIT, WRONG, RIGHT, DEBIT)


@dataclass(frozen=True)
class Shell:
    """A folder to work in, where the package is installed."""

    folder: Path
    installed: Path

    def __call__(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        env = {name: value for name, value in os.environ.items() if not name.startswith(("PCSCLITE", "VSC_"))}
        env |= {"VSC_HOME": str(self.folder / "cards"), "COLUMNS": "200"}
        env["PYTHONPATH"] = f"{Path.cwd()}:{self.installed}"
        env |= variables
        command = [sys.executable, "-m", "vsc.cli", *words] if words[0] != "python" else [sys.executable, *words[1:]]
        return subprocess.run(
            command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=60, check=False
        )

    def ok(self, *words: str, **variables: str) -> str:
        done = self(*words, **variables)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def shell(tmp_path: Path, installed: Path) -> Shell:
    return Shell(tmp_path, installed)


@pytest.fixture
def wallet(shell: Shell) -> Shell:
    """With a wallet and a GIDS card in the store."""
    shell.ok("create", "mine", "--profile", "wallet", "--pin", "default")
    shell.ok("create", "work", "--pin", "default")
    return shell


def test_the_page(shell: Shell) -> None:
    (block,) = re.findall(r"^```console\n(\$ vsc create mine .*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    for step in re.split(r"^\$ vsc ", block, flags=re.MULTILINE)[1:]:
        line, _, expected = step.partition("\n")
        done = shell(*shlex.split(line))
        assert done.stdout + done.stderr == expected, line


def test_listed_beside_ours_and_shown(wallet: Shell) -> None:
    cards = json.loads(wallet.ok("list", "--json"))
    assert [(card["name"], card["profile"]) for card in cards] == [("mine", "wallet"), ("work", "gids")]
    assert cards[0]["pin"] == {"tries_left": 3, "try_limit": 3}
    shown = wallet.ok("show", "mine")
    assert re.search(r"^PIN +3 of 3 tries left$", shown, re.MULTILINE)
    assert "PUK" not in shown


def test_exported_and_imported(wallet: Shell) -> None:
    wallet.ok("pin", "change", "mine", "--old-pin", "default", "--new-pin", _file(wallet, "new", "2468"))
    wallet.ok("export", "mine", "mine.json")
    wallet.ok("import", "mine.json", "--name", "again")
    wallet.ok("pin", "verify", "again", "--pin", f"file:{wallet.folder / 'new'}")


def _file(shell: Shell, name: str, content: str) -> str:
    (shell.folder / name).write_text(content, encoding="utf-8")
    return f"file:{shell.folder / name}"


def test_what_it_has_not_is_told(wallet: Shell) -> None:
    for line, said in (
        ("create x --profile wallet --pin default --puk default", "takes no puk; it takes: pin, tries"),
        ("admin-key show mine", "has no admin key"),
        ("keygen mine --pin default", "have no keys with certificates"),
        ("provision mine --format --yes --admin-key default", "have no admin key"),
    ):
        done = wallet(*line.split())
        assert (done.returncode, done.stdout) == (1, "")
        assert said in done.stderr
        assert done.stderr.count("\n") == 1


def test_driven_by_a_program_recorded_told_in_words_explained_and_replayed(wallet: Shell) -> None:
    require_tool("opensc-tool")
    program = ["opensc-tool", "--card-driver", "default"]
    for apdu in APDUS:
        program += ["--send-apdu", apdu]
    told = wallet.ok("run", "--card", "mine", "--trace", "log.jsonl", "--", *program)
    answers = ["".join(sw) for sw in re.findall(r"SW1=0x(..), SW2=0x(..)", told)]
    assert answers == ["9000", "6982", "63C2", "9000", "9000"]
    words = wallet.ok("trace", "show", "log.jsonl")
    assert "DEBIT" in words
    assert "the PIN is not verified" in words
    assert "31323334" not in words
    assert "PIN" in wallet.ok("explain", "log.jsonl")
    assert "0384" in wallet.ok("replay", "log.jsonl", "--", *program).replace(" ", "")


def test_two_on_one_card_and_one_beside_gids(shell: Shell) -> None:
    require_tool("opensc-tool")
    for name in ("two", "gids-and-wallet"):
        shell.ok("create", name, "--profile", name, "--pin", "default")
    assert re.search(r"^Also on it +purse$", shell.ok("show", "two"), re.MULTILINE)
    assert re.search(r"^Also on it +wallet$", shell.ok("show", "gids-and-wallet"), re.MULTILINE)
    purse = ("00A4040006F05055525345", "0050000000")
    for name, apdus, expected in (
        ("two", (SELECT, DEBIT, RIGHT, DEBIT, *purse), ["9000", "6982", "9000", "9000", "9000", "9000"]),
        ("gids-and-wallet", (SELECT, DEBIT, "00A4040009A00000039742544659"), ["9000", "6982", "9000"]),
    ):
        program = ["opensc-tool", "--card-driver", "default"]
        for apdu in apdus:
            program += ["--send-apdu", apdu]
        told = shell.ok("run", "--card", name, "--", *program)
        assert ["".join(sw) for sw in re.findall(r"SW1=0x(..), SW2=0x(..)", told)] == expected


def test_for_a_try_without_a_package(tmp_path: Path, installed: Path) -> None:
    """The module lies in the folder where somebody works; afterwards a variable says where the profile is."""
    empty = tmp_path / "empty"
    empty.mkdir()
    (tmp_path / "wallet.py").write_text((installed / "wallet.py").read_text(encoding="utf-8"), encoding="utf-8")
    shell = Shell(tmp_path, empty)
    assert shell.ok("create", "mine", "--profile", "wallet:WALLET", "--pin", "default") == "Made the card 'mine'.\n"
    unknown = shell("list")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "does not know: 'wallet'; the package that brings it is missing, or VSC_PROFILES" in unknown.stderr
    assert "3 of 3" in shell.ok("list", VSC_PROFILES="wallet:WALLET")
    broken = shell("create", "x", "--profile", "nowhere:X", "--pin", "default")
    assert (broken.returncode, broken.stderr.count("\n")) == (1, 1)
