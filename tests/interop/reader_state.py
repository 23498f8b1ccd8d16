"""Asks pcscd for one reader's state and can wait for it to change: a tiny PC/SC client.

It blocks in SCardGetStatusChange, so nothing is polled and no card is touched (an `opensc-tool` that looks for a
card connects to it, which powers it up and resets it). It is a program of its own because libpcsclite reads
PCSCLITE_CSOCK_NAME once per process, and a test may have several pcscd.

    reader_state.py READER TIMEOUT_S [present|empty [EVENTS]]

EVENTS: wait until pcscd has counted more insertions and removals than that. Prints one line of JSON.
"""

import ctypes
import json
import sys
import time

# pcsc-lite's winscard.h and pcsclite.h; a DWORD is an unsigned long there.
SCARD_SCOPE_SYSTEM = 2
SCARD_STATE_CHANGED, SCARD_STATE_UNKNOWN = 0x02, 0x04
SCARD_STATE_EMPTY, SCARD_STATE_PRESENT, SCARD_STATE_MUTE = 0x10, 0x20, 0x200
SCARD_E_TIMEOUT = 0x8010_000A


class READERSTATE(ctypes.Structure):
    _fields_ = (
        ("reader", ctypes.c_char_p),
        ("user_data", ctypes.c_void_p),
        ("current", ctypes.c_ulong),
        ("event", ctypes.c_ulong),
        ("atr_bytes", ctypes.c_ulong),
        ("atr", ctypes.c_ubyte * 33),
    )


class PcscError(Exception):
    """A call of PC/SC failed."""


def wait_for(reader: str, timeout_s: float, *, flag: int, unwanted: int, events: int) -> READERSTATE:
    pcsc = ctypes.CDLL("libpcsclite.so.1")
    context = ctypes.c_long()
    check(pcsc.SCardEstablishContext(SCARD_SCOPE_SYSTEM, None, None, ctypes.byref(context)))
    state = READERSTATE(reader=reader.encode())
    deadline = time.monotonic() + timeout_s
    while True:  # Until it is so, or time is up.
        left_ms = max(0, round(1000 * (deadline - time.monotonic())))
        rc = pcsc.SCardGetStatusChange(context, ctypes.c_ulong(left_ms), ctypes.byref(state), ctypes.c_ulong(1))
        check(rc, instead=describe(reader, state))
        if state.event & SCARD_STATE_UNKNOWN:
            raise PcscError(f"pcscd knows no reader {reader!r}")
        if state.event & flag == flag and not state.event & unwanted and state.event >> 16 > events:
            return state
        state.current = state.event & ~SCARD_STATE_CHANGED


def check(rc: int, instead: str = "") -> None:
    if rc & 0xFFFF_FFFF == SCARD_E_TIMEOUT:
        raise PcscError("timed out; " + instead)
    if rc != 0:
        raise PcscError(f"pcscd answers {rc & 0xFFFF_FFFF:08X}")


def describe(reader: str, state: READERSTATE) -> str:
    return json.dumps(
        {
            "reader": reader,
            "present": bool(state.event & SCARD_STATE_PRESENT),
            "events": state.event >> 16,
            "atr": bytes(state.atr[: state.atr_bytes]).hex(),
        }
    )


def main(reader: str, timeout_s: str, condition: str = "", events: str = "-1") -> None:
    flag, unwanted = {
        "": (0, 0),
        # Between insertion and ATR pcscd shows a card that is mute.
        "present": (SCARD_STATE_PRESENT, SCARD_STATE_MUTE),
        "empty": (SCARD_STATE_EMPTY, 0),
    }[condition]
    state = wait_for(reader, float(timeout_s), flag=flag, unwanted=unwanted, events=int(events))
    sys.stdout.write(describe(reader, state) + "\n")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (PcscError, OSError) as failure:
        sys.exit(str(failure))
