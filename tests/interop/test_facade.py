"""The facade where programs see readers through PC/SC: inside `vsc run`, and beside a service of our own."""

import subprocess
import sys
from pathlib import Path

import vsc
from tests.interop.need import require_tool
from tests.unit.vsc import processes
from vsc.pcsc import Service
from vsc.reader import Reader
from vsc.store.memory import MemoryStore

ALL_OF_IT = """
import vsc
card = vsc.open("work")
(reader,) = vsc.readers()
assert card.reader == reader, card.reader
card.change_pin(old="12345678", new="24681357")
with card:
    card.verify_pin("24681357")
    card.generate_key(1024)
    card.sign(0, b"hello")
    with card.challenge() as challenge:
        assert challenge.verify(vsc.calculate_response(challenge.challenge, card.admin_key))
found = vsc.open(reader=reader.name)
assert type(found) is vsc.Card and len(found.containers()) == 1
found.reset_pin(new="12345678", respond=lambda challenge: vsc.calculate_response(challenge, card.admin_key))
found.provision(format=True, admin_key=card.admin_key)
assert found.containers() == () and found.id == card.id
with vsc.events() as events:
    kinds = [next(events).kind.name, next(events).kind.name]
    card.delete()
    kinds += [next(events).kind.name, next(events).kind.name]
assert kinds == ["READER_ADDED", "CARD_ADDED", "CARD_REMOVED", "READER_REMOVED"], kinds
assert vsc.readers() == () and vsc.cards() == []
try:
    found.pin_tries
except vsc.ReaderNotFoundError:
    print("all of it")
"""


def test_under_vsc_run_a_program_uses_the_card_through_the_reader_it_is_in(tmp_path: Path) -> None:
    home = tmp_path / "cards"
    assert processes.vsc(home, "create", "work", "--pin", "default")[0] == 0
    code, out, err = processes.vsc(home, "run", "--card", "work", "--", sys.executable, "-W", "error", "-c", ALL_OF_IT)
    assert (code, out) == (0, "all of it\n"), err


def test_a_program_sees_the_card_of_a_block() -> None:
    tool = require_tool("opensc-tool")
    with vsc.temporary_card(pin="24681357", store=MemoryStore()) as card:
        assert isinstance(card.reader, Reader)
        with Service([card.reader]) as environment:
            done = subprocess.run([tool, "--name"], env=environment, capture_output=True, text=True, check=True)
            assert "GIDS Smart Card" in done.stdout
            card.verify_pin("24681357")
