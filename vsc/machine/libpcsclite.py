"""SCardGetStatusChange of libpcsclite itself, for readers whose names pyscard cannot say.

pyscard 2.3 encodes names for this one call as ASCII, and for all others as UTF-8, which is what PC/SC on Linux has. A
context of pyscard's is good here, too: it is the same library.
"""

import ctypes
from collections.abc import Sequence
from functools import cache

_MAX_ATR_BYTES = 33


class _ReaderState(ctypes.Structure):
    """SCARD_READERSTATE, as pcsclite.h has it on Linux."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("user_data", ctypes.c_void_p),
        ("current_state", ctypes.c_ulong),
        ("event_state", ctypes.c_ulong),
        ("atr_bytes", ctypes.c_ulong),
        ("atr", ctypes.c_ubyte * _MAX_ATR_BYTES),
    )


@cache
def library() -> ctypes.CDLL | None:
    """The library; None if it is not there."""
    try:
        return ctypes.CDLL("libpcsclite.so.1")
    except OSError:
        return None


def is_there() -> bool:
    """Whether the library can be loaded."""
    return library() is not None


def get_status_change(
    context: int, timeout_ms: int, asked: Sequence[tuple[str, int]]
) -> tuple[int, list[tuple[str, int, list[int]]]]:
    """The same as pyscard's: asked for with names and their known states, it returns a return code, and for each name
    its state and ATR. The library must be there.
    """
    found = library()
    assert found is not None
    states = (_ReaderState * len(asked))()
    for state, (name, known) in zip(states, asked, strict=True):
        state.name, state.current_state = name.encode(errors="surrogateescape"), known & 0xFFFF_FFFF
    rv = found.SCardGetStatusChange(
        ctypes.c_long(context), ctypes.c_ulong(timeout_ms & 0xFFFF_FFFF), states, ctypes.c_ulong(len(asked))
    )
    answers = [
        (name, int(state.event_state), list(state.atr[: min(state.atr_bytes, _MAX_ATR_BYTES)]))
        for state, (name, _) in zip(states, asked, strict=True)
    ]
    return rv & 0xFFFF_FFFF, answers
