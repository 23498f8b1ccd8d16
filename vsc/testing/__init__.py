"""Testing with cards that can do what one of plastic never can.

`card` has cards in memory with snapshots, `tearing` cuts the power at every write, `strategies` and `machine` are for
hypothesis, `plugin` is pytest's. Each module is imported when it is first used: the plugin is loaded in every pytest
run of an environment, and hypothesis need not be there.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vsc.testing.card import SoftCard

__all__ = ["SoftCard"]

_SOURCES = {"SoftCard": "vsc.testing.card"}


def __getattr__(name: str) -> object:
    if name in _SOURCES:
        return getattr(import_module(_SOURCES[name]), name)
    raise AttributeError(f"module 'vsc.testing' has no attribute {name!r}")
