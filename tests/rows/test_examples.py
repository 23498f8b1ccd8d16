"""The page's snippets, ported (examples/windows), run unchanged in three worlds: here, over `vsc run`, over vpcd."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

from tests.interop.need import unavailable
from tests.interop.pcscd_harness import PcscdUnavailable, PrivatePcscd
from tests.interop.vsc_run import Vsc, ordinary_user
from tests.rows.worlds import ROOT, line_of

pytestmark = pytest.mark.interop
EXAMPLES = ROOT / "examples" / "windows"
STAGE = [sys.executable, "-m", "tests.rows.stage"]
NAME = "Card friendly name"
SCRIPTS = {path.name for path in EXAMPLES.glob("*.py")} - {"root_page.py"}

Play = Callable[..., str]


def stage(process: "subprocess.Popen[str]") -> Iterator[Play]:
    """Plays parts in a process of `stage.py`."""
    assert process.stdin is not None
    stdin = process.stdin

    def play(script: str, **part: Any) -> str:
        stdin.write(json.dumps({"script": script, **part}) + "\n")
        stdin.flush()
        line = line_of(process)
        assert line, "the stage has ended"
        said: str = json.loads(line)
        assert "Traceback" not in said, said
        return said

    yield play
    stdin.close()
    assert process.wait(timeout=60) == 0


@pytest.fixture
def in_process(tmp_path: Path) -> Iterator[Play]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("VSC_", "PCSCLITE"))}
    env |= {"PYTHONPATH": str(ROOT), "VSC_HOME": str(tmp_path / "cards")}
    with subprocess.Popen(
        STAGE, env=env, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield from stage(process)


@pytest.fixture
def vsc() -> Iterator[Vsc]:
    with ordinary_user(Vsc) as vsc:
        yield vsc


@pytest.fixture
def under_vsc_run(vsc: Vsc) -> Iterator[Play]:
    command = [*vsc.become, str(Path(sys.executable).with_name("vsc")), "run", "--", *STAGE]
    env = {**vsc.env, "PYTHONPATH": str(ROOT), "CARD": NAME}
    with subprocess.Popen(
        command, env=env, cwd=vsc.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield from stage(process)


@pytest.fixture
def over_vpcd(tmp_path: Path) -> Iterator[Play]:
    try:
        pcscd = PrivatePcscd()
    except PcscdUnavailable as reason:
        unavailable(str(reason))
    with pcscd:
        process = pcscd.popen_inside(
            [*STAGE, "--vpcd", str(pcscd.slots[0].port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PYTHONPATH": str(ROOT), "VSC_HOME": str(tmp_path / "cards")},
        )
        yield from stage(process)


@pytest.mark.parametrize("world", ["in_process", "under_vsc_run", "over_vpcd"])
def test_row_01_the_snippets_in_the_order_of_the_page(world: str, request: pytest.FixtureRequest) -> None:
    play: Play = request.getfixturevalue(world)
    played = []

    def part(script: str, *expected: str, **options: Any) -> str:
        played.append(script)
        said = play(script, **options)
        for pattern in expected:
            assert re.search(pattern, said, re.MULTILINE), said
        return said

    assert NAME not in part("list_readers.py")
    part("create.py", r"^cancelled$", answers=[None])
    made = part("create.py", r"^reader: .", answers=["135790"])
    key = found(made)
    part("list_readers.py", r"\(TPM\): Card friendly name$")
    part("calculate_response.py", r"^b073dc3fb209536d$")
    part("verify.py", r"^verified: True$", admin_key=key)
    part("verify.py", r"^verified: False$", admin_key="00" * 24)
    part("change_pin.py", r"^changed: True$", answers=["135790", "246801"])
    part("change_pin.py", r"^changed: False$", answers=[None])
    part("reset_pin.py", r"^reset: True$", answers=["975310"], admin_key=key)
    part("transmit.py", r"^ATR: 3b ", r"^EF.ATR: .*, status 9000$")
    key = found(part("change_admin_key.py", admin_key=key))
    part("verify.py", r"^verified: True$", admin_key=key)
    part("removal.py", r"^waiting until the card in .* is removed$", until="is removed")
    part("delete.py", r"^deleted: True$", r"^removed from ", wait_for="removal.py")
    assert NAME not in part("list_readers.py")
    part("verify.py", r"^exit: there is no virtual smart card$")
    assert set(played) == SCRIPTS


def found(said: str) -> str:
    key = re.search(r"^ADMIN_KEY=([0-9a-f]{48})$", said, re.MULTILINE)
    assert key is not None, said
    return key[1]


def test_row_55_removal_hears_of_a_card_that_is_taken_out(vsc: Vsc) -> None:
    vsc("create", "work", "--pin", "default")
    loop = "while read line; do echo $line; vsc eject work 2>&- || true; done"
    script = f"{sys.executable} {EXAMPLES / 'removal.py'} | {loop}"
    out, _ = vsc("run", "--card", "work", "--", "sh", "-c", script, PYTHONPATH=str(ROOT))
    assert "waiting until" in out
    assert "removed from" in out


# Python 3.12 warns whoever forks while another thread runs, as one of pytest-xdist does.
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_row_26_on_a_terminal_the_person_is_asked_for_the_pin(vsc: Vsc) -> None:
    command = [*vsc.become, "vsc", "run", "--reader", "Empty", "--", sys.executable, str(EXAMPLES / "create.py")]
    env = {**vsc.env, "PYTHONPATH": str(ROOT), "TERM": "dumb"}
    terminal = pexpect.spawn(command[0], command[1:], env=env, cwd=str(vsc.folder), timeout=60, encoding="utf-8")
    for _ in range(2):
        terminal.expect("PIN.*:")
        terminal.waitnoecho()
        terminal.sendline("135790")
    terminal.expect("ADMIN_KEY=")
    terminal.expect(pexpect.EOF)
    assert terminal.wait() == 0  # Before close(): that gives it 0.1 s to end by itself, then a signal.
    terminal.close()
