"""Testing with cards that can do what one of plastic never can.

`card` has cards in memory with snapshots, `tearing` cuts the power at every write, `strategies` and `machine` are for
hypothesis, `plugin` is pytest's. Each module is imported when it is first used: the plugin is loaded in every pytest
run of an environment, and hypothesis need not be there.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vsc.faults import Fault, FaultSyntaxError, Plan, UnfiredFaultError, inject
    from vsc.testing.card import SoftCard
    from vsc.testing.card_factory import CardFactory, CardOptions
    from vsc.testing.diff import Diff
    from vsc.testing.history import History, Step
    from vsc.testing.identity import Authority
    from vsc.testing.lab import Bench, CardBugError, Lab
    from vsc.testing.machine import CardMachine
    from vsc.testing.reader import VirtualReader
    from vsc.testing.snapshot import Snapshot
    from vsc.testing.tearing import TearReport, TornCardError, UnsteadyScenarioError, tear_everywhere
    from vsc.testing.user import CardUser

__all__ = [
    "Authority",
    "Bench",
    "CardBugError",
    "CardFactory",
    "CardMachine",
    "CardOptions",
    "CardUser",
    "Diff",
    "Fault",
    "FaultSyntaxError",
    "History",
    "Lab",
    "Plan",
    "Snapshot",
    "SoftCard",
    "Step",
    "TearReport",
    "TornCardError",
    "UnfiredFaultError",
    "UnsteadyScenarioError",
    "VirtualReader",
    "inject",
    "tear_everywhere",
]

_SOURCES = {
    "Authority": "vsc.testing.identity",
    "Bench": "vsc.testing.lab",
    "CardBugError": "vsc.testing.lab",
    "CardFactory": "vsc.testing.card_factory",
    "CardMachine": "vsc.testing.machine",
    "CardOptions": "vsc.testing.card_factory",
    "CardUser": "vsc.testing.user",
    "Diff": "vsc.testing.diff",
    "Fault": "vsc.faults",
    "FaultSyntaxError": "vsc.faults",
    "History": "vsc.testing.history",
    "Lab": "vsc.testing.lab",
    "Plan": "vsc.faults",
    "Snapshot": "vsc.testing.snapshot",
    "SoftCard": "vsc.testing.card",
    "Step": "vsc.testing.history",
    "TearReport": "vsc.testing.tearing",
    "TornCardError": "vsc.testing.tearing",
    "UnfiredFaultError": "vsc.faults",
    "UnsteadyScenarioError": "vsc.testing.tearing",
    "VirtualReader": "vsc.testing.reader",
    "inject": "vsc.faults",
    "tear_everywhere": "vsc.testing.tearing",
}

_NO_HYPOTHESIS = "hypothesis is not installed: pip install 'virtual-smart-card[hypothesis]'"


def __getattr__(name: str) -> object:
    if name in _SOURCES:
        try:
            return getattr(import_module(_SOURCES[name]), name)
        except ModuleNotFoundError as error:
            if error.name != "hypothesis":
                raise
            raise ModuleNotFoundError(_NO_HYPOTHESIS, name=error.name) from None
    raise AttributeError(f"module 'vsc.testing' has no attribute {name!r}")
