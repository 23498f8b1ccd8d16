"""PC/SC's calls in the shape of pyscard's `smartcard.scard`, over libpcsclite itself, where pyscard is not installed.

pyscard has no wheel for Linux and is an extra; every PC/SC program on Linux has libpcsclite. Only what `vsc.machine`
and `vsc.replay` call is here. Numbers: pcsclite.h.
"""

import ctypes
from collections.abc import Sequence
from ctypes import byref, c_long, c_ulong

from vsc.machine import libpcsclite

_MAX_NAMES_BYTES = 1 << 16
_MAX_NAME_BYTES = 128
_MAX_ATR_BYTES = 33
_MAX_RESPONSE_BYTES = 65_548
_RETURN_CODE = 0xFFFF_FFFF


class _IoRequest(ctypes.Structure):
    """SCARD_IO_REQUEST."""

    _fields_ = (("protocol", c_ulong), ("length", c_ulong))


class Scard:
    """The calls, each with a return code first; names, arguments and results are pyscard's. The library is there."""

    INFINITE = 0xFFFF_FFFF
    SCARD_SCOPE_SYSTEM = 2
    SCARD_SHARE_EXCLUSIVE, SCARD_SHARE_SHARED = 1, 2
    SCARD_PROTOCOL_T0, SCARD_PROTOCOL_T1 = 1, 2
    SCARD_PCI_T0, SCARD_PCI_T1 = SCARD_PROTOCOL_T0, SCARD_PROTOCOL_T1
    SCARD_LEAVE_CARD, SCARD_RESET_CARD, SCARD_UNPOWER_CARD = 0, 1, 2
    SCARD_STATE_UNAWARE, SCARD_STATE_CHANGED, SCARD_STATE_UNKNOWN = 0x0000, 0x0002, 0x0004
    SCARD_STATE_UNAVAILABLE, SCARD_STATE_EMPTY, SCARD_STATE_PRESENT = 0x0008, 0x0010, 0x0020
    SCARD_STATE_EXCLUSIVE, SCARD_STATE_INUSE, SCARD_STATE_MUTE = 0x0080, 0x0100, 0x0200
    SCARD_S_SUCCESS = 0
    SCARD_E_CANCELLED, SCARD_E_INVALID_HANDLE, SCARD_E_UNKNOWN_READER = 0x80100002, 0x80100003, 0x80100009
    SCARD_E_TIMEOUT, SCARD_E_SHARING_VIOLATION, SCARD_E_NO_SMARTCARD = 0x8010000A, 0x8010000B, 0x8010000C
    SCARD_E_PROTO_MISMATCH, SCARD_E_INVALID_VALUE, SCARD_F_COMM_ERROR = 0x8010000F, 0x80100011, 0x80100013
    SCARD_E_NOT_TRANSACTED, SCARD_E_READER_UNAVAILABLE, SCARD_E_NO_SERVICE = 0x80100016, 0x80100017, 0x8010001D
    SCARD_E_SERVICE_STOPPED, SCARD_E_NO_READERS_AVAILABLE = 0x8010001E, 0x8010002E
    SCARD_W_UNRESPONSIVE_CARD, SCARD_W_UNPOWERED_CARD = 0x80100066, 0x80100067
    SCARD_W_RESET_CARD, SCARD_W_REMOVED_CARD = 0x80100068, 0x80100069

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        library.pcsc_stringify_error.restype = ctypes.c_char_p
        library.pcsc_stringify_error.argtypes = (c_long,)

    def SCardEstablishContext(self, scope: int) -> tuple[int, int]:
        context = c_long()
        rv = self._call("SCardEstablishContext", c_ulong(scope), None, None, byref(context))
        return rv, context.value

    def SCardReleaseContext(self, context: int) -> int:
        return self._call("SCardReleaseContext", c_long(context))

    def SCardCancel(self, context: int) -> int:
        return self._call("SCardCancel", c_long(context))

    def SCardListReaders(self, context: int, groups: Sequence[str]) -> tuple[int, list[str]]:
        size, names = c_ulong(_MAX_NAMES_BYTES), ctypes.create_string_buffer(_MAX_NAMES_BYTES)
        rv = self._call("SCardListReaders", c_long(context), None, names, byref(size))
        found = names.raw[: size.value].split(b"\0") if rv == self.SCARD_S_SUCCESS else []
        return rv, [name.decode(errors="surrogateescape") for name in found if name]

    def SCardGetStatusChange(
        self, context: int, timeout_ms: int, asked: Sequence[tuple[str, int]]
    ) -> tuple[int, list[tuple[str, int, list[int]]]]:
        return libpcsclite.get_status_change(context, timeout_ms, asked)

    def SCardConnect(self, context: int, reader: str, mode: int, protocols: int) -> tuple[int, int, int]:
        card, protocol = c_long(), c_ulong()
        name = reader.encode(errors="surrogateescape")
        words = (c_long(context), name, c_ulong(mode), c_ulong(protocols))
        rv = self._call("SCardConnect", *words, byref(card), byref(protocol))
        return rv, card.value, protocol.value

    def SCardReconnect(self, card: int, mode: int, protocols: int, how: int) -> tuple[int, int]:
        protocol = c_ulong()
        words = (c_long(card), c_ulong(mode), c_ulong(protocols), c_ulong(how))
        return self._call("SCardReconnect", *words, byref(protocol)), protocol.value

    def SCardDisconnect(self, card: int, how: int) -> int:
        return self._call("SCardDisconnect", c_long(card), c_ulong(how))

    def SCardBeginTransaction(self, card: int) -> int:
        return self._call("SCardBeginTransaction", c_long(card))

    def SCardEndTransaction(self, card: int, how: int) -> int:
        return self._call("SCardEndTransaction", c_long(card), c_ulong(how))

    def SCardTransmit(self, card: int, protocol: int, command: Sequence[int]) -> tuple[int, list[int]]:
        pci = _IoRequest(protocol, ctypes.sizeof(_IoRequest))
        size, response = c_ulong(_MAX_RESPONSE_BYTES), ctypes.create_string_buffer(_MAX_RESPONSE_BYTES)
        sent = (c_long(card), byref(pci), bytes(command), c_ulong(len(command)))
        rv = self._call("SCardTransmit", *sent, None, response, byref(size))
        return rv, list(response.raw[: size.value]) if rv == self.SCARD_S_SUCCESS else []

    def SCardStatus(self, card: int) -> tuple[int, str, int, int, list[int]]:
        name_size, name = c_ulong(_MAX_NAME_BYTES), ctypes.create_string_buffer(_MAX_NAME_BYTES)
        atr_size, atr = c_ulong(_MAX_ATR_BYTES), ctypes.create_string_buffer(_MAX_ATR_BYTES)
        state, protocol = c_ulong(), c_ulong()
        into = (name, byref(name_size), byref(state), byref(protocol), atr, byref(atr_size))
        rv = self._call("SCardStatus", c_long(card), *into)
        shown = name.value.decode(errors="surrogateescape")
        return rv, shown, state.value, protocol.value, list(atr.raw[: atr_size.value]) if rv == 0 else []

    def SCardGetErrorMessage(self, rv: int) -> str:
        return str(self._library.pcsc_stringify_error(rv & _RETURN_CODE).decode(errors="replace"))

    def _call(self, name: str, *arguments: object) -> int:
        return int(getattr(self._library, name)(*arguments)) & _RETURN_CODE
