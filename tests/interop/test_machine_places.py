"""Machines where they are put to use: no service, a service that comes late, cards of `vsc run`, full slots of vpcd."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.interop.pcscd_harness import PrivatePcscd
from tests.interop.test_machine import ROOT, libpcsclite, run_here
from vsc.factory import create
from vsc.store.sqlite import SqliteStore

HEAD = """
import os, subprocess, sys
from pathlib import Path
from tests.interop.machine.checks import raises
from tests.interop.machine.worlds import Log, PIN, SELECT
from vsc.factory import create
from vsc.serving.control import ask
from vsc.errors import CardInUseError, NoPcscError, ReaderNotFoundError
from vsc.machine import *
from vsc.store.memory import MemoryStore
"""
DONE = "\nprint('done')"


__all__ = ["libpcsclite"]

pytestmark = pytest.mark.usefixtures("libpcsclite")


def python(code: str) -> list[str]:
    return [sys.executable, "-c", HEAD + code + DONE]


def in_run(code: str, *options: str) -> list[str]:
    return [sys.executable, "-m", "vsc.cli", "run", *options, "--", *python(code)]


def test_a_service_that_comes_later_is_found(tmp_path: Path) -> None:
    code = f"""
path = Path({str(tmp_path)!r}) / "private" / "socket"
path.parent.mkdir(mode=0o700)
os.environ["PCSCLITE_CSOCK_NAME"] = str(path)
raises(NoPcscError, lambda: InProcessMachine(MemoryStore(), pcsc=True))
machine = InProcessMachine(MemoryStore())
assert machine.readers() == ()
log = Log(machine.watch)
create("one", pin=PIN)
serve = [sys.executable, "-m", "vsc.cli", "serve", "--socket", str(path), "--reader", "Foreign", "--card", "one"]
with subprocess.Popen(serve, stdout=subprocess.DEVNULL) as service:
    log.wait_for(lambda log: len(log.changes) == 2)
    [seen] = machine.readers()
    assert (seen.name, seen.kind, seen.card_name) == ("Foreign", ReaderKind.PHYSICAL, None)
    assert log.changes[1] == Change(ChangeKind.CARD_ADDED, seen, seen.insertion)
    with seen.connect() as card:
        card.transmit(SELECT)
    service.terminate()
log.wait_for(lambda log: len(log.changes) == 4)
assert machine.readers() == ()
machine.close()
"""
    run_here(python(code), tmp_path / "cards")


def test_cards_of_vsc_run_are_known_by_name(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "cards")
    for name in ("work", "home"):
        create(name, pin=b"12345678", store=store)
    code = """
machine = current()
[work, new] = machine.readers()
assert [work.kind, new.kind] == [ReaderKind.VIRTUAL] * 2
assert [work.card_name, new.card_name] == ["work", None]
raises(CardInUseError, lambda: machine.plug("work"))
log = Log(work.watch)
log.wait_for(lambda log: log.changes)
ask(None, {"do": "swap", "what": "work", "card": "home"})
log.wait_for(lambda log: len(log.changes) == 3)
assert [change.card_name for change in log.changes] == ["work", "work", "home"]
assert work.card_name == "home"
machine.unplug("home")
log.wait_for(lambda log: len(log.changes) == 4)
assert [reader.name for reader in machine.readers()] == [new.name]
assert (work.status(), work.kind, work.card_name) == (ReaderStatus.DISCONNECTED, ReaderKind.VIRTUAL, "home")
"""
    run_here(in_run(code, "--card", "work", "--new", "gids"), tmp_path / "cards")


@pytest.mark.parametrize("end", ["current().close()", "os._exit(0)", "os.kill(os.getpid(), 9)"])
def test_what_was_plugged_in_is_given_back_when_the_run_ends(end: str, tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "cards")
    create("work", pin=b"12345678", store=store)
    code = f"current().plug('work'); print('done', flush=True); {end}; raise SystemExit"
    done = subprocess.run(
        in_run(code),
        env={"VSC_HOME": str(tmp_path / "cards"), "PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "done\n", done.stderr
    with store.open("work"):
        pass


def test_pcsc_that_is_another_one_is_noticed(tmp_path: Path) -> None:
    create("work", pin=b"12345678", store=SqliteStore(tmp_path / "cards"))
    code = """
os.environ["PCSCLITE_CSOCK_NAME"] = "/nowhere/at/all"
machine = current()
raises(NoPcscError, lambda: machine.plug("work"))
raises(NoPcscError, machine.readers)
with machine.store.open("work"):
    pass
"""
    run_here(in_run(code), tmp_path / "cards")


def test_slots_of_vpcd_that_others_hold_are_passed_over(pcscd: PrivatePcscd, tmp_path: Path) -> None:
    code = f"""
machines = []
for name in ("one", "two", "three"):
    store = MemoryStore()
    create(name, pin=PIN, store=store)
    machines.append(VpcdMachine(store, port={pcscd.slots[0].port}))
one, two, three = machines
log = Log(three.watch)
readers = [one.plug("one"), two.plug("two")]
assert sorted(reader.name for reader in readers) == {[slot.reader for slot in pcscd.slots]}
raises(ReaderNotFoundError, lambda: three.plug("three"))
# Neither takes the other's card for its own.
for machine, reader in zip(machines, readers):
    [held] = machine._held.values()
    assert [held.hears(one.name) for one in readers] == [one is reader for one in readers]
    assert [one.kind for one in machine.readers()].count(ReaderKind.VIRTUAL) == 1
assert [one.kind for one in three.readers()] == [ReaderKind.PHYSICAL] * 2
two.unplug("two")
assert three.plug("three").name == readers[1].name
assert three.readers()[1].card_name == "three"
log.wait_for(lambda log: log.cards()[-1].card_name == "three")
for machine in machines:
    machine.close()
raises(NoPcscError, lambda: VpcdMachine(store, port=1).plug("three"))
with store.open("three"):
    pass
"""
    env = {"PYTHONPATH": str(ROOT), "VSC_HOME": str(tmp_path / "cards")}
    assert pcscd.run_inside(*python(code), env=env, cwd=ROOT).stdout == "done\n", pcscd.log()
