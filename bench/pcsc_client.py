"""A PC/SC client that sends one APDU many times: `python -m bench.pcsc_client READER APDU COUNT`; prints seconds.

libpcsclite by ctypes, so that the bench needs nothing to be compiled. `transmit READER APDU COUNT` is the same, and
`watch READER COUNT` prints when each of COUNT changes of the reader woke it: as pcsc_client.c.
"""

import ctypes
import sys
import time

from tests.interop.pcsc import winscard

SHARE_SHARED, T1, LEAVE = 2, 2, 0


class IoRequest(ctypes.Structure):
    """SCARD_IO_REQUEST."""

    _fields_ = (("protocol", ctypes.c_ulong), ("length", ctypes.c_ulong))


def check(code: int, call: str) -> None:
    if code & 0xFFFFFFFF:
        sys.exit(f"{call}: {code & 0xFFFFFFFF:08X}")


def seconds(reader: str, apdu: bytes, count: int) -> float:
    """Connects, sends `apdu` `count` times, and returns how long the sending took."""
    lib = ctypes.CDLL("libpcsclite.so.1")
    context, card, protocol = ctypes.c_long(), ctypes.c_long(), ctypes.c_ulong()
    check(lib.SCardEstablishContext(ctypes.c_ulong(2), None, None, ctypes.byref(context)), "SCardEstablishContext")
    connect = (context, reader.encode(), ctypes.c_ulong(SHARE_SHARED), ctypes.c_ulong(T1))
    check(lib.SCardConnect(*connect, ctypes.byref(card), ctypes.byref(protocol)), "SCardConnect")
    send = IoRequest(T1, ctypes.sizeof(IoRequest))
    answer = ctypes.create_string_buffer(65_538)
    length = ctypes.c_ulong()
    started = time.perf_counter()
    for _ in range(count):
        length.value = len(answer)
        code = lib.SCardTransmit(
            card, ctypes.byref(send), apdu, ctypes.c_ulong(len(apdu)), None, answer, ctypes.byref(length)
        )
        check(code, "SCardTransmit")
    took = time.perf_counter() - started
    if answer.raw[length.value - 2 : length.value] != b"\x90\x00":
        sys.exit(f"answer {answer.raw[: length.value].hex()}")
    check(lib.SCardDisconnect(card, ctypes.c_ulong(LEAVE)), "SCardDisconnect")
    check(lib.SCardReleaseContext(context), "SCardReleaseContext")
    return took


def watch(reader: str, count: int) -> None:
    rv, context = winscard.establish()
    check(rv, "SCardEstablishContext")
    states = winscard.states_of((reader, 0))
    for number in range(count + 1):  # The first only says what is there now.
        check(winscard.get_status_change(context, winscard.INFINITE, states), "SCardGetStatusChange")
        woken = time.monotonic()
        states[0].current = states[0].event & ~winscard.CHANGED
        if number:
            print(woken, flush=True)
    check(winscard.release(context), "SCardReleaseContext")


if __name__ == "__main__":
    if sys.argv[1] == "watch":
        watch(sys.argv[2], int(sys.argv[3]))
    else:
        reader, apdu, count = sys.argv[-3:]
        print(seconds(reader, bytes.fromhex(apdu), int(count)))
