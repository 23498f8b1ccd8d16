"""A reader of ours in a slot of vpcd: what is put in and taken out is seen by pcscd (vsc.serving.vpcd)."""

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.interop.pcscd_harness import PrivatePcscd

# Runs inside the namespace: does what its stdin says, a word a line, and repeats the word when it is done.
PROGRAM = """
import sys, threading
from bench.null_card import NullCard
from vsc.factory import DEFAULT_ADMIN_KEY, DEFAULT_PIN, fresh
from vsc.reader import Reader
from vsc.serving.vpcd import VpcdSlot

reader = Reader()
faults = []
slot = VpcdSlot(reader, ("127.0.0.1", int(sys.argv[1])), on_event=lambda e: faults.append(e.error) if e.error else None)
thread = threading.Thread(target=slot.run)
thread.start()
gids, null = fresh("gids", pin=DEFAULT_PIN, admin_key=DEFAULT_ADMIN_KEY), NullCard()
for line in sys.stdin:
    word = line.strip()
    {"insert": lambda: reader.insert(gids), "eject": reader.eject, "swap": lambda: reader.swap(null)}[word]()
    print(word, flush=True)
slot.stop()
thread.join()
sys.exit(f"faults: {faults}" if faults else 0)
"""

Do = Callable[[str], None]


@pytest.fixture
def do(pcscd: PrivatePcscd) -> Iterator[Do]:
    command = [sys.executable, "-c", PROGRAM, str(pcscd.slots[0].port)]
    process = pcscd.popen_inside(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"PYTHONPATH": "."})
    assert process.stdin is not None
    assert process.stdout is not None
    stdin, stdout = process.stdin, process.stdout

    def say(word: str) -> None:
        print(word, file=stdin, flush=True)
        assert stdout.readline() == f"{word}\n", pcscd.log()

    yield say
    stdin.close()
    assert process.wait(timeout=10) == 0, pcscd.log()


def test_an_empty_reader_is_an_empty_slot(pcscd: PrivatePcscd, do: Do) -> None:
    assert not pcscd.reader_state().present


def test_cards_come_and_go(pcscd: PrivatePcscd, do: Do) -> None:
    do("insert")
    first = pcscd.wait_for_card()
    assert "GIDS" in pcscd.run("opensc-tool", "-n", check=True).stdout
    do("eject")
    pcscd.wait_for_no_card()
    do("insert")
    pcscd.wait_for_card(after=first)
    assert "GIDS" in pcscd.run("opensc-tool", "-n", check=True).stdout


def test_a_swap_brings_the_other_card(pcscd: PrivatePcscd, do: Do) -> None:
    do("insert")
    pcscd.wait_for_card()
    do("swap")
    # vpcd may not notice that the card was changed (docs/vpcd.md), but it is the other one that answers.
    answer = ""
    for _ in range(50):
        answer = pcscd.run("opensc-tool", "-s", "00:CA:DF:30:05", check=False).stdout
        if "SW1=0x90" in answer:
            break
    assert "SW1=0x90, SW2=0x00" in answer
