"""What a card does with each of vpcd's messages: bytes in, bytes out, no socket.

A `Session` is the life of one connection. vpcd asks for the ATR to see whether a card is present (pcscd repeats
that every 0.4 s), switches power on and off, and hands over C-APDUs; only the ATR and the APDUs have an answer.
The first question for the ATR is therefore the moment at which the card is in the reader: `ready`.

A card must not raise, but if one does (a bug, a store that failed), PC/SC must still hear something: a
`transmit` without an answer blocks SCardTransmit for ever. So the answer is 6F00, "no precise diagnosis"
(ISO/IEC 7816-4), and the exception, traceback included, is kept in `faults`.

A card that has no answer to give, and knows it, raises `NoAnswer`. vpcd has no word for that: the connection must end,
which takes the card out of the reader. vpcd 3.3 then gives the client an answer of no bytes, and SCardTransmit
succeeds, however the connection ended (in good order, reset, after half a frame); later commands fail.
"""

from vpcd_bridge.errors import NoAnswer, ProtocolError
from vpcd_bridge.frames import MAX_BODY_BYTES, Control, Frame, FrameParser, encode
from vpcd_bridge.port import PoweredCard

_NO_PRECISE_DIAGNOSIS = b"\x6f\x00"


class Session:
    """One card on one connection. Not for use by several threads at once."""

    def __init__(self, card: PoweredCard) -> None:
        self._card = card
        self._parser = FrameParser()
        self._ready = False
        self._touched = False
        self._faults: list[Exception] = []
        self._end: NoAnswer | None = None

    @property
    def ready(self) -> bool:
        """Whether vpcd has asked for the ATR, and got it: from then on the card is in its reader."""
        return self._ready

    @property
    def end(self) -> NoAnswer | None:
        """Why the connection must end once everything is sent; None: it need not."""
        return self._end

    @property
    def pending_bytes(self) -> int:
        """How many bytes have arrived that do not make a whole message yet."""
        return self._parser.pending_bytes

    def receive(self, data: bytes) -> bytes:
        """Acts on what vpcd sent; returns the bytes to send back, empty when there is nothing to say.

        data: the next bytes of the stream, cut anywhere. Raises ProtocolError for what vpcd never sends; the
        messages before that have been acted upon, and the connection is of no more use.
        """
        answers = []
        for frame in self._parser.feed(data):
            answers.append(self._answer(frame))
            if self._end is not None:
                break
        return b"".join(answers)

    @property
    def has_faults(self) -> bool:
        """Whether `take_faults` has something to give."""
        return bool(self._faults)

    def take_faults(self) -> tuple[Exception, ...]:
        """What the card raised since the last call, oldest first."""
        taken = tuple(self._faults)
        self._faults.clear()
        return taken

    def close(self) -> None:
        """Powers the card off: it has left the reader. Once is enough, twice does no harm.

        A card that vpcd never spoke to is left alone; it was not in the reader.
        """
        if self._touched:
            self._touched = False
            self._order(Control.OFF)

    def _answer(self, frame: Frame) -> bytes:
        self._touched = True
        if not isinstance(frame, Control):
            return self._transmit(frame)
        if frame is Control.ATR:
            atr = self._atr()
            self._ready = self._ready or bool(atr)
            return encode(atr)
        self._order(frame)
        return b""

    def _transmit(self, command: bytes) -> bytes:
        try:
            response = self._card.transmit(command)
            if not 2 <= len(response) <= MAX_BODY_BYTES:
                raise ValueError(f"an R-APDU of {len(response)} bytes; it has 2 to {MAX_BODY_BYTES}")
        except NoAnswer as end:
            self._end = end
            cut = encode(end.cut_answer[:MAX_BODY_BYTES]) if end.cut_answer else b""
            return cut[: len(cut) // 2]
        except Exception as fault:
            self._faults.append(fault)
            return encode(_NO_PRECISE_DIAGNOSIS)
        return encode(response)

    def _atr(self) -> bytes:
        """The ATR, or nothing from a card that fails to say it: vpcd then takes the card for removed."""
        try:
            return self._card.atr
        except Exception as fault:
            self._faults.append(fault)
            return b""

    def _order(self, control: Control) -> None:
        """Switches power. vpcd waits for no answer, so a card that fails is only reported."""
        try:
            match control:
                case Control.OFF:
                    self._card.power_off()
                case Control.ON:
                    self._card.power_on()
                case Control.RESET:
                    self._card.reset()
                case _:  # pragma: no cover  (ATR is a question; `_answer` took it)
                    raise ProtocolError(f"{control!r} is not an order")
        except Exception as fault:
            self._faults.append(fault)
