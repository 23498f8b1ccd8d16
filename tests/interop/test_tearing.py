"""The power cut under unmodified programs, which see a card that is gone: at every commit that they cause."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.interop.need import require_tool
from tests.unit.vsc.testing.gids_life import QuickEnv
from vsc.testing import Lab, SoftCard, tear_everywhere
from vsc.testing.invariants import Cut

PIN, NEW_PIN = "12345678", "87654321"

Program = Callable[..., int]


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Callable[[SoftCard, str], int]]:
    """Runs a command with a card in a reader of its own service; returns its exit status."""
    with Lab(in_this_process=False) as lab:
        # OpenSC would keep a copy of the card's files from one run to the next.
        (tmp_path / "opensc.conf").write_text("app default { framework pkcs15 { use_file_caching = no; } }")
        env = {name: value for name, value in os.environ.items() if not name.startswith(("OPENSC", "PCSCLITE", "VSC_"))}
        env |= {name: lab.environment[name] for name in lab.environment if name.startswith("PCSCLITE")}
        env |= {"OPENSC_CONF": str(tmp_path / "opensc.conf"), "HOME": str(tmp_path)}

        def run(card: SoftCard, *command: str) -> int:
            with lab.bench() as bench:
                bench.reader().insert(card)
                done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
            return done.returncode

        yield run


def card() -> SoftCard:
    made = SoftCard.make(pin=PIN, seed="torn")
    return SoftCard(made.profile, made.persistent, QuickEnv("torn"))


def test_a_pin_is_changed_with_pkcs15_tool(program: Program) -> None:
    tool = require_tool("pkcs15-tool")
    states = []

    def scenario(card: SoftCard) -> None:
        states.append(program(card, tool, "--change-pin", "--pin", PIN, "--new-pin", NEW_PIN))

    def the_pin_is_one_of_the_two(cut: Cut) -> None:
        works = []
        for pin in (PIN, NEW_PIN):
            card = cut.card.fork()
            works.append(card.transmit(bytes.fromhex("0020008008") + pin.encode()) == b"\x90\x00")
        assert sum(works) == 1

    report = tear_everywhere(scenario, card=card, invariants=[the_pin_is_one_of_the_two])
    assert report.cuts >= 2 * 3
    assert states[0] == 0
    assert all(states[1:]), "whoever loses the card in the midst of it does not say that all is well"


def test_a_key_is_made_with_pkcs11_tool(program: Program) -> None:
    tool = require_tool("pkcs11-tool")
    states = []

    def scenario(card: SoftCard) -> None:
        made = ("--keypairgen", "--key-type", "rsa:2048", "--id", "00", "--label", "torn")
        states.append(program(card, tool, "--login", "--pin", PIN, *made))

    report = tear_everywhere(scenario, card=card)
    assert report.cuts > 10
    assert states[0] == 0
