"""Places where cards are plugged in: this process, a surrounding `vsc run`, pcscd.

    machine = vsc.machine.current()
    reader = machine.plug("work")
    with reader.connect() as card:
        card.transmit(bytes.fromhex("00A4040009A00000039742544659"))
    machine.unplug("work")

`port` says what a machine is, and what its readers are; the machines are `InProcessMachine`, `ServedMachine` and
`VpcdMachine`.
"""

from vsc.machine.choice import current, use, use_everywhere
from vsc.machine.in_process import InProcessMachine
from vsc.machine.port import (
    CardStatus,
    Change,
    ChangeKind,
    Machine,
    MachineReader,
    ReaderKind,
    ReaderStatus,
    Watcher,
)
from vsc.machine.served import ServedMachine
from vsc.machine.vpcd import VpcdMachine

__all__ = [
    "CardStatus",
    "Change",
    "ChangeKind",
    "InProcessMachine",
    "Machine",
    "MachineReader",
    "ReaderKind",
    "ReaderStatus",
    "ServedMachine",
    "VpcdMachine",
    "Watcher",
    "current",
    "use",
    "use_everywhere",
]
