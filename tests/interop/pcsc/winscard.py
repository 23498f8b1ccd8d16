"""libpcsclite by ctypes, for the programs beside this file: every SCard call, return codes as numbers.

Stdlib only: these programs run with any Python, as any user.
"""

import ctypes

DWORD, LONG = ctypes.c_ulong, ctypes.c_long
SYSTEM = 2
EXCLUSIVE, SHARED, DIRECT = 1, 2, 3
LEAVE, RESET, UNPOWER, EJECT = 0, 1, 2, 3
T0, T1, RAW = 1, 2, 4
ANY_OLD = 0x1000
PNP = "\\\\?PnP?\\Notification"
INFINITE = 0xFFFFFFFF
CHANGED, UNKNOWN, UNAVAILABLE, EMPTY, PRESENT = 0x02, 0x04, 0x08, 0x10, 0x20
IN_USE_EXCLUSIVE, IN_USE, MUTE = 0x80, 0x100, 0x200

NAMES = {
    0: "SUCCESS",
    0x80100002: "CANCELLED",
    0x80100003: "INVALID_HANDLE",
    0x80100004: "INVALID_PARAMETER",
    0x80100008: "INSUFFICIENT_BUFFER",
    0x80100009: "UNKNOWN_READER",
    0x8010000A: "TIMEOUT",
    0x8010000B: "SHARING_VIOLATION",
    0x8010000C: "NO_SMARTCARD",
    0x8010000F: "PROTO_MISMATCH",
    0x80100011: "INVALID_VALUE",
    0x80100013: "COMM_ERROR",
    0x80100016: "NOT_TRANSACTED",
    0x80100017: "READER_UNAVAILABLE",
    0x8010001D: "NO_SERVICE",
    0x8010001E: "SERVICE_STOPPED",
    0x8010001F: "UNSUPPORTED_FEATURE",
    0x8010002E: "NO_READERS_AVAILABLE",
    0x80100066: "UNRESPONSIVE_CARD",
    0x80100067: "UNPOWERED_CARD",
    0x80100068: "RESET_CARD",
    0x80100069: "REMOVED_CARD",
}


class IoRequest(ctypes.Structure):
    _fields_ = (("protocol", DWORD), ("length", DWORD))


class ReaderState(ctypes.Structure):
    _fields_ = (
        ("reader", ctypes.c_char_p),
        ("user_data", ctypes.c_void_p),
        ("current", DWORD),
        ("event", DWORD),
        ("atr_bytes", DWORD),
        ("atr", ctypes.c_ubyte * 33),
    )


_lib = ctypes.CDLL("libpcsclite.so.1")


def name(code: int) -> str:
    return NAMES.get(code, f"{code:08X}")


def _rv(code: int) -> int:
    return code & 0xFFFFFFFF


def establish(scope: int = SYSTEM) -> tuple[int, int]:
    context = LONG()
    rv = _lib.SCardEstablishContext(DWORD(scope), None, None, ctypes.byref(context))
    return _rv(rv), context.value


def release(context: int) -> int:
    return _rv(_lib.SCardReleaseContext(LONG(context)))


def is_valid(context: int) -> int:
    return _rv(_lib.SCardIsValidContext(LONG(context)))


def list_readers(context: int) -> tuple[int, list[str]]:
    size = DWORD(20_000)
    buffer = ctypes.create_string_buffer(size.value)
    rv = _lib.SCardListReaders(LONG(context), None, buffer, ctypes.byref(size))
    return _rv(rv), [one.decode() for one in buffer.raw[: size.value].split(b"\0") if one] if rv == 0 else []


def connect(context: int, reader: str, mode: int = SHARED, protocols: int = T0 | T1) -> tuple[int, int, int]:
    card, protocol = LONG(), DWORD()
    arguments = (LONG(context), reader.encode(), DWORD(mode), DWORD(protocols))
    rv = _lib.SCardConnect(*arguments, ctypes.byref(card), ctypes.byref(protocol))
    return _rv(rv), card.value, protocol.value


