"""The wire format: how messages between vpcd and a card are cut out of a TCP stream.

Every message is a frame: its length in two bytes, big-endian, then that many bytes of body. A body of one byte
that comes from vpcd is a control code for the card's power; any longer body is a C-APDU. What the card sends
back (its ATR, an R-APDU) is framed the same way. TCP keeps the order of bytes but not their grouping, and
vpcd 3.3 even sends length and body apart, so `FrameParser` takes bytes in whatever pieces they arrive.

Nothing here does I/O. A one-byte APDU cannot be told from a control code; that is the protocol's fault.
Source: vsmartcard, virtualsmartcard/src/vpcd/vpcd.c (sendToVICC, recvFromVICC) and vpcd.h (VPCD_CTRL_*).
"""

from collections.abc import Iterator
from enum import IntEnum

from construct import GreedyBytes, Int16ub, Prefixed, Struct

from vpcd_bridge.errors import ProtocolError

MAX_BODY_BYTES = 0xFFFF

# Both directions, and the only definition. What runs is plain code, in `encode` and `FrameParser`, because that is two
# lines and a tenth of the cost; a property holds it to FRAME.
LENGTH = Int16ub
FRAME = Struct("body" / Prefixed(LENGTH, GreedyBytes))
_LENGTH_BYTES: int = LENGTH.sizeof()


class Control(IntEnum):
    """The one-byte bodies vpcd sends. Only ATR is answered; the others are orders."""

    OFF = 0
    ON = 1
    RESET = 2
    ATR = 4


Frame = Control | bytes
"""One message from vpcd: a control code, or a C-APDU of 2 or more bytes."""


def encode(body: bytes) -> bytes:
    """One frame with this body.

    body: 0 to 65 535 bytes. vpcd takes an empty one for "the card is gone" and drops the connection.
    Raises ValueError for a longer body: two bytes of length cannot say it.
    """
    if len(body) > MAX_BODY_BYTES:
        raise ValueError(f"a frame carries at most {MAX_BODY_BYTES} bytes, not {len(body)}")
    return len(body).to_bytes(_LENGTH_BYTES, "big") + body


class FrameParser:
    """Cuts vpcd's byte stream into frames, however the bytes are split.

    max_body_bytes: the longest body accepted, at most (and by default) what the length can say.
    """

    def __init__(self, *, max_body_bytes: int = MAX_BODY_BYTES) -> None:
        if not 1 <= max_body_bytes <= MAX_BODY_BYTES:
            raise ValueError(f"max_body_bytes must be 1 to {MAX_BODY_BYTES}, not {max_body_bytes}")
        self._max_body_bytes = max_body_bytes
        self._pending = bytearray()

    @property
    def pending_bytes(self) -> int:
        """How many bytes have arrived that do not make a whole frame yet."""
        return len(self._pending)

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Takes the next bytes of the stream; yields the frames they complete, in order.

        Yields lazily, so that the frames before rubbish are delivered before ProtocolError is raised, however
        the bytes were split. Frames not asked for stay pending and come with the next call.
        """
        self._pending += data
        return self._frames()

    def _frames(self) -> Iterator[Frame]:
        while len(self._pending) >= _LENGTH_BYTES:
            # Checked as soon as the length is here: a peer that talks rubbish may never send the body.
            end = _LENGTH_BYTES + self._body_bytes()
            if len(self._pending) < end:
                return
            body = bytes(self._pending[_LENGTH_BYTES:end])
            del self._pending[:end]
            yield _frame(body)

    def _body_bytes(self) -> int:
        body_bytes = int.from_bytes(self._pending[:_LENGTH_BYTES], "big")
        if body_bytes == 0:
            raise ProtocolError("an empty frame; vpcd sends none")
        if body_bytes > self._max_body_bytes:
            raise ProtocolError(f"a frame of {body_bytes} bytes; at most {self._max_body_bytes} are taken")
        return body_bytes


def _frame(body: bytes) -> Frame:
    if len(body) > 1:
        return body
    try:
        return Control(body[0])
    except ValueError:
        raise ProtocolError(f"unknown control code {body[0]:02X}; vpcd sends 00, 01, 02 and 04") from None
