"""A process that uses a stored card is killed (SIGKILL) at random moments, again and again on the same store.

The judge is the same load, worked out in memory from the image that each round began with. After a kill the card must
open, and its state must be one of a few: where the last acknowledged command left it, or, if another command had begun,
one that this command committed. Any other state would be a lost change, a half-written one, or a try given back.
"""

import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pytest

from tests.unit.vsc import load, processes, samples
from vsc.store import Image
from vsc.store.database import Durability
from vsc.store.sqlite import SqliteStore

PASSPHRASES = {"clear": "", "encrypted": "open sesame"}


@dataclass
class Report:
    """What the killed process had told: answers of commands that were done, and whether another had begun."""

    answers: list[bytes]
    is_one_begun: bool


def run_and_kill(home: Path, durability: Durability, seed: str, passphrase: str) -> Report:
    """Runs the load on the card `work`, reads a random number of its lines, and kills it without a warning."""
    chance = random.Random(f"kill {seed}")
    command = [sys.executable, "-m", "tests.unit.vsc.load", str(home), durability.value, seed, passphrase]
    env = processes.environment(home)
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        lines = list(islice(process.stdout, chance.randint(1, 150)))
        # Not always just after a line: a commit takes as long as some thousands of these.
        for _ in range(chance.randint(0, 20_000)):
            pass
        process.kill()
        lines += process.stdout.readlines()
        assert process.stderr.read() == ""
    if lines and not lines[-1].endswith("\n"):
        # The answer was on its way: the command had begun, and nobody heard the end of it.
        lines.pop()
    begun = sum(line == ">\n" for line in lines)
    answers = [bytes.fromhex(line.removeprefix("< ")) for line in lines if line != ">\n"]
    assert begun in (len(answers), len(answers) + 1)
    return Report(answers, begun > len(answers))


def allowed(start: Image, seed: str, report: Report) -> Iterator[Image]:
    """Checks what was answered, and gives the images that may be found."""
    steps = load.expected(start, seed)
    state = start.persistent
    for answer in report.answers:
        step = next(steps)
        assert answer == step.answer
        state = step.commits[-1] if step.commits else state
    yield start.with_persistent(state)
    if report.is_one_begun:
        yield from map(start.with_persistent, next(steps).commits)


def kill_again_and_again(home: Path, durability: Durability, passphrase: str, rounds: int) -> None:
    store = SqliteStore(home, durability=durability, passphrase=passphrase.encode() or None, scrypt_cost=load.LOW_COST)
    store.create(load.image())
    store.create(samples.golden_image())
    interrupted = furthest = 0
    for number in range(rounds):
        start = store.read("work")
        seed = f"{durability.value} {number}"
        report = run_and_kill(home, durability, seed, passphrase)
        with store.open("work") as card:
            found = card.image
        possible = list(allowed(start, seed, report))
        assert found in possible, f"round {number}: {len(report.answers)} commands were acknowledged"
        assert store.read("golden") == samples.golden_image()
        interrupted += report.is_one_begun
        furthest = max(furthest, possible.index(found))
    # By chance, a few kills may all miss.
    assert rounds < 100 or interrupted >= rounds // 4, "the kills came between commands only"
    assert rounds < 100 or furthest, "no kill came between a commit and its answer"


@pytest.mark.parametrize("passphrase", PASSPHRASES.values(), ids=PASSPHRASES)
@pytest.mark.parametrize("durability", Durability)
def test_a_few_kills(home: Path, durability: Durability, passphrase: str) -> None:
    kill_again_and_again(home, durability, passphrase, 6)


@pytest.mark.long
@pytest.mark.parametrize("durability", Durability)
def test_200_kills(home: Path, durability: Durability) -> None:
    kill_again_and_again(home, durability, "", 200)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "cards"
