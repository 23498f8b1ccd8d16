"""Traces: what went over the wire, in words, with PINs and keys left out, and why a card refused.

`Recorder` writes a trace to a file as it happens, `Trace` keeps one in memory; both follow readers. An `Entry` is one
line of a trace; `mask` is what keeps secrets out of it, `decoder` puts it into words, `text`, `jsonl` and `pcapng` are
its forms, `explain` says what a status word means.

The names are imported when they are first used: `vsc.reader` imports `vsc.trace.mask`, and must find no circle here.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vsc.trace.decoder import Decoder, Line
    from vsc.trace.entry import Entry, EntryKind, MaskedCommand
    from vsc.trace.jsonl import TraceError
    from vsc.trace.mask import mask, shown
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
    "Decoder": "decoder",
    "Entry": "entry",
    "EntryKind": "entry",
    "Line": "decoder",
    "MaskedCommand": "entry",
    "Recorder": "recorder",
    "Trace": "recorder",
    "TraceError": "jsonl",
    "mask": "mask",
    "shown": "mask",
}


def __getattr__(name: str) -> object:
    if name in _SOURCES:
        return getattr(import_module(f"vsc.trace.{_SOURCES[name]}"), name)
    raise AttributeError(f"module 'vsc.trace' has no attribute {name!r}")