def reconnect(card: int, mode: int = SHARED, protocols: int = T0 | T1, how: int = LEAVE) -> tuple[int, int]:
    protocol = DWORD()
    arguments = (LONG(card), DWORD(mode), DWORD(protocols), DWORD(how))
    return _rv(_lib.SCardReconnect(*arguments, ctypes.byref(protocol))), protocol.value


def disconnect(card: int, how: int = LEAVE) -> int:
    return _rv(_lib.SCardDisconnect(LONG(card), DWORD(how)))


def begin(card: int) -> int:
    return _rv(_lib.SCardBeginTransaction(LONG(card)))


def end(card: int, how: int = LEAVE) -> int:
    return _rv(_lib.SCardEndTransaction(LONG(card), DWORD(how)))


def status(card: int) -> tuple[int, str, int, int, bytes]:
    """Return code, reader, state, protocol, ATR."""
    reader, size = ctypes.create_string_buffer(200), DWORD(200)
    state, protocol, atr, atr_size = DWORD(), DWORD(), ctypes.create_string_buffer(33), DWORD(33)
    rv = _lib.SCardStatus(
        LONG(card), reader, ctypes.byref(size), ctypes.byref(state), ctypes.byref(protocol), atr, ctypes.byref(atr_size)
    )
    return _rv(rv), reader.value.decode(), state.value, protocol.value, atr.raw[: atr_size.value]


def transmit(card: int, command: bytes, protocol: int = T1, room: int = 65_548) -> tuple[int, bytes, int]:
    """Return code, response, length as told."""
    send, receive = IoRequest(protocol, 16), IoRequest(protocol, 16)
    answer, size = ctypes.create_string_buffer(max(room, 1)), DWORD(room)
    rv = _lib.SCardTransmit(
        LONG(card), ctypes.byref(send), command, DWORD(len(command)), ctypes.byref(receive), answer, ctypes.byref(size)
    )
    return _rv(rv), answer.raw[: min(size.value, room)] if rv == 0 else b"", size.value


def control(card: int, code: int, data: bytes = b"", room: int = 1000) -> tuple[int, bytes, int]:
    answer, size = ctypes.create_string_buffer(max(room, 1)), DWORD()
    rv = _lib.SCardControl(LONG(card), DWORD(code), data, DWORD(len(data)), answer, DWORD(room), ctypes.byref(size))
    return _rv(rv), answer.raw[: min(size.value, room)] if rv == 0 else b"", size.value


def get_attribute(card: int, attribute: int, room: int = 264) -> tuple[int, bytes, int]:
    answer, size = ctypes.create_string_buffer(max(room, 1)), DWORD(room)
    rv = _lib.SCardGetAttrib(LONG(card), DWORD(attribute), answer, ctypes.byref(size))
    return _rv(rv), answer.raw[: min(size.value, room)] if rv == 0 else b"", size.value


def set_attribute(card: int, attribute: int, value: bytes) -> int:
    return _rv(_lib.SCardSetAttrib(LONG(card), DWORD(attribute), value, DWORD(len(value))))


def cancel(context: int) -> int:
    return _rv(_lib.SCardCancel(LONG(context)))


def states_of(*readers: tuple[str, int]) -> "ctypes.Array[ReaderState]":
    """Reader and what the caller takes for its state, each."""
    return (ReaderState * len(readers))(*[ReaderState(reader=one.encode(), current=state) for one, state in readers])


def get_status_change(context: int, timeout_ms: int, states: "ctypes.Array[ReaderState]") -> int:
    return _rv(_lib.SCardGetStatusChange(LONG(context), DWORD(timeout_ms), states, DWORD(len(states))))


def wait_for(context: int, reader: str, mask: int, wanted: int, timeout_ms: int = 15_000) -> int:
    """Waits until the reader's state, masked, is what is wanted; returns the state, its counter too."""
    states = states_of((reader, 0))
    while True:  # Until it is so, or time is up.
        rv = get_status_change(context, timeout_ms, states)
        if rv:
            raise TimeoutError(f"{reader}: {name(rv)}, state {states[0].event:08X}")
        event: int = states[0].event
        if event & mask == wanted:
            return event
        states[0].current = event & ~CHANGED
