"""vsc.cli.readers and vsc.cli.table."""

import json

from tests.unit.vsc import samples
from tests.unit.vsc.cli.shell import Shell
from vsc.machine import InProcessMachine
from vsc.reader import Reader
from vsc.store.sqlite import SqliteStore

ATR = "3B8D0180FBA000000397425446590201C9"


def test_readers_and_what_is_in_them(shell: Shell, work: SqliteStore, machine: InProcessMachine) -> None:
    work.create(samples.image("second"))
    names = [machine.plug(name).name for name in ("work", "second")]
    assert shell.ok("readers").splitlines() == [
        f"{'name':{len(names[0])}}  kind     card    ATR",
        f"{names[0]}  virtual  work    {ATR}",
        f"{names[1]}  virtual  second  {ATR}",
    ]
    first, second = json.loads(shell.ok("readers", "--json"))
    assert first == {
        "name": names[0],
        "kind": "virtual",
        "status": "ready",
        "card": "work",
        "card_status": "ready",
        "atr": ATR,
    }
    assert second["card"] == "second"


def test_an_empty_reader_and_one_that_somebody_has(shell: Shell, work: SqliteStore, machine: InProcessMachine) -> None:
    reader = machine.plug("work")
    with reader.connect(exclusive=True):
        assert "  work, exclusive  " in shell.ok("readers")
        assert json.loads(shell.ok("readers", "--json"))[0]["card_status"] == "exclusive"
    slot = reader.slot  # type: ignore[attr-defined]
    assert isinstance(slot, Reader)
    slot.eject()
    assert shell.ok("readers").splitlines()[1].split("  ", 1)[1] == "virtual  (empty)  -"
    assert json.loads(shell.ok("readers", "--json"))[0]["atr"] is None


def test_no_readers(shell: Shell, machine: InProcessMachine) -> None:
    result = shell("readers")
    assert (result.code, result.out) == (0, "")
    assert result.err.startswith("There are no readers: 'vsc run'")
    assert shell.ok("readers", "--json") == "[]\n"
