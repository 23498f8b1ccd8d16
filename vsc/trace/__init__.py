"""Traces: what went over the wire, in words, with PINs and keys left out, and why a card refused.

`Recorder` writes a trace to a file as it happens, `Trace` keeps one in memory; both follow readers. An `Entry` is one
line of a trace; `mask` is what keeps secrets out of it, `decoder` puts it into words, `text`, `jsonl` and `pcapng` are
its forms, `explain` says what a status word means.

`mask` is of `vsc.masking`, below readers. The names are imported when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vsc.masking.command import MaskedCommand
    from vsc.masking.mask import mask, shown
    from vsc.trace.decoder import Decoder, Line
    from vsc.trace.entry import Entry, EntryKind
    from vsc.trace.jsonl import TraceError
    from vsc.trace.recorder import Recorder, Trace

__all__ = [
    "Decoder",
    "Entry",
    "EntryKind",
    "Line",
    "MaskedCommand",
    "Recorder",
    "Trace",
    "TraceError",
    "mask",
    "shown",
]

_SOURCES = {
    "Decoder": "vsc.trace.decoder",
    "Entry": "vsc.trace.entry",
    "EntryKind": "vsc.trace.entry",
    "Line": "vsc.trace.decoder",
    "MaskedCommand": "vsc.masking.command",
    "Recorder": "vsc.trace.recorder",
    "Trace": "vsc.trace.recorder",
    "TraceError": "vsc.trace.jsonl",
    "mask": "vsc.masking.mask",
    "shown": "vsc.masking.mask",
}


def __getattr__(name: str) -> object:
    if name in _SOURCES:
        return getattr(import_module(_SOURCES[name]), name)
    raise AttributeError(f"module 'vsc.trace' has no attribute {name!r}")
